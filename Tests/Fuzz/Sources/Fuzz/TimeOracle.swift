@testable import TimeFormats

/// What must hold for layouts, for texts of times, and for rules and files of time zones.
enum TimeOracle {
  /// The input is a letter for what it is, then a layout and a text behind a line end, or the bytes of one of them.
  static func check(_ input: [UInt8]) throws {
    guard let kind = input.first else { return }
    let rest = Array(input.dropFirst())
    switch kind & 7 {
    case 0: try checkRFC3339(rest)
    case 1: try checkLayout(rest, isGo: false)
    case 2: try checkLayout(rest, isGo: true)
    case 3: try checkRules(rest)
    case 4: checkZone(try? ZoneFile.rules(name: "", rest))
    case 5: try checkEpoch(rest)
    default: try checkHTTPDate(rest)
    }
  }

  private static func checkRFC3339(_ text: [UInt8]) throws {
    guard let nanoseconds = try? RFC3339.nanoseconds(text.span) else { return }
    let written = Array(RFC3339.text(nanoseconds: nanoseconds, digits: 9).utf8)
    try require((try? RFC3339.nanoseconds(written.span)) == nanoseconds, "what is written is another time")
    // Both readers agree, but for the letters in lower case and the leap seconds that only one of them takes.
    let layout = try TimeLayout(gotime: "2006-01-02T15:04:05.999999999Z07:00", in: .utc)
    guard text[10] == UInt8(ascii: "T"), !text.contains(UInt8(ascii: "z")), text[17] != UInt8(ascii: "6"),
      text[..<4] != Array("0000".utf8)[...]
    else { return }
    let other = try demand("a layout reads it") { try layout.nanoseconds(of: text.span, now: 0) }
    try require(other == nanoseconds, "\(nanoseconds) is \(other) to a layout")
  }

  private static func checkLayout(_ input: [UInt8], isGo: Bool) throws {
    let end = input.firstIndex(of: 0x0A) ?? input.count
    let source = String(decoding: input[..<end], as: UTF8.self)
    let text = Array(input[end...].dropFirst())
    let zone = berlin
    let layout: TimeLayout
    do throws(TimeLayoutError) {
      layout =
        isGo ? try TimeLayout(gotime: source, in: zone) : try TimeLayout(strptime: source, in: zone)
    } catch {
      try require((0...source.utf8.count).contains(error.offset), "a mistake at \(error.offset)")
      try require(!error.description.isEmpty, "a mistake without words")
      return
    }
    let now: Int64 = 1_700_000_000_000_000_000
    do throws(TimeTextError) {
      _ = try layout.nanoseconds(of: text.span, now: now)
    } catch {
      try require(
        (0...text.count).contains(error.offset), "a mistake at \(error.offset) of \(text.count) bytes")
    }
    // What the layout writes it reads, and what it writes of that is the same text.
    let written = Array(layout.text(nanoseconds: now).utf8)
    guard let read = try? layout.nanoseconds(of: written.span, now: now) else { return }
    let again = Array(layout.text(nanoseconds: read).utf8)
    let pieces = Set(layout.elements.map(\.piece))
    let isWhole =
      !layout.needsYear && pieces.contains(.twoMonth) && pieces.contains(.twoDay) && pieces.contains(.hour)
      && pieces.isDisjoint(with: [
        .zoneName, .offset, .weekdayName, .longWeekdayName, .hour12, .twoHour12, .upperMeridiem,
        .lowerMeridiem,
      ])
      && layout.elements.count(where: { $0.piece.isOfDate }) == 3
    if isWhole { try require(again == written, "\(written) is read and written as \(again)") }
  }

  private static let berlin: TimeZoneRules =
    PosixZone("CET-1CEST,M3.5.0,M10.5.0/3")?.rules(name: "Berlin") ?? .utc

