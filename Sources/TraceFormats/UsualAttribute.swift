internal import WireFormat

/// An attribute in the layout that nearly all have: a key and then a text or a small number, all in less than 128 bytes.
///
/// Two looks at four bytes each tell. Every other layout is left to `AttributeView`, which knows them all.
struct UsualAttribute {
  enum Kind { case text, integer }
  var kind: Kind
  /// The bytes of the attribute, without its tag and length.
  var size: Int
  var key: WireRange
  /// The text; of a number, its varint in shortest form.
  var value: WireRange
  /// The number; 0 for a text.
  var number: UInt64
}

extension WireCursor {
  /// Reads the field at hand where it is an attribute in the usual layout; or reads nothing.
  ///
  /// - Parameter tag: the first byte of the field, all of its tag.
  @inline(__always)
  mutating func usualAttribute(_ tag: UInt8) -> UsualAttribute? {
    // No two lengths of less than 128 can lead beyond the end of what they are compared with.
    if end &- offset < 8 { return nil }
    let head = bytes.loadUInt32(at: offset)
    if head & 0x80FF_80FF != 0x000A_0000 | UInt32(tag) { return nil }
    let size = Int(head &>> 8 & 0x7F)
    let key = WireRange(offset &+ 4, offset &+ 4 &+ Int(head &>> 24))
    let next = offset &+ 2 &+ size
    if next > end || key.upperBound &+ 4 > next { return nil }
    let value = bytes.loadUInt32(at: key.upperBound)
    let rest = next &- key.upperBound
    if value &>> 8 & 0xFF != UInt32(truncatingIfNeeded: rest &- 2) { return nil }
    let last = UInt64(value &>> 24)
    switch value & 0xFF_00FF {
    case 0x0A_0012:
      if last != UInt64(truncatingIfNeeded: rest &- 4) { return nil }
      offset = next
      return UsualAttribute(
        kind: .text, size: size, key: key, value: WireRange(key.upperBound &+ 4, next), number: 0)
    case 0x18_0012:
      var number = last
      if rest == 5 {
        let high = UInt64(bytes[next &- 1])
        if last < 0x80 || high == 0 || high >= 0x80 { return nil }
        number = last & 0x7F | high &<< 7
      } else if rest != 4 || last >= 0x80 {
        return nil
      }
      offset = next
      return UsualAttribute(
        kind: .integer, size: size, key: key, value: WireRange(key.upperBound &+ 3, next), number: number)
    default: return nil
    }
  }
}
