public import WireFormat

/// A data point of a gauge or sum (OTLP `NumberDataPoint`).
public struct NumberDataPointView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 7) }
  }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var startTime: UInt64 { message.number(.fixed64(2)) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(3)) }
  @inlinable
  public var value: NumberValue? { message.numberValue(double: 4, int: 6) }
  @inlinable
  public var exemplars: RepeatedView<ExemplarView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 5) }
  }
  /// Bit 0: no recorded value.
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(8))) }
}

/// A data point of a histogram (OTLP `HistogramDataPoint`).
public struct HistogramDataPointView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 9) }
  }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var startTime: UInt64 { message.number(.fixed64(2)) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(3)) }
  @inlinable
  public var count: UInt64 { message.number(.fixed64(4)) }
  @inlinable
  public var sum: Double? { message.optionalDouble(5) }
  /// One more than there are bounds, or none.
  @inlinable
  public var bucketCounts: Fixed64ListView {
    @_lifetime(copy self)
    get { Fixed64ListView(message, 6) }
  }
  @inlinable
  public var explicitBounds: DoubleListView {
    @_lifetime(copy self)
    get { DoubleListView(message, 7) }
  }
  @inlinable
  public var exemplars: RepeatedView<ExemplarView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 8) }
  }
  /// Bit 0: no recorded value.
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(10))) }
  @inlinable
  public var min: Double? { message.optionalDouble(11) }
  @inlinable
  public var max: Double? { message.optionalDouble(12) }
}

/// A data point of an exponential histogram (OTLP `ExponentialHistogramDataPoint`).
public struct ExponentialHistogramDataPointView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 1) }
  }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var startTime: UInt64 { message.number(.fixed64(2)) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(3)) }
  @inlinable
  public var count: UInt64 { message.number(.fixed64(4)) }
  @inlinable
  public var sum: Double? { message.optionalDouble(5) }
  @inlinable
  public var scale: Int32 { Int32(truncatingIfNeeded: ZigZag.decode(message.number(.varint(6)))) }
  @inlinable
  public var zeroCount: UInt64 { message.number(.fixed64(7)) }
  @inlinable
  public var positive: BucketsView? {
    @_lifetime(copy self)
    get {
      guard let field = message.last(.lengthDelimited(8)) else { return nil }
      return BucketsView(WireMessage(message.bytes, field.value))
    }
  }
  @inlinable
  public var negative: BucketsView? {
    @_lifetime(copy self)
    get {
      guard let field = message.last(.lengthDelimited(9)) else { return nil }
      return BucketsView(WireMessage(message.bytes, field.value))
    }
  }
  /// Bit 0: no recorded value.
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(10))) }
  @inlinable
  public var exemplars: RepeatedView<ExemplarView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 11) }
  }
  @inlinable
  public var min: Double? { message.optionalDouble(12) }
  @inlinable
  public var max: Double? { message.optionalDouble(13) }
  @inlinable
  public var zeroThreshold: Double { Double(bitPattern: message.number(.fixed64(14))) }
}

/// The positive or negative buckets of an exponential histogram.
public struct BucketsView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var offset: Int32 { Int32(truncatingIfNeeded: ZigZag.decode(message.number(.varint(1)))) }
  @inlinable
  public var bucketCounts: VarintListView {
    @_lifetime(copy self)
    get { VarintListView(message, 2) }
  }
}

/// A data point of a summary (OTLP `SummaryDataPoint`).
public struct SummaryDataPointView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var attributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 7) }
  }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var startTime: UInt64 { message.number(.fixed64(2)) }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(3)) }
  @inlinable
  public var count: UInt64 { message.number(.fixed64(4)) }
  @inlinable
  public var sum: Double { Double(bitPattern: message.number(.fixed64(5))) }
  @inlinable
  public var quantileValues: RepeatedView<QuantileView> {
    @_lifetime(copy self)
    get { RepeatedView(message, 6) }
  }
  /// Bit 0: no recorded value.
  @inlinable
  public var flags: UInt32 { UInt32(truncatingIfNeeded: message.number(.varint(8))) }
}

/// A quantile of a summary and the value there (OTLP `ValueAtQuantile`).
public struct QuantileView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  /// From 0 to 1.
  @inlinable
  public var quantile: Double { Double(bitPattern: message.number(.fixed64(1))) }
  @inlinable
  public var value: Double { Double(bitPattern: message.number(.fixed64(2))) }
}

/// A measurement that stands for others (OTLP `Exemplar`).
public struct ExemplarView: MessageView, ~Escapable {
  public let message: WireMessage

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) { self.message = message }

  @inlinable
  public var filteredAttributes: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 7) }
  }
  /// Nanoseconds since the Unix epoch.
  @inlinable
  public var time: UInt64 { message.number(.fixed64(2)) }
  @inlinable
  public var value: NumberValue? { message.numberValue(double: 3, int: 6) }
  @inlinable
  public var spanID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(4) }
  }
  @inlinable
  public var traceID: BytesView {
    @_lifetime(copy self)
    get { message.bytes(5) }
  }
}

extension WireMessage {
  /// A oneof of a double and an sfixed64 field; of several, the last.
  @inlinable
  func numberValue(double: UInt32, int: UInt32) -> NumberValue? {
    var cursor = fields
    var found: NumberValue?
    while let field = cursor.nextField() {
      if field.tag == .fixed64(double) {
        found = .double(Double(bitPattern: field.number))
      } else if field.tag == .fixed64(int) {
        found = .int(Int64(bitPattern: field.number))
      }
    }
    return found
  }
}
