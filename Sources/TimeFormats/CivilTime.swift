/// A moment as a calendar and a clock show it (proleptic Gregorian, UTC), without Foundation.
package struct CivilTime: Sendable, Hashable {
  package var year: Int
  /// 1 to 12.
  package var month: Int
  /// 1 to 31.
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int

  package init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The calendar's view of a number of seconds since the Unix epoch.
  package init(unixSeconds: Int) {
    let days = Self.days(ofUnixSeconds: unixSeconds)
    // Wrapping, since the first day that numbers hold begins before them.
    let secondOfDay = unixSeconds &- days &* 86_400
    // Counted from 1 March of year 0, so that a leap day is the last of its year; 400 years are 146,097 days.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    hour = secondOfDay / 3600
    minute = secondOfDay % 3600 / 60
    second = secondOfDay % 60
  }

  /// Seconds since the Unix epoch.
  package var unixSeconds: Int {
    Self.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
  }

  /// 0 for Sunday to 6 for Saturday.
  package var weekday: Int {
    let days = Self.days(year: year, month: month, day: day) + 4
    return (days % 7 + 7) % 7
  }

  /// 1 for the first of January to 366.
  package var dayOfYear: Int {
    Self.days(year: year, month: month, day: day) - Self.days(year: year, month: 1, day: 1) + 1
  }

  /// Days from 1 January 1970 to a date, for years within ±1 million and months 1 to 12.
  @inlinable
  package static func days(year: Int, month: Int, day: Int) -> Int {
    // Counting years from March puts the leap day at their end.
    let marchYear = month > 2 ? year : year &- 1
    let marchMonth = month > 2 ? month &- 3 : month &+ 9
    let era = (marchYear >= 0 ? marchYear : marchYear &- 399) / 400
    let yearOfEra = marchYear &- era &* 400
    let dayOfYear = (marchMonth &* 153 &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  /// The day, counted from 1 January 1970, that holds a moment.
  @inlinable
  package static func days(ofUnixSeconds seconds: Int) -> Int {
    seconds / 86_400 &- (seconds % 86_400 < 0 ? 1 : 0)
  }

  @inlinable
  package static func isLeap(year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  /// How many days a month has: 28 to 31.
  @inlinable
  package static func days(inMonth month: Int, year: Int) -> Int {
    if month == 2 { return isLeap(year: year) ? 29 : 28 }
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
  }
}

/// English names of months and days, as log files, HTTP and Go's layouts write them.
package enum CalendarNames {
  /// January first.
  package static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
  ]
  /// Sunday first.
  package static let days = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]
}
