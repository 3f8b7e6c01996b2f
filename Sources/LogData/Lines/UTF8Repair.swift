internal import WireFormat

/// Ways from code points and bytes to well-formed UTF-8.
enum UTF8Repair {
  /// What stands for malformed text: U+FFFD.
  static let replacement: UInt32 = 0xFFFD

  /// Adds a code point; one that is none becomes U+FFFD.
  @inline(__always)
  static func append(_ point: UInt32, to output: inout [UInt8]) {
    switch point {
    case 0..<0x80: output.append(UInt8(truncatingIfNeeded: point))
    case 0x80..<0x800:
      output.append(UInt8(truncatingIfNeeded: 0xC0 | point >> 6))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    case 0xD800..<0xE000, 0x110000...: append(replacement, to: &output)
    case 0x800..<0x10000:
      output.append(UInt8(truncatingIfNeeded: 0xE0 | point >> 12))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point >> 6 & 0x3F))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    default:
      output.append(UInt8(truncatingIfNeeded: 0xF0 | point >> 18))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point >> 12 & 0x3F))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point >> 6 & 0x3F))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    }
  }

  /// Adds bytes of UTF-8; each malformed sequence becomes U+FFFD (the Unicode standard's maximal subparts).
  static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
    if UTF8Check.isValid(bytes) { return output.append(copying: bytes) }
    var copy: [UInt8] = []
    copy.append(copying: bytes)
    output.append(contentsOf: String(decoding: copy, as: UTF8.self).utf8)
  }

  /// Adds UTF-16; halves of surrogate pairs and half a unit at the end become U+FFFD each.
  static func append(utf16 bytes: Span<UInt8>, isBigEndian: Bool, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + bytes.count)
    var place = 0
    while place < bytes.count {
      let (point, size) = point(utf16: bytes, at: place, isBigEndian)
      append(point, to: &output)
      place += size
    }
  }

  /// The character at a place in UTF-16, and its size in bytes.
  @inline(__always)
  static func point(utf16 bytes: Span<UInt8>, at place: Int, _ isBigEndian: Bool) -> (UInt32, size: Int) {
    let left = bytes.count - place
    if left < 2 { return (replacement, left) }
    let first = unit(bytes, place, isBigEndian)
    guard first & 0xF800 == 0xD800 else { return (first, 2) }
    guard first & 0xFC00 == 0xD800, left >= 4 else { return (replacement, 2) }
    let second = unit(bytes, place + 2, isBigEndian)
    guard second & 0xFC00 == 0xDC00 else { return (replacement, 2) }
    return (0x10000 + (first & 0x3FF) << 10 | second & 0x3FF, 4)
  }

  @inline(__always)
  private static func unit(_ bytes: Span<UInt8>, _ place: Int, _ isBigEndian: Bool) -> UInt32 {
    let (first, second) = (UInt32(bytes[place]), UInt32(bytes[place + 1]))
    return isBigEndian ? first << 8 | second : second << 8 | first
  }
}
