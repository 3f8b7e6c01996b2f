public import WireFormat

/// A message in the bytes of a batch, whose fields are found by walking.
///
/// Every property of a view walks the whole message once, about 1 ns per field, because the last occurrence
/// of a field counts. Keep what is needed more than once.
public struct WireMessage: ~Escapable {
  /// The whole batch.
  public let bytes: Span<UInt8>
  /// The message's fields, without its own tag and length.
  public let range: WireRange

  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: Span<UInt8>, _ range: WireRange) {
    self.bytes = bytes
    self.range = range
  }

  /// A cursor over all fields, unknown ones included.
  @inlinable
  public var fields: WireCursor {
    @_lifetime(copy self)
    get { WireCursor(bytes, in: range) }
  }

  /// The last occurrence of a field, or nil.
  @inlinable
  public func last(_ tag: WireTag) -> WireField? {
    var cursor = fields
    var found: WireField?
    while let field = cursor.nextField() {
      if field.tag == tag { found = field }
    }
    return found
  }

  @inlinable
  public func number(_ tag: WireTag) -> UInt64 {
    var cursor = fields
    var found: UInt64 = 0
    while let number = cursor.nextNumber(of: tag) { found = number }
    return found
  }

  @inlinable
  public func optionalDouble(_ number: UInt32) -> Double? {
    var cursor = fields
    var found: Double?
    while let bits = cursor.nextNumber(of: .fixed64(number)) { found = Double(bitPattern: bits) }
    return found
  }

  /// The value of a string or bytes field; empty when absent.
  @inlinable
  @_lifetime(copy self)
  public func bytes(_ number: UInt32) -> BytesView { BytesView(bytes.extracting(payload(number).range)) }

  /// Where the value of a length-delimited field stands; the empty range at 0 when absent.
  @inlinable
  public func payload(_ number: UInt32) -> WireRange {
    let tag = WireTag.lengthDelimited(number)
    var cursor = fields
    var found = WireRange(start: 0, end: 0)
    while let payload = cursor.nextPayload(of: tag) { found = payload }
    return found
  }

  /// A nested message, or an empty one when absent.
  @inlinable
  @_lifetime(copy self)
  public func message(_ number: UInt32) -> WireMessage { WireMessage(bytes, payload(number)) }

  @inlinable
  @_lifetime(copy self)
  public func repeated<Element: MessageView & ~Escapable>(
    _ number: UInt32, _: Element.Type
  ) -> RepeatedView<Element> {
    RepeatedView(self, number)
  }
}

/// A view of one message type.
public protocol MessageView: ~Escapable {
  @_lifetime(copy message)
  init(_ message: WireMessage)
}

/// The occurrences of a repeated message field.
public struct RepeatedView<Element: MessageView & ~Escapable>: ~Escapable {
  public let message: WireMessage
  public let fieldNumber: UInt32

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage, _ fieldNumber: UInt32) {
    self.message = message
    self.fieldNumber = fieldNumber
  }

  /// Walks once; keep the result.
  @inlinable
  public var count: Int {
    var cursor = message.fields
    var count = 0
    while cursor.nextPayload(of: .lengthDelimited(fieldNumber)) != nil { count &+= 1 }
    return count
  }

  @inlinable
  public var isEmpty: Bool {
    var iterator = makeIterator()
    return iterator.cursor.nextPayload(of: iterator.tag) == nil
  }

  @inlinable
  @_lifetime(copy self)
  public func makeIterator() -> Iterator { Iterator(message, fieldNumber) }

  @inlinable
  public func forEach<E: Error>(_ body: (Element) throws(E) -> Void) throws(E) {
    var iterator = makeIterator()
    while let element = iterator.next() { try body(element) }
  }

  /// `while let element = iterator.next()` where a closure is in the way.
  public struct Iterator: ~Escapable {
    @usableFromInline
    var cursor: WireCursor
    @usableFromInline
    let tag: WireTag

    @inlinable
    @_lifetime(copy message)
    init(_ message: WireMessage, _ fieldNumber: UInt32) {
      cursor = message.fields
      tag = .lengthDelimited(fieldNumber)
    }

    @inlinable
    @_lifetime(copy self)
    public mutating func next() -> Element? {
      guard let range = cursor.nextPayload(of: tag) else { return nil }
      return Element(WireMessage(cursor.bytes, range))
    }
  }
}
