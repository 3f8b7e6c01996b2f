import SeededRandom
import Testing

@testable import TimeFormats

@Suite struct RFC3339Tests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999999Z", -1),
    ("2006-01-02T15:04:05-07:00", 1_136_239_445_000_000_000),
    ("2006-01-02T15:04:05.5+07:00", 1_136_189_045_500_000_000),
    ("2006-01-02t15:04:05.123456789z", 1_136_214_245_123_456_789),
    ("2006-01-02 15:04:05.1234567899Z", 1_136_214_245_123_456_789),
    ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
  ]) func `a time is nanoseconds since the epoch`(_ text: String, _ nanoseconds: Int64) throws {
    #expect(try RFC3339.nanoseconds(Array(text.utf8).span) == nanoseconds)
  }

  @Test(arguments: [
    ("", "expected a year at byte 0"), ("2006", "expected the layout's own text at byte 4"),
    ("200x-01-02T15:04:05Z", "expected a year at byte 0"),
    ("2006-1-02T15:04:05Z", "expected the number of a month at byte 5"),
    ("2006-01-02X15:04:05Z", "expected the layout's own text at byte 10"),
    ("2006-01-02T15.04:05Z", "expected the layout's own text at byte 13"),
    ("2006-01-02T15:04", "expected the layout's own text at byte 16"),
    ("2006-13-02T15:04:05Z", "the month at byte 5 is not from 1 to 12"),
    ("2006-02-29T15:04:05Z", "the month has no such day"),
    ("2006-02-00T15:04:05Z", "the month has no such day"),
    ("2006-01-02T24:04:05Z", "the hour at byte 11 is out of range"),
    ("2006-01-02T23:60:05Z", "the minute at byte 14 is out of range"),
    ("2006-01-02T23:59:61Z", "the second at byte 17 is out of range"),
    ("2006-01-02T15:04:05", "expected an offset from UTC at byte 19"),
    ("2006-01-02T15:04:05.Z", "expected a fraction of a second at byte 20"),
    ("2006-01-02T15:04:05+0700", "expected an offset from UTC at byte 19"),
    ("2006-01-02T15:04:05+24:00", "the offset from UTC at byte 19 is out of range"),
    ("2006-01-02T15:04:05ZZ", "the time ends before byte 20, where more text follows"),
    ("1600-01-02T15:04:05Z", "the time lies outside of the years 1678 to 2262"),
  ]) func `what is no time is told with its place`(_ text: String, _ problem: String) {
    let bytes = Array(text.utf8)
    do {
      _ = try RFC3339.nanoseconds(bytes.span)
      Issue.record("\(text) was read")
    } catch {
      #expect(error.description == problem)
    }
  }

  @Test func `what is written reads back the same`() throws {
    var random = SeededGenerator(3339)
    for _ in 0..<2000 {
      let nanoseconds = Int64.random(
        in: -9_000_000_000_000_000_000...9_000_000_000_000_000_000, using: &random)
      let text = RFC3339.text(nanoseconds: nanoseconds, digits: 9)
      #expect(try RFC3339.nanoseconds(Array(text.utf8).span) == nanoseconds, "\(text)")
    }
    #expect(RFC3339.text(nanoseconds: 1_136_214_245_120_000_000, digits: 3) == "2006-01-02T15:04:05.120Z")
    #expect(RFC3339.text(nanoseconds: -1) == "1969-12-31T23:59:59Z")
  }
}
