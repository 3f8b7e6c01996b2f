/// Reads the compiled zones of the IANA database (TZif, RFC 9636).
struct ZoneFile {
  /// Why bytes are no such file.
  struct Fault: Error, Equatable {
    let offset: Int
  }

  private let bytes: [UInt8]
  private var position = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The rules in a file.
  ///
  /// - Throws: when the bytes are not such a file, or contradict themselves.
  static func rules(name: String, _ bytes: [UInt8]) throws(Fault) -> TimeZoneRules {
    var file = ZoneFile(bytes)
    var header = try file.header()
    guard header.version > 0 else { return try file.body(header, wide: false, name: name) }
    // Files of version 2 and above begin with the times that 32 bits hold, for old readers.
    try file.skip(header.size(wide: false))
    header = try file.header()
    return try file.body(header, wide: true, name: name)
  }

  private struct Header {
    var version = 0
    var universalFlags = 0
    var standardFlags = 0
    var leapSeconds = 0
    var changes = 0
    var clocks = 0
    var characters = 0

    func size(wide: Bool) -> Int {
      let time = wide ? 8 : 4
      return changes * (time + 1) + clocks * 6 + characters + leapSeconds * (time + 4) + standardFlags
        + universalFlags
    }
  }

  private mutating func header() throws(Fault) -> Header {
    guard position + 44 <= bytes.count, Array(bytes[position..<position + 4]) == Array("TZif".utf8) else {
      throw Fault(offset: position)
    }
    var header = Header()
    header.version = bytes[position + 4] == 0 ? 0 : 2
    position += 20
    header.universalFlags = try integer(4)
    header.standardFlags = try integer(4)
    header.leapSeconds = try integer(4)
    header.changes = try integer(4)
    header.clocks = try integer(4)
    header.characters = try integer(4)
    let counts = [
      header.universalFlags, header.standardFlags, header.leapSeconds, header.changes, header.clocks,
      header.characters,
    ]
    guard counts.allSatisfy({ (0...65_536).contains($0) }), (1...256).contains(header.clocks) else {
      throw Fault(offset: position)
    }
    return header
  }

  private mutating func body(_ header: Header, wide: Bool, name: String) throws(Fault) -> TimeZoneRules {
    var changes: [Int] = []
    for _ in 0..<header.changes {
      let change = try integer(wide ? 8 : 4)
      if let last = changes.last, change < last { throw Fault(offset: position) }
      changes.append(change)
    }
    var clocksOfChanges: [UInt8] = []
    for _ in 0..<header.changes {
      let clock = try integer(1)
      guard clock & 0xFF < header.clocks else { throw Fault(offset: position) }
      clocksOfChanges.append(UInt8(truncatingIfNeeded: clock))
    }
    var parts: [(offset: Int, isDaylight: Bool, name: Int)] = []
    for _ in 0..<header.clocks {
      let part = (try integer(4), try integer(1) != 0, try integer(1) & 0xFF)
      guard abs(part.0) <= 7 * 86_400, part.2 < header.characters else { throw Fault(offset: position) }
      parts.append(part)
    }
    guard position + header.characters <= bytes.count else { throw Fault(offset: position) }
    let characters = bytes[position..<position + header.characters]
    position += header.characters
    let clocks = parts.map { part in
      let text = characters.dropFirst(part.name).prefix { $0 != 0 }
      return TimeZoneRules.Clock(
        offset: part.offset, isDaylight: part.isDaylight,
        abbreviation: String(decoding: text, as: UTF8.self))
    }
    try skip(header.leapSeconds * (wide ? 12 : 8) + header.standardFlags + header.universalFlags)
    var rules = ListedChanges(clocks: clocks, changes: changes, clocksOfChanges: clocksOfChanges)
    let first = rules.firstClock
    var repeats = false
    if wide, position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
      let footer = bytes[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }
      if !footer.isEmpty {
        guard let rule = PosixZone(String(decoding: footer, as: UTF8.self)) else {
          throw Fault(offset: position)
        }
        repeats = rules.extend(by: rule)
      }
    }
    return TimeZoneRules(
      name: name, clocks: rules.clocks, changes: rules.changes, clocksOfChanges: rules.clocksOfChanges,
      firstClock: first, repeats: repeats)
  }

  private mutating func skip(_ count: Int) throws(Fault) {
    guard position + count <= bytes.count else { throw Fault(offset: position) }
    position += count
  }

  /// A big-endian signed number.
  private mutating func integer(_ width: Int) throws(Fault) -> Int {
    guard position + width <= bytes.count else { throw Fault(offset: position) }
    var value = Int(Int8(bitPattern: bytes[position]))
    for index in position + 1..<position + width { value = value << 8 | Int(bytes[index]) }
    position += width
    return value
  }
}

/// Changes of clocks as a file lists them, to be carried on by the rule behind them.
struct ListedChanges {
  var clocks: [TimeZoneRules.Clock]
  var changes: [Int]
  var clocksOfChanges: [UInt8]

  /// The clock before the first change: the first one, unless that is in use later and was never a winter clock.
  ///
  /// Follows Go, whose rule stems from the C library's.
  var firstClock: Int {
    guard let first = clocksOfChanges.first, clocksOfChanges.contains(0) else { return 0 }
    if clocks[Int(first)].isDaylight {
      for index in (0..<Int(first)).reversed() where !clocks[index].isDaylight { return index }
    }
    return clocks.firstIndex { !$0.isDaylight } ?? 0
  }

  /// Appends what a rule says about the next 400 years.
  ///
  /// - Returns: whether the rule changes clocks, so that these 400 years repeat.
  mutating func extend(by rule: PosixZone) -> Bool {
    guard let winter = index(of: rule.winter) else { return false }
    guard let summer = rule.summer, let summerIndex = index(of: summer.clock) else {
      if changes.isEmpty, clocks.count > 1 || winter != 0 {
        changes.append(.min)
        clocksOfChanges.append(winter)
      }
      return false
    }
    let last = changes.last
    let firstYear = last.map { CivilTime(unixSeconds: $0).year } ?? 1600
    var added: [(moment: Int, clock: UInt8)] = []
    for year in firstYear...firstYear + 402 {
      let start = summer.start.secondsOfLocal(year: year) - rule.winter.offset
      let end = summer.end.secondsOfLocal(year: year) - summer.clock.offset
      added.append((start, summerIndex))
      added.append((end, winter))
    }
    added.sort { $0.moment < $1.moment }
    for change in added where change.moment > last ?? .min {
      changes.append(change.moment)
      clocksOfChanges.append(change.clock)
    }
    return true
  }

  private mutating func index(of clock: TimeZoneRules.Clock) -> UInt8? {
    if let index = clocks.firstIndex(of: clock) { return UInt8(exactly: index) }
    guard clocks.count < 256 else { return nil }
    clocks.append(clock)
    return UInt8(clocks.count - 1)
  }
}
