import Foundation
import SeededRandom
import Testing

@testable import TimeFormats

@Suite struct TimeZoneTests {
  static let zones = [
    "Africa/Casablanca", "Africa/Lagos", "America/Argentina/Buenos_Aires", "America/Chicago",
    "America/Havana",
    "America/Nuuk", "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Antarctica/Troll",
    "Asia/Gaza", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Pyongyang", "Asia/Tehran", "Asia/Tokyo",
    "Atlantic/Azores", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Dublin",
    "Europe/Istanbul", "Europe/London", "Europe/Lisbon", "Pacific/Apia", "Pacific/Auckland",
    "Pacific/Chatham", "Pacific/Kiritimati", "EST5EDT", "HST", "Etc/GMT+12", "UTC",
  ]

  /// What the C library says about the second before and the second of every change of clocks: `zdump -v`.
  struct Observation {
    let moment: Int
    let offset: Int
    let abbreviation: String
  }

  static func observations(_ zone: String) throws -> [Observation] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/zdump")
    process.arguments = ["-v", "-c", "1850,2480", zone]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    // Europe/Berlin  Sun Mar 31 00:59:59 2024 UT = Sun Mar 31 01:59:59 2024 CET isdst=0 gmtoff=3600
    return output.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 16, let day = Int(words[3]), let year = Int(words[5]),
        let month = CalendarNames.months.firstIndex(where: { $0.hasPrefix(words[2]) }),
        let offset = Int(words[15].dropFirst("gmtoff=".count))
      else { return nil }
      let clock = words[4].split(separator: ":").compactMap { Int($0) }
      let time = CivilTime(
        year: year, month: month + 1, day: day, hour: clock[0], minute: clock[1], second: clock[2])
      return Observation(moment: time.unixSeconds, offset: offset, abbreviation: String(words[13]))
    }
  }

  @Test(arguments: zones) func `clocks are changed as the C library changes them`(_ name: String) throws {
    let zone = try TimeZoneDatabase.zone(name)
    let observations = try Self.observations(name)
    if name == "Europe/Berlin" { #expect(observations.count > 1000) }
    for observation in observations {
      #expect(
        zone.offset(atUnixSeconds: observation.moment) == observation.offset,
        "at \(CivilTime(unixSeconds: observation.moment))")
      #expect(zone.abbreviation(atUnixSeconds: observation.moment) == observation.abbreviation)
    }
  }

  @Test(arguments: zones) func `a local time is the moment at which the clocks show it`(_ name: String) throws
  {
    let zone = try TimeZoneDatabase.zone(name)
    var random = SeededGenerator(11)
    // Random moments, and those around changes, whose local times come once, twice or never.
    var moments = (0..<2000).map { _ in Int.random(in: -6_000_000_000..<16_000_000_000, using: &random) }
    for change in zone.changes where abs(change) < 1 << 40 {
      moments += (0..<4).map { _ in change + Int.random(in: -10_000..<10_000, using: &random) }
    }
    for moment in moments {
      let local = moment + zone.offset(atUnixSeconds: moment)
      let found = zone.unixSeconds(ofLocal: local)
      // Two moments may show the same time; either will do.
      #expect(found + zone.offset(atUnixSeconds: found) == local, "\(CivilTime(unixSeconds: local))")
    }
  }

  @Test(arguments: [
    "Mars/Phobos", "../etc/passwd", "/etc/localtime", "Europe", "", "Europe//Berlin", "zone.tab", "a\0b",
  ])
  func `what is no zone is told so`(_ name: String) throws {
    if name.isEmpty {
      #expect(try TimeZoneDatabase.zone(name).name == "UTC")
      return
    }
    #expect(throws: TimeZoneError.unknown(name)) { try TimeZoneDatabase.zone(name) }
  }

  @Test func `the database lists its zones`() {
    let names = TimeZoneDatabase.names
    #expect(names.contains("Europe/Berlin") && names.contains("US/Eastern") && !names.contains("Mars/Phobos"))
  }

  @Test func `TZ names a zone, a file, or rules`() {
    #expect(TimeZoneDatabase.local(variable: "Asia/Tokyo").offset(atUnixSeconds: 0) == 32_400)
    #expect(TimeZoneDatabase.local(variable: ":Asia/Tokyo").offset(atUnixSeconds: 0) == 32_400)
    #expect(
      TimeZoneDatabase.local(variable: "/usr/share/zoneinfo/Asia/Tokyo").offset(atUnixSeconds: 0) == 32_400)
    #expect(TimeZoneDatabase.local(variable: "").offset(atUnixSeconds: 0) == 0)
    #expect(TimeZoneDatabase.local(variable: "nonsense").offset(atUnixSeconds: 0) == 0)
    let rules = TimeZoneDatabase.local(variable: "CET-1CEST,M3.5.0,M10.5.0/3")
    #expect(rules.offset(atUnixSeconds: 1_704_067_200) == 3600)
    #expect(rules.offset(atUnixSeconds: 1_719_792_000) == 7200)
    #expect(rules.abbreviation(atUnixSeconds: 1_719_792_000) == "CEST")
    #expect(rules.offset(atUnixSeconds: 1_711_846_799) == 3600)
    #expect(rules.offset(atUnixSeconds: 1_711_846_800) == 7200)
  }

  @Test(arguments: [
    "", "E", "ES", "5", "EST", "EST5EDT,", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
    "EST5EDT,M3.6.0,M11.1.0",
    "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J365", "EST5EDT,366,1", "<EST5", "EST25", "EST5:60",
    "EST5EDT,M3.2.0/168,M11.1.0", "EST5EDT,M3.2.0,M11.1.0x",
  ]) func `what are no rules of POSIX is told so`(_ text: String) { #expect(PosixZone(text) == nil) }

  @Test func `a file that is cut or changed anywhere is read or refused, and never breaks`() throws {
    var random = SeededGenerator(5)
    for name in ["Europe/Berlin", "America/Sao_Paulo", "Asia/Tokyo"] {
      let bytes = try #require(
        ZoneFileReading.bytes(ofFile: "/usr/share/zoneinfo/\(name)", limit: 1 << 20))
      for length in 0..<bytes.count where length != bytes.count {
        _ = try? ZoneFile.rules(name: name, Array(bytes[..<length]))
      }
      for _ in 0..<2000 {
        var changed = bytes
        for _ in 0..<(1 + random.below(4)) {
          changed[random.below(changed.count)] = UInt8.random(in: 0...255, using: &random)
        }
        guard let zone = try? ZoneFile.rules(name: name, changed) else { continue }
        for moment in [-1 << 40, 0, 1 << 31, 1 << 40] {
          _ = zone.offset(atUnixSeconds: moment)
          _ = zone.unixSeconds(ofLocal: moment)
        }
      }
    }
  }
}
