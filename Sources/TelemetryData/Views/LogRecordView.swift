public import WireFormat

/// A log record where it stands (OTLP `LogRecord`).
public struct LogRecordView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(1)) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var observedTime: UInt64 { message.number(.fixed64(11)) }
  /// 1 to 24, or 0 for unspecified.
  @inlinable
  public var severityNumber: Int32 { Int32(truncatingIfNeeded: message.number(.varint(2))) }
  @inlinable
  public var severityText: BytesView {
    @_lifetime(copy self)
    get { message.bytes(3) }
  }
  @inlinable
  public var body: AnyValueView? {
    @_lifetime(copy self)
    get {
      guard let field = message.last(.lengthDelimited(5)) else { return nil }
      return AnyValueView(WireMessage(message.bytes, field.value))
    }
  }
  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 6) }
  }
  @inlinable
  public var droppedAttributesCount: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(7))) }
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.fixed32(8))) }
  /// 16 bytes, or none.
  @inlinable
  public var traceID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(9) }
  }
  /// 8 bytes, or none.
  @inlinable
  public var spanID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(10) }
  }
  @inlinable
  public var eventName: BytesView {
    @_lifetime(copy self)
    get { message.bytes(12) }
  }
}
