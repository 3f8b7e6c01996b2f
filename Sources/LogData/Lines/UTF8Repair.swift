internal import WireFormat

/// Ways from code points and bytes to well-formed UTF-8.
enum UTF8Repair {
  /// What stands for malformed text: U+FFFD.
  static let replacement: UInt32 = 0xFFFD

  /// Adds a code point; one that is none becomes U+FFFD.
  @inline(__always)
  private static func append(_ point: UInt32, to output: inout OutputSpan<UInt8>) {
    if point < 0x80 { return output.append(UInt8(truncatingIfNeeded: point)) }
    if point < 0x800 {
      output.append(UInt8(truncatingIfNeeded: 0xC0 | point >> 6))
      return output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    }
    let isScalar = point < 0xD800 || point >= 0xE000 && point < 0x110000
    let scalar = isScalar ? point : replacement
    if scalar < 0x10000 {
      output.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
    } else {
      output.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
      output.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
    }
    output.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
    output.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
  }

  /// Adds ISO 8859-1.
  static func append(latin1 bytes: Span<UInt8>, to output: inout [UInt8]) {
    output.append(addingCapacity: 2 * bytes.count) { output in
      for index in bytes.indices { append(UInt32(bytes[index]), to: &output) }
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
    // Four units at once, when all of them are ASCII.
    let beyondASCII: UInt64 = isBigEndian ? 0x80FF_80FF_80FF_80FF : 0xFF80_FF80_FF80_FF80
    let shift: UInt64 = isBigEndian ? 8 : 0
    output.append(addingCapacity: 3 * ((bytes.count + 1) / 2)) { output in
      var place = 0
      while place < bytes.count {
        if bytes.count - place >= 8 {
          let units = bytes.loadUInt64(at: place)
          if units & beyondASCII == 0 {
            output.append(UInt8(truncatingIfNeeded: units >> shift))
            output.append(UInt8(truncatingIfNeeded: units >> (shift &+ 16)))
            output.append(UInt8(truncatingIfNeeded: units >> (shift &+ 32)))
            output.append(UInt8(truncatingIfNeeded: units >> (shift &+ 48)))
            place &+= 8
            continue
          }
        }
        let (point, size) = point(utf16: bytes, at: place, isBigEndian)
        append(point, to: &output)
        place += size
      }
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
