public import WireFormat

/// A resource and the schema URL beside it (OTLP `Resource` within `ResourceSpans`, `ResourceMetrics`,
/// `ResourceLogs`).
public struct ResourceView: ~Escapable {
  /// The `Resource` message; of several in one place, the last.
  public let message: WireMessage
  /// The positions of its scopes in the batch.
  public let scopes: Range<Int>
  @usableFromInline
  let schemaURLRange: WireRange

  @inlinable
  @_lifetime(copy message)
  init(_ message: WireMessage, schemaURL: WireRange, scopes: Range<Int>) {
    self.message = message
    self.scopes = scopes
    schemaURLRange = schemaURL
  }

  @inlinable
  public var schemaURL: BytesView {
    @_lifetime(copy self)
    get { BytesView(message.bytes.extracting(schemaURLRange.range)) }
  }
  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 1) }
  }
  @inlinable
  public var droppedAttributesCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(2))) }
  @inlinable
  public var entityRefs: RepeatedView<EntityRefView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 3) }
  }
}

/// A reference from a resource to an entity it describes (OTLP `EntityRef`).
public struct EntityRefView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var schemaURL: BytesView {
    @_lifetime(copy self)
    get { message.bytes(1) }
  }
  @inlinable
  public var type: BytesView {
    @_lifetime(copy self)
    get { message.bytes(2) }
  }
  @inlinable
  public var idKeys: RepeatedView<TextView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 3) }
  }
  @inlinable
  public var descriptionKeys: RepeatedView<TextView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 4) }
  }
}

/// An instrumentation scope and the schema URL beside it (OTLP `InstrumentationScope`).
public struct ScopeView: ~Escapable {
  /// The `InstrumentationScope` message; of several in one place, the last.
  public let message: WireMessage
  /// The positions of its spans, metrics or log records in the batch.
  public let items: Range<Int>
  @usableFromInline
  let schemaURLRange: WireRange

  @inlinable
  @_lifetime(copy message)
  init(_ message: WireMessage, schemaURL: WireRange, items: Range<Int>) {
    self.message = message
    self.items = items
    schemaURLRange = schemaURL
  }

  @inlinable
  public var schemaURL: BytesView {
    @_lifetime(copy self)
    get { BytesView(message.bytes.extracting(schemaURLRange.range)) }
  }
  @inlinable
  public var name: BytesView {
    @_lifetime(copy self)
    get { message.bytes(1) }
  }
  @inlinable
  public var version: BytesView {
    @_lifetime(copy self)
    get { message.bytes(2) }
  }
  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 3) }
  }
  @inlinable
  public var droppedAttributesCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(4))) }
}
