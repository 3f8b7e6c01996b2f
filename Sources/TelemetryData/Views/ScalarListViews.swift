public import WireFormat

/// A repeated field of fixed64 numbers, packed or not.
public struct Fixed64ListView: ~Escapable {
  public let message: WireMessage
  public let fieldNumber: UInt32

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage, _ fieldNumber: UInt32) {
    self.message = message
    self.fieldNumber = fieldNumber
  }

  @inlinable
  public var count: Int {
    var count = 0
    forEach { _ in count &+= 1 }
    return count
  }

  @inlinable
  public func forEach<E: Error>(_ body: (UInt64) throws(E) -> Void) throws(E) {
    var cursor = message.fields
    while let field = cursor.nextField() {
      if field.tag == .lengthDelimited(fieldNumber) {
        var offset = field.value.lowerBound
        while offset &+ 8 <= field.value.upperBound {
          try body(message.bytes.loadUInt64(at: offset))
          offset &+= 8
        }
      } else if field.tag == .fixed64(fieldNumber) {
        try body(field.number)
      }
    }
  }

  /// A copy of the numbers.
  public var array: [UInt64] {
    var values: [UInt64] = []
    forEach { values.append($0) }
    return values
  }
}

/// A repeated field of doubles, packed or not.
public struct DoubleListView: ~Escapable {
  @usableFromInline
  let list: Fixed64ListView

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage, _ fieldNumber: UInt32) { list = Fixed64ListView(message, fieldNumber) }

  @inlinable
  public var count: Int { list.count }

  @inlinable
  public func forEach<E: Error>(_ body: (Double) throws(E) -> Void) throws(E) {
    try list.forEach { (bits) throws(E) in try body(Double(bitPattern: bits)) }
  }

  /// A copy of the numbers.
  public var array: [Double] {
    var values: [Double] = []
    forEach { values.append($0) }
    return values
  }
}

/// A repeated field of varints, packed or not.
public struct VarintListView: ~Escapable {
  public let message: WireMessage
  public let fieldNumber: UInt32

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage, _ fieldNumber: UInt32) {
    self.message = message
    self.fieldNumber = fieldNumber
  }

  @inlinable
  public var count: Int {
    var count = 0
    forEach { _ in count &+= 1 }
    return count
  }

  @inlinable
  public func forEach<E: Error>(_ body: (UInt64) throws(E) -> Void) throws(E) {
    var cursor = message.fields
    while let field = cursor.nextField() {
      if field.tag == .lengthDelimited(fieldNumber) {
        var packed = WireCursor(message.bytes, in: field.value)
        while let value = packed.nextVarint() { try body(value) }
      } else if field.tag == .varint(fieldNumber) {
        try body(field.number)
      }
    }
  }

  /// A copy of the numbers.
  public var array: [UInt64] {
    var values: [UInt64] = []
    forEach { values.append($0) }
    return values
  }
}

/// One string of a repeated string field.
public struct TextView: MessageView, ~Escapable {
  @usableFromInline
  let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var bytes: BytesView {
    @_lifetime(copy self)
    get { BytesView(message.bytes.extracting(message.range.range)) }
  }

  public var string: String { bytes.string }
}
