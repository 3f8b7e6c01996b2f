/// A time zone as POSIX writes it, such as `CET-1CEST,M3.5.0,M10.5.0/3`, which stands at the end of zone files.
///
/// With RFC 9636's extension: the hour of a change may be from -167 to 167.
struct PosixZone: Equatable {
  /// The day and time of a change, in the local time before it.
  struct Change: Equatable {
    enum Day: Equatable {
      /// Day 1 to 365, never counting 29 February.
      case julian(Int)
      /// Day 0 to 365, counting 29 February.
      case ofYear(Int)
      /// A weekday (0 for Sunday) of a week (5 is the last) of a month.
      case weekday(month: Int, week: Int, day: Int)
    }
    var day: Day
    /// Seconds after midnight.
    var time = 7200

    /// The change of a year, as seconds since the epoch if the local clock were UTC.
    func secondsOfLocal(year: Int) -> Int {
      let days: Int
      switch day {
      case .julian(let number):
        let leap = number >= 60 && CivilTime.isLeap(year: year) ? 1 : 0
        days = CivilTime.days(year: year, month: 1, day: 1) + number - 1 + leap
      case .ofYear(let number):
        days = CivilTime.days(year: year, month: 1, day: 1) + number
      case .weekday(let month, let week, let day):
        let first = CivilTime(year: year, month: month, day: 1)
        var number = 1 + (day - first.weekday + 7) % 7 + (week - 1) * 7
        if number > CivilTime.days(inMonth: month, year: year) { number -= 7 }
        days = CivilTime.days(year: year, month: month, day: number)
      }
      return days * 86_400 + time
    }
  }

  var winter: TimeZoneRules.Clock
  var summer: (clock: TimeZoneRules.Clock, start: Change, end: Change)?

  static func == (left: PosixZone, right: PosixZone) -> Bool {
    left.winter == right.winter && left.summer?.clock == right.summer?.clock
      && left.summer?.start == right.summer?.start && left.summer?.end == right.summer?.end
  }

  /// Nil when the text is none.
  init?(_ text: String) {
    var reader = PosixZoneReader(text)
    guard let name = reader.name(), let offset = reader.time(maxHours: 24) else { return nil }
    // POSIX counts westwards.
    winter = TimeZoneRules.Clock(offset: -offset, isDaylight: false, abbreviation: name)
    if reader.isAtEnd { return }
    guard let summerName = reader.name() else { return nil }
    var clock = TimeZoneRules.Clock(
      offset: winter.offset + 3600, isDaylight: true, abbreviation: summerName)
    if !reader.isAtEnd, !reader.isAt(",") {
      guard let offset = reader.time(maxHours: 24) else { return nil }
      clock.offset = -offset
    }
    if reader.isAtEnd {
      // What the C library and Go do when the rule is left out: that of the United States.
      summer = (
        clock, Change(day: .weekday(month: 3, week: 2, day: 0)),
        Change(day: .weekday(month: 11, week: 1, day: 0))
      )
      return
    }
    guard reader.take(","), let start = reader.change(), reader.take(","), let end = reader.change(),
      reader.isAtEnd
    else { return nil }
    summer = (clock, start, end)
  }

  /// The rules as those of a zone.
  func rules(name: String) -> TimeZoneRules {
    var listed = ListedChanges(clocks: [winter], changes: [], clocksOfChanges: [])
    let repeats = listed.extend(by: self)
    return TimeZoneRules(
      name: name, clocks: listed.clocks, changes: listed.changes, clocksOfChanges: listed.clocksOfChanges,
      repeats: repeats)
  }
}

/// Reads the parts of a ``PosixZone``.
struct PosixZoneReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  var isAtEnd: Bool { position == bytes.count }

  func isAt(_ character: Unicode.Scalar) -> Bool {
    position < bytes.count && bytes[position] == UInt8(ascii: character)
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard isAt(character) else { return false }
    position += 1
    return true
  }

  /// Three letters or more, or anything in `<` and `>`.
  mutating func name() -> String? {
    let quoted = take("<")
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      let isLetter = (0x41...0x5A).contains(byte & 0xDF)
      if quoted ? byte == UInt8(ascii: ">") : !isLetter { break }
      position += 1
    }
    let name = String(decoding: bytes[start..<position], as: UTF8.self)
    if quoted, !take(">") { return nil }
    return name.utf8.count >= 3 ? name : nil
  }

  private mutating func number(_ range: ClosedRange<Int>) -> Int? {
    let start = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]), position - start < 4 {
      value = value * 10 + Int(bytes[position] - 0x30)
      position += 1
    }
    return position > start && range.contains(value) ? value : nil
  }

  /// `[+-]hh[:mm[:ss]]` as seconds.
  mutating func time(maxHours: Int) -> Int? {
    let isNegative = take("-")
    if !isNegative { _ = take("+") }
    guard let hours = number(0...maxHours) else { return nil }
    var seconds = hours * 3600
    if take(":") {
      guard let minutes = number(0...59) else { return nil }
      seconds += minutes * 60
      if take(":") {
        guard let rest = number(0...59) else { return nil }
        seconds += rest
      }
    }
    return isNegative ? -seconds : seconds
  }

  mutating func change() -> PosixZone.Change? {
    let day: PosixZone.Change.Day
    if take("M") {
      guard let month = number(1...12), take("."), let week = number(1...5), take("."),
        let weekday = number(0...6)
      else { return nil }
      day = .weekday(month: month, week: week, day: weekday)
    } else if take("J") {
      guard let number = number(1...365) else { return nil }
      day = .julian(number)
    } else {
      guard let number = number(0...365) else { return nil }
      day = .ofYear(number)
    }
    var change = PosixZone.Change(day: day)
    if take("/") {
      guard let time = time(maxHours: 167) else { return nil }
      change.time = time
    }
    return change
  }
}