  private static func checkRules(_ text: [UInt8]) throws {
    guard let zone = PosixZone(String(decoding: text, as: UTF8.self)) else { return }
    checkZone(zone.rules(name: ""))
    if let summer = zone.summer {
      for year in [1600, 1999, 2000, 2400] {
        let start = summer.start.secondsOfLocal(year: year)
        let first = CivilTime(year: year, month: 1, day: 1).unixSeconds
        try require(abs(start - first) < 400 * 86_400, "a change of \(year) in another year")
      }
    }
  }

  private static func checkZone(_ zone: TimeZoneRules?) {
    guard let zone else { return }
    for moment in [-1 << 40, -1, 0, 1_700_000_000, 1 << 33, 1 << 40] + zone.changes.suffix(3) {
      _ = zone.offset(atUnixSeconds: moment)
      _ = zone.abbreviation(atUnixSeconds: moment)
      if abs(moment / 2) < 1 << 50 { _ = zone.unixSeconds(ofLocal: moment) }
    }
  }

  private static func checkEpoch(_ text: [UInt8]) throws {
    for layout in EpochLayout.allCases {
      guard let nanoseconds = try? layout.nanoseconds(of: text.span) else { continue }
      guard let value = Double(String(decoding: text, as: UTF8.self)), abs(value) < 1e15 else { continue }
      let other = try demand("\(layout) of the number \(value)") { try layout.nanoseconds(of: value) }
      // A number in floating point has 52 bits, and is rounded where digits are cut.
      let tolerance = max(abs(nanoseconds) >> 50, 1_000_001)
      try require(abs(other - nanoseconds) <= tolerance, "\(nanoseconds) is \(other) as the number \(value)")
    }
  }

  private static func checkHTTPDate(_ text: [UInt8]) throws {
    guard let seconds = HTTPDate.secondsSinceEpoch(String(decoding: text, as: UTF8.self)) else { return }
    let written = HTTPDate.text(secondsSinceEpoch: seconds)
    let read = HTTPDate.secondsSinceEpoch(written)
    try require(read == seconds, "\(seconds) s is written \(written) and read \(read ?? -1)")
  }

  static let seeds: [[UInt8]] =
    [
      "02006-01-02T15:04:05.123456789+07:00", "01969-12-31T23:59:60Z",
      "1%d/%b/%Y:%H:%M:%S %z\n10/Oct/2000:13:55:36 -0700",
      "1%a %B %e %I:%M:%S.%f %p %Z %y\nTue July  6 09:43:28.5 PM CEST 24",
      "1%c %D %F %T %r %R %x %X %n%t%%\n",
      "1%Y-%m-%dT%H:%M:%S,%s%j%k%i%w%o%q%g%l%P%h%A\n2020-12-16T21:43:28,391",
      "2Mon Jan _2 15:04:05.000 MST 2006\nTue Jul  6 21:43:28.123 CEST 2024",
      "22006-002 __2 Z07:00 -070000 PM pm 3 03 4 04 5 05 1 01 2 02 06\n", "2Jan 02 15:04:05\nFeb 29 23:59:59",
      "215:04:05,999999999\n01:02:03,5", "3CET-1CEST,M3.5.0,M10.5.0/3", "3<-03>3<-02>,J60/-167,365/167",
      "3EST5EDT", "51136214245.123456789", "5-9223372036854775808", "6Sun, 06 Nov 1994 08:49:37 GMT",
      "6Sunday, 06-Nov-94 08:49:37 GMT",
    ].map { Array($0.utf8) } + [zoneFile]

  /// A file of version 2 with two clocks, one change, and a rule.
  private static let zoneFile: [UInt8] = {
    var file = [UInt8(ascii: "4")]
    for width in [4, 8] {
      file += Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
      for count: UInt8 in [0, 0, 0, 1, 2, 8] { file += [0, 0, 0, count] }
      file += [UInt8](repeating: 0, count: width - 1)
      file += [9, 1, 0, 0, 0x0E, 0x10, 0, 0, 0, 0, 0x1C, 0x20, 1, 4]
      file += Array("CET\0DST\0".utf8)
    }
    return file + Array("\nCET-1DST,M3.5.0,M10.5.0/3\n".utf8)
  }()
}
