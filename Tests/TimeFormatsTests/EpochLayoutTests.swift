import Testing

@testable import TimeFormats

@Suite struct EpochLayoutTests {
  @Test(arguments: [
    ("s", "1136214245", 1_136_214_245_000_000_000), ("s", "-1", -1_000_000_000), ("s", "+1", 1_000_000_000),
    ("ms", "1136214245123", 1_136_214_245_123_000_000), ("us", "1136214245123456", 1_136_214_245_123_456_000),
    ("ns", "1136214245123456789", 1_136_214_245_123_456_789), ("ns", "-9223372036854775808", Int64.min),
    ("s.ms", "1136214245.123", 1_136_214_245_123_000_000), ("s.ms", "1136214245", 1_136_214_245_000_000_000),
    ("s.ms", "1136214245.1239", 1_136_214_245_123_000_000),
    ("s.ms", "1136214245.5", 1_136_214_245_500_000_000),
    ("s.us", "1136214245.123456", 1_136_214_245_123_456_000), ("s.us", "-1.5", -1_500_000_000),
    ("s.ns", "1136214245.123456789", 1_136_214_245_123_456_789), ("s.ns", "0.000000001", 1),
  ]) func `digits are a time`(_ layout: String, _ text: String, _ nanoseconds: Int64) throws {
    let epoch = try #require(EpochLayout(rawValue: layout))
    #expect(try epoch.nanoseconds(of: Array(text.utf8).span) == nanoseconds)
  }

  @Test(arguments: [
    ("s", "", "expected a number at byte 0"), ("s", "not-a-number", "expected a number at byte 0"),
    ("s", "1.5", "the time ends before byte 1, where more text follows"),
    ("s", " 1", "expected a number at byte 0"), ("s.ms", "1.", "expected a fraction of a second at byte 2"),
    ("s.ms", "1.5.5", "the time ends before byte 3, where more text follows"),
    ("s", "9223372037", "the time lies outside of the years 1678 to 2262"),
    ("ns", "9223372036854775808", "the time lies outside of the years 1678 to 2262"),
    ("s.ns", "9223372036.9", "the time lies outside of the years 1678 to 2262"),
  ]) func `other texts are none`(_ layout: String, _ text: String, _ problem: String) throws {
    let epoch = try #require(EpochLayout(rawValue: layout))
    #expect {
      _ = try epoch.nanoseconds(of: Array(text.utf8).span)
    } throws: {
      ($0 as? TimeTextError)?.description == problem
    }
  }

  @Test func `numbers are times too`() throws {
    #expect(try EpochLayout.milliseconds.nanoseconds(ofInteger: 5) == 5_000_000)
    #expect(try EpochLayout.secondsAndNanoseconds.nanoseconds(ofInteger: 5) == 5_000_000_000)
    #expect(try EpochLayout.seconds.nanoseconds(of: 5.9) == 5_000_000_000)
    #expect(
      try EpochLayout.secondsAndMilliseconds.nanoseconds(of: 1_136_214_245.123) == 1_136_214_245_123_000_000)
    #expect(
      try EpochLayout.secondsAndMicroseconds.nanoseconds(of: 1_136_214_245.123456)
        == 1_136_214_245_123_456_000)
    #expect(try EpochLayout.secondsAndMilliseconds.nanoseconds(of: -1.5) == -1_500_000_000)
    for value in [Double.nan, .infinity, -.infinity, 1e300, 9.3e9] {
      for layout in [EpochLayout.seconds, .secondsAndNanoseconds] {
        #expect(throws: TimeTextError.self) { try layout.nanoseconds(of: value) }
      }
    }
  }
}
