public import WireFormat

/// A span where it stands (OTLP `Span`).
public struct SpanView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  /// 16 bytes.
  @inlinable
  public var traceID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(1) }
  }
  /// 8 bytes.
  @inlinable
  public var spanID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(2) }
  }
  /// The W3C `tracestate` header.
  @inlinable
  public var traceState: BytesView {
    @_lifetime(copy self)
    get { message.bytes(3) }
  }
  /// 8 bytes, or none for a root span.
  @inlinable
  public var parentSpanID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(4) }
  }
  /// W3C trace flags in the low 8 bits, and whether the parent is remote above.
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.fixed32(16))) }
  @inlinable
  public var name: BytesView {
    @_lifetime(copy self)
    get { message.bytes(5) }
  }
  /// `SpanKind`: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
  @inlinable
  public var kind: Int32 { Int32(truncatingIfNeeded: message.number(.varint(6))) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var startTime: UInt64 { message.number(.fixed64(7)) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var endTime: UInt64 { message.number(.fixed64(8)) }
  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 9) }
  }
  @inlinable
  public var droppedAttributesCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(10))) }
  @inlinable
  public var events: RepeatedView<SpanEventView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 11) }
  }
  @inlinable
  public var droppedEventsCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(12))) }
  @inlinable
  public var links: RepeatedView<SpanLinkView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 13) }
  }
  @inlinable
  public var droppedLinksCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(14))) }
  @inlinable
  public var status: StatusView? {
    @_lifetime(copy self)
    get {
      guard let field = message.last(.lengthDelimited(15)) else { return nil }
      return StatusView(WireMessage(message.bytes, field.value))
    }
  }
}

/// An event of a span (OTLP `Span.Event`).
public struct SpanEventView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(1)) }
  @inlinable
  public var name: BytesView {
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

/// A link of a span to another (OTLP `Span.Link`).
public struct SpanLinkView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var traceID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(1) }
  }
  @inlinable
  public var spanID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(2) }
  }
  @inlinable
  public var traceState: BytesView {
    @_lifetime(copy self)
    get { message.bytes(3) }
  }
  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 4) }
  }
  @inlinable
  public var droppedAttributesCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(5))) }
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.fixed32(6))) }
}

/// The status of a span (OTLP `Status`).
public struct StatusView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  /// The message for developers.
  @inlinable
  public var text: BytesView {
    @_lifetime(copy self)
    get { message.bytes(2) }
  }
  /// 0 unset, 1 ok, 2 error.
  @inlinable
  public var code: Int32 { Int32(truncatingIfNeeded: message.number(.varint(3))) }
}
