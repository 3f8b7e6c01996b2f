/// A moment as a calendar and a clock show it (proleptic Gregorian, UTC), without Foundation.
package struct CivilTime: Sendable, Hashable {
  package let year: Int
  package let month: Int
  package let day: Int
  package let hour: Int
  package let minute: Int
  package let second: Int

  /// The calendar's view of a number of seconds since the Unix epoch.
  package init(unixSeconds: Int) {
    let days = unixSeconds >= 0 ? unixSeconds / 86_400 : (unixSeconds - 86_399) / 86_400
    let secondOfDay = unixSeconds - days * 86_400
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
}

extension String.StringInterpolation {
  /// A number with leading zeros up to `width` digits.
  package mutating func appendInterpolation(_ value: Int, width: Int) {
    let digits = String(value)
    appendLiteral(String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits)
  }
}
