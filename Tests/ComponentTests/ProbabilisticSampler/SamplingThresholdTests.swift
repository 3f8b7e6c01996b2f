import TelemetryData
import Testing

@testable import Processors

@Suite struct SamplingThresholdTests {
  private static func text(_ threshold: SamplingThreshold?) -> String? {
    guard let threshold else { return nil }
    var output: [UInt8] = []
    threshold.write(to: &output)
    return String(decoding: output, as: UTF8.self)
  }

  @Test(
    arguments: [
      (1, 4, "0"), (0.5, 4, "8"), (0.25, 4, "c"), (0.1, 4, "e666"), (0.1, 1, "e"),
      (0.1, 14, "e6666666666666"),
      (1.0 / 3, 3, "aab"), (1.0 / 3, 4, "aaab"), (2.0 / 3, 4, "5555"), (0.01, 4, "fd70a"),
      (0.001, 4, "ffbe77"), (0.999, 4, "004189"), (0.9999, 2, "00069"), (1.0 / 256, 4, "ff"),
      (0x1p-56, 4, "ffffffffffffff"), (0x1p-57, 4, nil), (0, 4, nil), (1.1, 4, nil), (.nan, 4, nil),
    ] as [(Double, Int, String?)])
  func `a probability is rounded to digits that say something`(
    probability: Double, precision: Int, expected: String?
  ) {
    #expect(Self.text(SamplingThreshold(probability: probability, precision: precision)) == expected)
  }

  @Test(
    arguments: [
      ("0", 0), ("00", 0), ("8", 1 << 55), ("C", 3 << 54), ("00000000000001", 1),
      ("ffffffffffffff", (1 << 56) - 1), ("", nil), ("g", nil), ("-1", nil), ("000000000000000", nil),
    ] as [(String, UInt64?)])
  func `zeros at the end of a threshold may be left out`(text: String, expected: UInt64?) {
    #expect(SamplingThreshold(text.utf8.span)?.rejected == expected)
  }

  @Test(
    arguments: [
      (0, 0x97_6837_C4F2_5A25), (22, 0x2E_F036_1586_3443), (UInt32.max, 0x19_7808_4511_F9A1),
    ] as [(UInt32, UInt64)])
  func `a hash of the seed and the trace id becomes randomness`(seed: UInt32, expected: UInt64) {
    let id = TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    #expect(SamplingHash(seed: seed).randomness(of: id) == expected)
    let bytes = [UInt8](1...16)
    #expect(SamplingHash(seed: seed).randomness(of: bytes.span) == expected)
  }
}
