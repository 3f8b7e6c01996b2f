extension JSONOutput {
  /// A 64-bit number as a string, which is how protobuf's JSON form keeps its precision.
  @inline(__always)
  mutating func append(quoted value: UInt64) {
    append(0x22)
    append(decimal: value)
    append(0x22)
  }

  @inline(__always)
  mutating func append(quoted value: Int64) {
    append(0x22)
    if value < 0 { append(0x2D) }
    append(decimal: value.magnitude)
    append(0x22)
  }

  @inline(__always)
  mutating func append(int32 value: Int32) {
    if value < 0 { append(0x2D) }
    append(decimal: UInt64(value.magnitude))
  }

  /// A double in the fewest digits that read back as the same value; what JSON cannot say is a string.
  mutating func append(double value: Double) {
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53, whole != 0 || value.sign == .plus {
      if whole < 0 { append(0x2D) }
      append(decimal: whole.magnitude)
    } else if value.isNaN {
      append("\"NaN\"")
    } else if value.isInfinite {
      append(value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
    } else {
      append(value.description.utf8.span)
    }
  }

  /// Bytes as a string of lower-case hexadecimal digits.
  @inline(__always)
  mutating func append(hex bytes: Span<UInt8>, from start: Int, to end: Int) {
    append(0x22)
    var place = start
    while end &- place >= 4 {
      let four =
        UInt32(bytes[place]) | UInt32(bytes[place &+ 1]) &<< 8 | UInt32(bytes[place &+ 2]) &<< 16
        | UInt32(bytes[place &+ 3]) &<< 24
      append(packed: JSONDigits.hex(four), length: 8)
      place &+= 4
    }
    while place < end {
      append(packed: JSONDigits.hex(UInt32(bytes[place])), length: 2)
      place &+= 1
    }
    append(0x22)
  }

  /// Bytes as a string in base64 with padding (RFC 4648 §4).
  mutating func append(base64 bytes: Span<UInt8>, from start: Int, to end: Int) {
    append(0x22)
    var place = start
    while place < end {
      let available = min(end - place, 3)
      var group = UInt32(bytes[place]) << 16
      if available > 1 { group |= UInt32(bytes[place + 1]) << 8 }
      if available > 2 { group |= UInt32(bytes[place + 2]) }
      var characters: UInt64 = 0
      for index in 0..<4 {
        let sextet = UInt8(truncatingIfNeeded: group >> UInt32(18 - index * 6)) & 63
        let character = index <= available ? Self.base64Character(sextet) : 0x3D
        characters |= UInt64(character) << UInt64(index * 8)
      }
      append(packed: characters, length: 4)
      place += available
    }
    append(0x22)
  }

  private static func base64Character(_ sextet: UInt8) -> UInt8 {
    switch sextet {
    case 0..<26: sextet + 0x41
    case 26..<52: sextet - 26 + 0x61
    case 52..<62: sextet - 52 + 0x30
    case 62: 0x2B
    default: 0x2F
    }
  }

  /// A string with its quotes, escaped as RFC 8259 §7 requires and no further.
  ///
  /// Bytes that are not UTF-8 go through as they are: the structural check refuses them before.
  @inline(__always)
  mutating func append(string bytes: Span<UInt8>, from start: Int, to end: Int) {
    append(0x22)
    let stop = appendUnescaped(bytes, from: start, to: end)
    if stop < end { appendEscaping(bytes, from: stop, to: end) }
    append(0x22)
  }

  mutating func append(string text: String) {
    let bytes = text.utf8.span
    append(string: bytes, from: 0, to: bytes.count)
  }

  @inline(never)
  private mutating func appendEscaping(_ bytes: Span<UInt8>, from start: Int, to end: Int) {
    var place = start
    while place < end {
      append(escaped: bytes[place])
      place = appendUnescaped(bytes, from: place + 1, to: end)
    }
  }

  private mutating func append(escaped byte: UInt8) {
    switch byte {
    case 0x22: append("\\\"")
    case 0x5C: append("\\\\")
    case 0x08: append("\\b")
    case 0x09: append("\\t")
    case 0x0A: append("\\n")
    case 0x0C: append("\\f")
    case 0x0D: append("\\r")
    default:
      append("\\u00")
      append(packed: JSONDigits.hex(UInt32(byte)), length: 2)
    }
  }
}
