/// One field of a message: its tag, where it stands, and its value.
public struct WireField: Sendable {
  public var tag: WireTag
  /// The offset of the tag.
  public var start: Int
  /// The value's bytes: without the tag, and without the length of a length-delimited field.
  public var value: WireRange
  /// The value of a varint, fixed64 or fixed32 field, zero for the others.
  public var number: UInt64

  @inlinable
  public init(tag: WireTag, start: Int, value: WireRange, number: UInt64) {
    self.tag = tag
    self.start = start
    self.value = value
    self.number = number
  }

  @inlinable
  public var fieldNumber: UInt32 { tag.fieldNumber }
  /// The whole field, from its tag to the end of its value.
  @inlinable
  public var range: WireRange { WireRange(start: UInt32(truncatingIfNeeded: start), end: value.end) }
}

extension WireCursor {
  /// The next field with its value, or nil at the end of the message.
  @inlinable
  public mutating func readField() throws(WireError) -> WireField? {
    let start = offset
    guard let tag = try nextTag() else { return nil }
    let payload = offset
    switch tag.rawValue & 7 {
    case 0:
      let number = try readVarint()
      return WireField(tag: tag, start: start, value: WireRange(payload, offset), number: number)
    case 1:
      let number = try readFixed64()
      return WireField(tag: tag, start: start, value: WireRange(payload, offset), number: number)
    case 2:
      let value = try readLengthDelimited()
      return WireField(tag: tag, start: start, value: value, number: 0)
    case 5:
      let number = UInt64(try readFixed32())
      return WireField(tag: tag, start: start, value: WireRange(payload, offset), number: number)
    default:
      try skip(tag)
      return WireField(tag: tag, start: start, value: WireRange(payload, offset), number: 0)
    }
  }

  /// The next field, or nil at the end of the message and at malformed bytes, where the cursor stops for
  /// good.
  ///
  /// For bytes that have been checked before: reading needs no error path there.
  @inlinable
  public mutating func nextField() -> WireField? {
    do throws(WireError) {
      return try readField()
    } catch {
      offset = end
      return nil
    }
  }
}

extension WireCursor {
  /// The next varint of a packed field, or nil at the end and at malformed bytes, where the cursor stops for
  /// good.
  @inlinable
  public mutating func nextVarint() -> UInt64? {
    if isAtEnd { return nil }
    do throws(WireError) {
      return try readVarint()
    } catch {
      offset = end
      return nil
    }
  }
}

/// Walks that look for one field only, for messages that have been checked before.
///
/// They stop for good at malformed bytes. Stepping over fields without making a ``WireField`` of each takes a
/// third of the time.
extension WireCursor {
  /// The value of the next length-delimited field with a tag, or nil when there is none left.
  @inlinable
  public mutating func nextPayload(of wanted: WireTag) -> WireRange? {
    do throws(WireError) {
      while offset < end {
        let tag = try readTag()
        if tag == wanted { return try readLengthDelimited() }
        try skip(tag)
      }
    } catch {
      offset = end
    }
    return nil
  }

  /// The value of the next varint, fixed64 or fixed32 field with a tag, or nil when there is none left.
  @inlinable
  public mutating func nextNumber(of wanted: WireTag) -> UInt64? {
    do throws(WireError) {
      while offset < end {
        let tag = try readTag()
        if tag == wanted {
          switch tag.rawValue & 7 {
          case 0: return try readVarint()
          case 1: return try readFixed64()
          case 5: return UInt64(try readFixed32())
          default: break
          }
        }
        try skip(tag)
      }
    } catch {
      offset = end
    }
    return nil
  }
}
