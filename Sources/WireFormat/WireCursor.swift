/// Reads protobuf fields one after the other from bytes it borrows.
///
/// Offsets are always those of the whole buffer: the cursor of a nested message is one over the same buffer
/// with another range. Every read is bounds-checked and throws a ``WireError``; nothing traps on bad input.
///
/// A loop over a message reads like its .proto file:
///
///     while let tag = try cursor.nextTag() {
///       switch tag {
///       case .lengthDelimited(1): name = try cursor.readLengthDelimited()
///       case .varint(2): kind = try cursor.readVarint()
///       default: try cursor.skip(tag)
///       }
///     }
public struct WireCursor: ~Escapable {
  /// How deep groups may be nested in each other before skipping gives up.
  @inlinable
  public static var maxGroupDepth: Int { 32 }

  /// The whole buffer.
  public let bytes: Span<UInt8>
  /// The next byte to read.
  public var offset: Int
  /// The end of the message that is read.
  public let end: Int

  /// A cursor over a whole buffer.
  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = bytes
    offset = 0
    end = bytes.count
  }

  /// A cursor over a part of a buffer; a range outside of it is cut to fit.
  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>, in range: WireRange) {
    self.bytes = bytes
    end = min(range.upperBound, bytes.count)
    offset = min(range.lowerBound, end)
  }

  @inlinable
  public var isAtEnd: Bool { offset >= end }

  /// The tag of the next field, or nil at the end of the message.
  @inlinable
  public mutating func nextTag() throws(WireError) -> WireTag? {
    if offset >= end { return nil }
    return try readTag()
  }

  /// The tag of the next field; its field number and wire type are valid.
  @inlinable
  @inline(__always)
  public mutating func readTag() throws(WireError) -> WireTag {
    let start = offset
    let raw = try readVarint()
    if raw & 7 > 5 { throw WireError(.badWireType, at: start) }
    if raw < 8 || raw > UInt64(UInt32.max) { throw WireError(.badFieldNumber, at: start) }
    return WireTag(rawValue: UInt32(truncatingIfNeeded: raw))
  }

  /// A variable-length number; bits beyond the 64th are dropped, as other decoders do.
  @inlinable
  @inline(__always)
  public mutating func readVarint() throws(WireError) -> UInt64 {
    if offset < end {
      let first = bytes[offset]
      if first < 0x80 {
        offset &+= 1
        return UInt64(first)
      }
      if offset &+ 1 < end {
        let second = bytes[offset &+ 1]
        if second < 0x80 {
          offset &+= 2
          return UInt64(first & 0x7F) | UInt64(second) &<< 7
        }
      }
    }
    return try readLongVarint()
  }

  @usableFromInline
  mutating func readLongVarint() throws(WireError) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end {
      let byte = bytes[offset]
      offset &+= 1
      // The tenth byte holds the last bit and ends the number: other decoders refuse more, so nothing
      // of the kind is passed on.
      if shift == 63, byte > 1 { throw WireError(.varintTooLong, at: start) }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
    }
    throw WireError(.truncated, at: start)
  }

  @inlinable
  public mutating func readFixed64() throws(WireError) -> UInt64 {
    if end &- offset < 8 { throw WireError(.truncated, at: offset) }
    let value = bytes.loadUInt64(at: offset)
    offset &+= 8
    return value
  }

  @inlinable
  public mutating func readFixed32() throws(WireError) -> UInt32 {
    if end &- offset < 4 { throw WireError(.truncated, at: offset) }
    let value = bytes.loadUInt32(at: offset)
    offset &+= 4
    return value
  }

  /// Reads a length and steps over that many bytes, whose range is returned.
  @inlinable
  @inline(__always)
  public mutating func readLengthDelimited() throws(WireError) -> WireRange {
    let start = offset
    let length = try readVarint()
    if length > UInt64(truncatingIfNeeded: end &- offset) { throw WireError(.lengthBeyondEnd, at: start) }
    let range = WireRange(offset, offset &+ Int(truncatingIfNeeded: length))
    offset = range.upperBound
    return range
  }

  /// Reads a length-delimited field as a nested message.
  @inlinable
  @_lifetime(copy self)
  public mutating func readMessage() throws(WireError) -> WireCursor {
    let range = try readLengthDelimited()
    return WireCursor(bytes, in: range)
  }

  /// Steps over the value of a field whose tag has been read.
  @inlinable
  @inline(__always)
  public mutating func skip(_ tag: WireTag) throws(WireError) {
    switch tag.rawValue & 7 {
    case 0: _ = try readVarint()
    case 1:
      if end &- offset < 8 { throw WireError(.truncated, at: offset) }
      offset &+= 8
    case 2: _ = try readLengthDelimited()
    case 5:
      if end &- offset < 4 { throw WireError(.truncated, at: offset) }
      offset &+= 4
    case 3: try skipGroup(tag)
    default: throw WireError(.unbalancedGroup, at: offset)
    }
  }

  /// Steps over fields of one kind that follow each other, as long as they are shorter than 128 bytes.
  ///
  /// - Parameter tag: of a length-delimited field below 16.
  /// - Returns: how many there were.
  @inlinable
  @inline(__always)
  public mutating func skipShort(_ tag: UInt8) -> Int {
    var count = 0
    while end &- offset >= 2, bytes[offset] == tag {
      let length = bytes[offset &+ 1]
      let next = offset &+ 2 &+ Int(length)
      if length >= 0x80 || next > end { break }
      offset = next
      count &+= 1
    }
    return count
  }

  /// Steps over a group and the groups within, to the end tags that close them.
  @usableFromInline
  mutating func skipGroup(_ start: WireTag) throws(WireError) {
    let place = offset
    var open = [start.fieldNumber]
    while let tag = try nextTag() {
      switch tag.type {
      case .startGroup:
        if open.count == Self.maxGroupDepth { throw WireError(.tooDeep, at: offset) }
        open.append(tag.fieldNumber)
      case .endGroup:
        guard open.popLast() == tag.fieldNumber else { throw WireError(.unbalancedGroup, at: offset) }
        if open.isEmpty { return }
      default: try skip(tag)
      }
    }
    throw WireError(.truncated, at: place)
  }
}
