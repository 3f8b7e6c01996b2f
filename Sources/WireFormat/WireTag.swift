/// How the bytes after a tag are laid out (protobuf encoding, "Message Structure").
public enum WireType: UInt8, Hashable, Sendable {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5
}

/// The number and wire type that stand before every field.
public struct WireTag: Hashable, Sendable {
  /// `fieldNumber << 3 | wireType`, as encoded.
  public var rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  @inlinable
  public init(_ fieldNumber: UInt32, _ type: WireType) {
    rawValue = fieldNumber << 3 | UInt32(type.rawValue)
  }

  @inlinable
  public var fieldNumber: UInt32 { rawValue >> 3 }

  /// The wire type; a tag that a cursor returned always has a known one.
  @inlinable
  public var type: WireType { WireType(rawValue: UInt8(truncatingIfNeeded: rawValue & 7)) ?? .endGroup }

  @inlinable
  public static func varint(_ fieldNumber: UInt32) -> WireTag { WireTag(fieldNumber, .varint) }
  @inlinable
  public static func fixed64(_ fieldNumber: UInt32) -> WireTag { WireTag(fieldNumber, .fixed64) }
  @inlinable
  public static func fixed32(_ fieldNumber: UInt32) -> WireTag { WireTag(fieldNumber, .fixed32) }
  @inlinable
  public static func lengthDelimited(_ fieldNumber: UInt32) -> WireTag {
    WireTag(fieldNumber, .lengthDelimited)
  }
}

/// A half-open range of byte offsets in a buffer of less than 4 GiB.
///
/// Half the size of `Range<Int>`, because indexes keep many of them.
public struct WireRange: Hashable, Sendable {
  public var start: UInt32
  public var end: UInt32

  @inlinable
  public init(start: UInt32, end: UInt32) {
    self.start = start
    self.end = end
  }

  @inlinable
  public init(_ start: Int, _ end: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.end = UInt32(truncatingIfNeeded: end)
  }

  @inlinable
  public var lowerBound: Int { Int(start) }
  @inlinable
  public var upperBound: Int { Int(end) }
  @inlinable
  public var count: Int { Int(end) - Int(start) }
  @inlinable
  public var isEmpty: Bool { start == end }
  @inlinable
  public var range: Range<Int> { start < end ? Int(start)..<Int(end) : Int(start)..<Int(start) }
}
