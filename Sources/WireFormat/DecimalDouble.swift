/// The double nearest to a decimal number, rounded as IEEE 754 wants it (to the nearest, ties to even).
///
/// Numbers of up to 19 digits with a power of ten up to 10^19 either way, nearly all there are, take one multiplication or
/// division of integers, which are exact; the rest goes to the C library.
package enum DecimalDouble {
  /// `significand * 10^exponent`, or nil when that needs more than 128 bits: then see ``read(_:from:to:)``.
  @inlinable
  package static func nearest(significand: UInt64, exponent: Int) -> Double? {
    if significand < 1 << 53 {
      if exponent == 0 { return Double(significand) }
      if exponent < 0, exponent >= -19 {
        // Both are exact up to 10^22, so that the one rounding of the division is right (Clinger's fast path).
        return Double(significand) / Double(power(-exponent))
      }
    }
    return wide(significand, exponent)
  }

  @usableFromInline
  static func wide(_ significand: UInt64, _ exponent: Int) -> Double? {
    if significand == 0 { return 0 }
    if exponent >= 0, exponent <= 19 {
      let product = significand.multipliedFullWidth(by: power(exponent))
      if product.high == 0 { return Double(product.low) }
      let shift = product.high.leadingZeroBitCount
      let top = shift == 0 ? product.high : product.high &<< shift | product.low &>> (64 &- shift)
      let isInexact = product.low &<< shift != 0
      return scaled(top | (isInexact ? 1 : 0), by: 64 &- shift)
    }
    if exponent < 0, exponent >= -19 {
      let divisor = power(-exponent)
      // Both with their highest bit set, so that the quotient has 64 significant bits.
      let (up, down) = (significand.leadingZeroBitCount, divisor.leadingZeroBitCount)
      let (dividend, normal) = (significand &<< up, divisor &<< down)
      let isLarger = dividend >= normal
      let division = normal.dividingFullWidth(
        isLarger ? (dividend &>> 1, dividend &<< 63) : (dividend, 0))
      return scaled(
        division.quotient | (division.remainder == 0 ? 0 : 1), by: down &- up &- (isLarger ? 63 : 64))
    }
    return nil
  }

  /// `bits * 2^exponent`; the lowest bit stands for everything below it, which cannot be half of what is rounded away.
  @inline(__always)
  private static func scaled(_ bits: UInt64, by exponent: Int) -> Double {
    Double(bits) * Double(bitPattern: UInt64(truncatingIfNeeded: 1023 &+ exponent) &<< 52)
  }

  /// 10^exponent for 0 … 19.
  @inlinable
  static func power(_ exponent: Int) -> UInt64 { powersOfTen[exponent] }

  @usableFromInline
  static let powersOfTen: [20 of UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
  ]
}
