/// Tests of characters, eight at a time where it matters.
@_spi(Inside) public enum JSONCharacters {
  /// How many of eight characters, the first in the lowest byte, stand before the first that cannot be in a
  /// JSON string as it is (RFC 8259 §7: quote, backslash, control characters).
  ///
  /// Subtracting finds bytes below a bound by their borrow. A borrow can reach the next byte up and accuse it
  /// wrongly, but never one further down, so the first one found is right.
  @inlinable
  @inline(__always)
  public static func unescapedPrefix(_ word: UInt64) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = word ^ 0x2222_2222_2222_2222
    let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
    let found =
      (word &- ones &* 0x20) & ~word | (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
    return (found & 0x8080_8080_8080_8080).trailingZeroBitCount &>> 3
  }

  @inline(__always)
  static func mustEscape(_ bytes: SIMD16<UInt8>) -> SIMDMask<SIMD16<Int8>> {
    let quote: SIMD16<UInt8> = SIMD16(repeating: 0x22)
    let backslash: SIMD16<UInt8> = SIMD16(repeating: 0x5C)
    let space: SIMD16<UInt8> = SIMD16(repeating: 0x20)
    return (bytes .== quote) .| (bytes .== backslash) .| (bytes .< space)
  }

  @inline(__always)
  static func mustEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

  @inlinable
  @inline(__always)
  public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  /// The value of a hexadecimal digit of either case, or nil.
  @inlinable
  @inline(__always)
  public static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte &- 0x30
    case 0x41...0x46: byte &- 0x37
    case 0x61...0x66: byte &- 0x57
    default: nil
    }
  }
}

/// Digits made eight at a time within a 64-bit word, the first in the lowest byte.
enum JSONDigits {
  /// Eight times the character zero.
  @inline(__always)
  static var zeros: UInt64 { 0x3030_3030_3030_3030 }

  /// The eight decimal digits, each 0 to 9, of a number below 10^8.
  ///
  /// Halves the number three times: into two groups of four digits, four of two, eight of one.
  @inline(__always)
  static func eight(_ value: UInt32) -> UInt64 {
    let high = value / 10_000
    let fours = UInt64(high) | UInt64(value &- high &* 10_000) &<< 32
    let hundreds = ((fours &* 10_486) &>> 20) & 0x7F_0000_007F
    let twos = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = ((twos &* 103) &>> 10) & 0x000F_000F_000F_000F
    return tens | (twos &- tens &* 10) &<< 8
  }

  /// The eight lower-case hexadecimal digits of four bytes, the first byte in the lowest eight bits.
  @inline(__always)
  static func hex(_ bytes: UInt32) -> UInt64 {
    var spread = UInt64(bytes)
    spread = (spread | spread &<< 16) & 0x0000_FFFF_0000_FFFF
    spread = (spread | spread &<< 8) & 0x00FF_00FF_00FF_00FF
    let nibbles = (spread &>> 4) & 0x000F_000F_000F_000F | (spread & 0x000F_000F_000F_000F) &<< 8
    let letters = ((nibbles &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
    return nibbles &+ zeros &+ letters &* 39
  }

  /// The number that eight decimal digits, the first in the lowest byte, make, or nil when one is none.
  @inline(__always)
  static func value(_ characters: UInt64) -> UInt64? {
    let isDigits =
      characters & 0xF0F0_F0F0_F0F0_F0F0 == zeros
      && (characters &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0 == zeros
    if !isDigits { return nil }
    // Neighbours are put together three times: into two digits, four, eight.
    var value = ((characters & 0x0F0F_0F0F_0F0F_0F0F) &* 2561) &>> 8
    value = ((value & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
    return ((value & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32
  }

  /// The four bytes that eight hexadecimal digits of either case make, the first in the lowest eight bits, or
  /// nil when one is none.
  @inline(__always)
  static func bytes(hex characters: UInt64) -> UInt32? {
    let high: UInt64 = 0x8080_8080_8080_8080
    let lower = characters | 0x2020_2020_2020_2020
    // All characters are below 0x80, or the sums could reach the next byte.
    let isDigit = (characters &+ 0x5050_5050_5050_5050) & ~(characters &+ 0x4646_4646_4646_4646)
    let isLetter = (lower &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(lower &+ 0x1919_1919_1919_1919)
    if characters & high != 0 || (isDigit | isLetter) & high != high { return nil }
    let nibbles =
      (characters & 0x0F0F_0F0F_0F0F_0F0F) &+ (characters &>> 6 & 0x0101_0101_0101_0101) &* 9
    var bytes = (nibbles &<< 4 | nibbles &>> 8) & 0x00FF_00FF_00FF_00FF
    bytes = (bytes | bytes &>> 8) & 0x0000_FFFF_0000_FFFF
    return UInt32(truncatingIfNeeded: bytes | bytes &>> 16)
  }
}
