/// How far the clocks of a place are from UTC, and since when: one zone of the IANA database, or a fixed offset.
///
/// Read once, when a layout is made; looking up a moment then takes a few nanoseconds. Nothing global is touched, unlike
/// with the C library's `TZ`.
package struct TimeZoneRules: Sendable {
  /// One of the clocks that a place has had, such as "CET, one hour ahead".
  struct Clock: Sendable, Hashable {
    /// Seconds ahead of UTC.
    var offset: Int
    var isDaylight: Bool
    var abbreviation: String
  }

  /// A time during which the clocks are not changed.
  struct Period {
    var clock: Int
    /// Seconds since the epoch; the first second of the period.
    var start: Int
    /// The first second behind the period.
    var end: Int
  }

  /// The name it was looked up by.
  package let name: String
  /// Every clock, in the order of the file.
  let clocks: [Clock]
  /// Seconds since the epoch at which another clock begins, ascending.
  let changes: [Int]
  /// The clock that begins at each change.
  let clocksOfChanges: [UInt8]
  /// The clock before the first change.
  let firstClock: Int
  /// Whether the last 400 years of `changes` repeat for ever: the calendar repeats after so long.
  let repeats: Bool
  /// How many changes there are before each stretch of 2^24 seconds from 1970 on, about half a year: where to begin to
  /// look.
  private let changesBefore: [UInt16]

  init(
    name: String, clocks: [Clock], changes: [Int] = [], clocksOfChanges: [UInt8] = [], firstClock: Int = 0,
    repeats: Bool = false
  ) {
    self.name = name
    self.clocks = clocks
    self.changes = changes
    self.clocksOfChanges = clocksOfChanges
    self.firstClock = firstClock
    self.repeats = repeats
    let stretches = max(0, min((changes.last ?? -1) >> Self.stretchBits, 2000))
    var count = 0
    changesBefore = (0..<stretches).map { stretch in
      while count < changes.count, changes[count] <= stretch << Self.stretchBits { count += 1 }
      return UInt16(truncatingIfNeeded: count)
    }
  }

  private static let stretchBits = 24

  /// Coordinated universal time.
  package static let utc = TimeZoneRules(secondsFromUTC: 0, abbreviation: "UTC")

  /// A clock that is never changed.
  ///
  /// - Parameter seconds: how far ahead of UTC, negative in the west.
  package init(secondsFromUTC seconds: Int, abbreviation: String = "") {
    self.init(
      name: abbreviation,
      clocks: [Clock(offset: seconds, isDaylight: false, abbreviation: abbreviation)])
  }

  /// Seconds in 400 years of the Gregorian calendar.
  static let cycle = 146_097 * 86_400

  /// The period in which a moment lies.
  func period(at unixSeconds: Int) -> Period {
    guard let first = changes.first, let last = changes.last, unixSeconds >= first else {
      return Period(clock: firstClock, start: .min, end: changes.first ?? .max)
    }
    guard repeats, unixSeconds >= last else { return listedPeriod(at: unixSeconds) }
    let shift = ((unixSeconds &- last) / Self.cycle &+ 1) &* Self.cycle
    var period = listedPeriod(at: unixSeconds &- shift)
    period.start &+= shift
    period.end &+= shift
    return period
  }

  /// The period of a moment at or after the first change.
  private func listedPeriod(at unixSeconds: Int) -> Period {
    // The number of changes at or before the moment.
    let stretch = unixSeconds >> Self.stretchBits
    var count = 1
    if stretch >= 0, stretch < changesBefore.count {
      count = Int(changesBefore[stretch])
      while count < changes.count, changes[count] <= unixSeconds { count &+= 1 }
    } else {
      var end = changes.count
      while count < end {
        let middle = (count &+ end) / 2
        if changes[middle] <= unixSeconds { count = middle &+ 1 } else { end = middle }
      }
    }
    return Period(
      clock: Int(clocksOfChanges[count &- 1]), start: changes[count &- 1],
      end: count < changes.count ? changes[count] : .max)
  }

  /// Seconds ahead of UTC at a moment.
  package func offset(atUnixSeconds unixSeconds: Int) -> Int {
    changes.isEmpty ? clocks[firstClock].offset : clocks[period(at: unixSeconds).clock].offset
  }

  /// What the clock in force at a moment is called, such as `CEST`; may be empty.
  package func abbreviation(atUnixSeconds unixSeconds: Int) -> String {
    clocks[period(at: unixSeconds).clock].abbreviation
  }

  /// The moment at which a clock here shows a time, given as the seconds since the epoch that UTC would make of it.
  ///
  /// An hour that comes twice, or never, is taken as Go's `time.Date` takes it: with one of the two offsets around it.
  package func unixSeconds(ofLocal local: Int) -> Int {
    if changes.isEmpty { return local - clocks[firstClock].offset }
    let guess = period(at: local)
    let offset = clocks[guess.clock].offset
    if offset == 0 { return local }
    let moment = local - offset
    if moment >= guess.start, moment < guess.end { return moment }
    return local - self.offset(atUnixSeconds: moment)
  }

  /// The year of a time that was written without one: the latest in which the date exists and the time lies at most
  /// seven days ahead.
  ///
  /// - Parameter now: seconds since the epoch.
  package func latestYear(month: Int, day: Int, secondOfDay: Int, now: Int) -> Int {
    let latest = now &+ 7 * 86_400
    // No clock is more than a day ahead of UTC.
    var year = CivilTime(unixSeconds: latest &+ 86_400).year
    // A leap day exists every four years, but for gaps of eight.
    for _ in 0..<10 {
      if day <= 28 || day <= CivilTime.days(inMonth: month, year: year) {
        let local = CivilTime.days(year: year, month: month, day: day) &* 86_400 &+ secondOfDay
        if unixSeconds(ofLocal: local) <= latest { return year }
      }
      year &-= 1
    }
    return year
  }

  /// The moment at which a clock here with an abbreviation shows a time; nil when none is called so.
  ///
  /// The clock that was in force is preferred, which matters where summer and winter have one name; else the one of that
  /// name that was in force last before, since some names have meant other offsets long ago.
  func unixSeconds(ofLocal local: Int, abbreviation name: Span<UInt8>) -> Int? {
    var isKnown = false
    for clock in clocks where name.isEqual(to: clock.abbreviation) {
      let moment = local &- clock.offset
      if name.isEqual(to: clocks[period(at: moment).clock].abbreviation) { return moment }
      isKnown = true
    }
    guard isKnown else { return nil }
    var moment = local
    // Two years hold every clock that a place has now.
    for _ in 0..<8 {
      let period = period(at: moment)
      if name.isEqual(to: clocks[period.clock].abbreviation) { return local &- clocks[period.clock].offset }
      if period.start == .min { break }
      moment = period.start &- 1
    }
    return clocks.last { name.isEqual(to: $0.abbreviation) }.map { local &- $0.offset }
  }
}
