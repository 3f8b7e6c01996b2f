import Glibc
import SeededRandom
import Testing

@testable import TimeFormats

/// Layouts thrown by dice: what one writes it reads back, and the C library writes and reads the same.
@Suite struct LayoutPropertyTests {
  private static let zones = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
  ]

  /// The C library's, whose declaration Swift does not see.
  private static let strptime = unsafeBitCast(
    dlsym(nil, "strptime"),
    to: (@convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutablePointer<tm>)
      -> UnsafeMutablePointer<CChar>?).self)

  /// A moment between 1971 and 2200 with as many digits as asked for.
  private static func moment(_ random: inout SeededGenerator, digits: Int) -> Int64 {
    let seconds = Int64.random(in: 40_000_000..<7_200_000_000, using: &random)
    var unit: Int64 = 1_000_000_000
    for _ in 0..<digits { unit /= 10 }
    return seconds * 1_000_000_000 + Int64.random(in: 0..<1_000_000_000, using: &random) / unit * unit
  }

  @Test func `a layout of Go reads what it writes`() throws {
    var random = SeededGenerator(2006)
    let dates = [
      "2006-01-02", "02/Jan/2006", "January 2, 2006", "Mon Jan _2 2006", "2006-002", "2006 __2",
      "06.1.2", "Monday 02-January-2006", "20060102",
    ]
    let clocks = ["15:04:05", "3:04:05PM", "03:04:05 pm", "150405", "15:4:5"]
    let fractions = [("", 0), (".000", 3), (",999", 3), (".000000000", 9), (".999999", 6)]
    let offsets = ["Z07:00", "-0700", " -07:00", "Z0700", " -07:00:00", "-070000"]
    for _ in 0..<1500 {
      let (fraction, digits) = random.pick(fractions)
      var source = "\(random.pick(dates)) \(random.pick(clocks))\(fraction)\(random.pick(offsets))"
      // A fraction stands behind the seconds.
      if source.contains("PM") || source.contains("pm") { source = source.replacing(fraction, with: "") }
      let isCut = !source.contains(fraction) || fraction.isEmpty
      let nanoseconds = Self.moment(&random, digits: isCut ? 0 : digits)
      // Two digits of a year mean one of 1969 to 2068.
      if source.hasPrefix("06"), nanoseconds > 3_000_000_000_000_000_000 { continue }
      let layout = try TimeLayout(gotime: source, in: try TimeZoneDatabase.zone(random.pick(Self.zones)))
      let text = layout.text(nanoseconds: nanoseconds)
      do {
        #expect(
          try layout.nanoseconds(of: Array(text.utf8).span, now: 0) == nanoseconds, "\(source): \(text)")
      } catch {
        Issue.record("\(source): \(text): \(error)")
      }
    }
  }

  @Test func `a layout of strptime reads what it writes`() throws {
    var random = SeededGenerator(1997)
    let dates = ["%Y-%m-%d", "%d/%b/%Y", "%B %g, %Y", "%a %h %e %Y", "%D", "%F", "%A %q/%o %Y %d", "%x"]
    let clocks = ["%H:%M:%S", "%T", "%I:%M:%S %p", "%l:%M:%S%P", "%X", "%r"]
    let fractions = [("", 0), (".%L", 3), (",%f", 6), (".%s", 9)]
    let offsets = ["%z", " %j", " %k", "%w", "%%%n%t%z"]
    for _ in 0..<1500 {
      let clock = random.pick(clocks)
      let (fraction, digits) =
        clock.contains("r") || clock.lowercased().contains("p") ? ("", 0) : random.pick(fractions)
      let source = "\(random.pick(dates)) \(clock)\(fraction)\(random.pick(offsets))"
      let nanoseconds = Self.moment(&random, digits: digits)
      let layout = try TimeLayout(strptime: source, in: try TimeZoneDatabase.zone(random.pick(Self.zones)))
      let text = layout.text(nanoseconds: nanoseconds)
      do {
        #expect(
          try layout.nanoseconds(of: Array(text.utf8).span, now: 0) == nanoseconds, "\(source): \(text)")
      } catch {
        Issue.record("\(source): \(text): \(error)")
      }
    }
  }

  @Test func `the C library writes and reads what we write and read`() throws {
    var random = SeededGenerator(2038)
    let others = ["%b", "%B", "%a", "%A", "%e", "%d", "%M", "%S", "%F", "%%", "%n", "%t", "%h"]
    for _ in 0..<1500 {
      // All that makes a moment, and some more in between, in any order.
      var parts = ["%Y", random.pick(["%m", "%b", "%B", "%h"]), random.pick(["%d", "%e"]), "%M", "%S"]
      let has24Hours = random.chance(50)
      parts += has24Hours ? ["%H"] : ["%I", "%p"]
      for _ in 0..<random.below(3) { parts.append(random.pick(others + (has24Hours ? ["%T", "%R"] : []))) }
      parts.shuffle(using: &random)
      let source = parts.map { $0 + random.pick(["-", "/", " ", "T", ":", "_", "|"]) }.joined()
      let layout = try TimeLayout(strptime: source, in: .utc)
      let seconds = Int.random(in: 0..<7_000_000_000, using: &random)
      let ours = layout.text(nanoseconds: Int64(seconds) * 1_000_000_000)

      var time = seconds
      var parts1 = tm()
      gmtime_r(&time, &parts1)
      var buffer = [CChar](repeating: 0, count: 512)
      let count = strftime(&buffer, buffer.count, source, &parts1)
      let theirs = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      #expect(ours == theirs, "\(source)")

      var parts2 = tm()
      // What is left is a part of the text, which must be there still.
      let rest = theirs.withCString { text in Self.strptime(text, source, &parts2).map { strlen($0) } }
      #expect(rest == 0)
      #expect(timegm(&parts2) == seconds, "\(source): \(theirs)")
      do {
        #expect(
          try layout.nanoseconds(of: Array(theirs.utf8).span, now: 0) == Int64(seconds) * 1_000_000_000,
          "\(source): \(theirs)")
      } catch {
        Issue.record("\(source): \(theirs): \(error)")
      }
    }
  }

  @Test func `a text that is damaged is read or refused, and never breaks`() throws {
    var random = SeededGenerator(13)
    let layouts = try [
      TimeLayout(strptime: "%a %d/%b/%Y:%H:%M:%S.%f %z %Z %p %j %k", in: .utc),
      TimeLayout(gotime: "Mon Jan _2 15:04:05.000 MST 2006 002 -07:00 Z0700 PM", in: .utc),
    ]
    for layout in layouts {
      for _ in 0..<2000 {
        var bytes = Array(layout.text(nanoseconds: Self.moment(&random, digits: 9)).utf8)
        for _ in 0..<(1 + random.below(3)) {
          bytes[random.below(bytes.count)] = UInt8.random(in: 0...255, using: &random)
        }
        if random.chance(30) { bytes.removeLast(random.below(bytes.count)) }
        _ = try? layout.nanoseconds(of: bytes.span, now: Int64.random(in: .min ... .max, using: &random))
      }
    }
  }
}
