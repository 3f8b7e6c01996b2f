public import WireFormat

/// A string or bytes field, read where it stands.
///
/// Compare and hash bytes on hot paths; ``string`` allocates.
public struct BytesView: ~Escapable {
  public let span: Span<UInt8>

  @inlinable
  @_lifetime(copy span)
  public init(_ span: Span<UInt8>) { self.span = span }

  @inlinable
  public var count: Int { span.count }

  /// Whether the field is absent or has no bytes: proto3 does not tell them apart.
  @inlinable
  public var isEmpty: Bool { span.isEmpty }

  /// The bytes as text; malformed UTF-8, which a checked batch has not, is replaced by U+FFFD.
  public var string: String { span.makeString() }

  /// A copy of the bytes.
  public var array: [UInt8] { span.makeArray() }

  /// Appends the bytes to an array.
  package func append(to bytes: inout [UInt8]) { span.append(to: &bytes) }

  /// The bytes as lower-case hexadecimal digits, as ids are shown.
  public var hex: String {
    var digits: [UInt8] = []
    digits.reserveCapacity(span.count * 2)
    for index in span.indices {
      digits.append(Self.digit(span[index] >> 4))
      digits.append(Self.digit(span[index] & 0x0F))
    }
    return String(decoding: digits, as: UTF8.self)
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

  @inlinable
  public func equals(_ other: Span<UInt8>) -> Bool { span.hasSameBytes(as: other) }

  @inlinable
  public static func == (view: borrowing BytesView, other: [UInt8]) -> Bool { view.equals(other.span) }

  @inlinable
  public static func == (view: borrowing BytesView, other: String) -> Bool { view.equals(other.utf8.span) }

  @inlinable
  public static func == (view: borrowing BytesView, other: borrowing BytesView) -> Bool {
    view.equals(other.span)
  }

  /// A hash that is equal for equal bytes in this process: for grouping, not for keeping.
  @inlinable
  public var hash: UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: span.count)
    var position = 0
    while position &+ 8 <= span.count {
      hash = Self.mix(hash ^ span.loadUInt64(at: position))
      position &+= 8
    }
    while position < span.count {
      hash = Self.mix(hash ^ UInt64(span[position]))
      position &+= 1
    }
    return hash
  }

  @inlinable
  static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }
}
