/// Checks that bytes are well-formed UTF-8 (Unicode 16, table 3-7: no overlong forms, no surrogates, at most
/// U+10FFFF).
public enum UTF8Check {
  /// The offset of the first byte that does not belong to a well-formed sequence, or -1 when all do.
  ///
  /// ASCII, nearly all of real traffic, is checked eight bytes at a time.
  @inlinable
  public static func firstInvalid(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var position = start
    let high: UInt64 = 0x8080_8080_8080_8080
    while end &- position >= 8 {
      if bytes.loadUInt64(at: position) & high != 0 {
        return firstInvalidSlowly(in: bytes, from: position, to: end)
      }
      position &+= 8
    }
    let left = end &- position
    if left <= 0 { return -1 }
    if position &+ 8 <= bytes.count {
      // The tail of a short string: read past it, inside the buffer, and mask what is not ours.
      let mask = high >> UInt64(truncatingIfNeeded: (8 &- left) &* 8)
      if bytes.loadUInt64(at: position) & mask == 0 { return -1 }
      return firstInvalidSlowly(in: bytes, from: position, to: end)
    }
    while position < end {
      if bytes[position] >= 0x80 { return firstInvalidSlowly(in: bytes, from: position, to: end) }
      position &+= 1
    }
    return -1
  }

  /// Whether a whole span is well-formed.
  @inlinable
  public static func isValid(_ bytes: Span<UInt8>) -> Bool {
    firstInvalid(in: bytes, from: 0, to: bytes.count) < 0
  }

  @usableFromInline
  @inline(never)
  static func firstInvalidSlowly(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var position = start
    while position < end {
      let lead = bytes[position]
      if lead < 0x80 {
        position += 1
        if end - position >= 8, bytes.loadUInt64(at: position) & 0x8080_8080_8080_8080 == 0 { position += 8 }
        continue
      }
      // The second byte carries every special case: overlong forms, surrogates, and the end of Unicode.
      let length: Int
      var second: ClosedRange<UInt8> = 0x80...0xBF
      switch lead {
      case 0xC2...0xDF: length = 2
      case 0xE0: (length, second) = (3, 0xA0...0xBF)
      case 0xED: (length, second) = (3, 0x80...0x9F)
      case 0xE1...0xEF: length = 3
      case 0xF0: (length, second) = (4, 0x90...0xBF)
      case 0xF1...0xF3: length = 4
      case 0xF4: (length, second) = (4, 0x80...0x8F)
      default: return position
      }
      guard end - position >= length, second.contains(bytes[position + 1]) else { return position }
      if length > 2, bytes[position + 2] & 0xC0 != 0x80 { return position }
      if length > 3, bytes[position + 3] & 0xC0 != 0x80 { return position }
      position += length
    }
    return -1
  }
}
