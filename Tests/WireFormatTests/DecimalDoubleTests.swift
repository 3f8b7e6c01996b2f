import Testing
import WireFormat

struct DecimalDoubleTests {
  @Test func `powers of ten near the limits of 128 bits are rounded to the nearest double`() {
    let half: UInt64 = 1 << 53
    for exponent in -19...19 {
      for significand in [1, 3, 7, half, half + 1, .max, .max - 1, 1 << 63, (1 << 63) + 1024] {
        expectNearest(significand, exponent)
      }
    }
  }

  @Test func `any significand and exponent gives the double that the C library gives`() {
    var random = Seeded(state: 2026)
    for _ in 0..<20_000 {
      let significand =
        UInt64.random(in: 0...(.max), using: &random) >> UInt64.random(in: 0...63, using: &random)
      expectNearest(significand, Int.random(in: -19...19, using: &random))
    }
  }

  private func expectNearest(_ significand: UInt64, _ exponent: Int) {
    let text = "\(significand)e\(exponent)"
    #expect(DecimalDouble.nearest(significand: significand, exponent: exponent) == Double(text), "\(text)")
  }

  /// The same numbers every time.
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ (state >> 33)) &* 0xff51_afd7_ed55_8ccd
    }
  }

  @Test func `halfway cases go to the even neighbour, and a trace above goes up`() {
    // 2^53 + 1 lies halfway between two doubles; with a digit behind the point that is not zero it does not.
    #expect(DecimalDouble.nearest(significand: 90_071_992_547_409_930, exponent: -1) == 9_007_199_254_740_992)
    #expect(DecimalDouble.nearest(significand: 90_071_992_547_409_931, exponent: -1) == 9_007_199_254_740_994)
    #expect(DecimalDouble.nearest(significand: 90_071_992_547_409_950, exponent: -1) == 9_007_199_254_740_996)
  }

  @Test func `more than 128 bits are left to the C library`() {
    #expect(DecimalDouble.nearest(significand: 1, exponent: 20) == nil)
    #expect(DecimalDouble.nearest(significand: 1 << 60, exponent: -20) == nil)
    let text = Array("x-2.5e300y".utf8)
    #expect(DecimalDouble.read(text.span, from: 1, to: 9) == -2.5e300)
    let large = Array("1e999".utf8)
    #expect(DecimalDouble.read(large.span, from: 0, to: 5) == .infinity)
  }
}
