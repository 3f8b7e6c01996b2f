public import WireFormat

/// A metric where it stands (OTLP `Metric`), together with its data (`Gauge`, `Sum`, …).
///
/// Making one finds the data. Lists of data points of another kind than the metric has are empty.
public struct MetricView: MessageView, ~Escapable {
  public let message: WireMessage
  /// Which kind of data the metric has, or nil for none.
  public let kind: MetricKind?
  @usableFromInline
  let dataRange: WireRange

  @inlinable
  @_lifetime(copy message)
  public init(_ message: WireMessage) {
    self.message = message
    var kind: MetricKind?
    var range = WireRange(start: 0, end: 0)
    var cursor = message.fields
    while let field = cursor.nextField() {
      if field.tag.type == .lengthDelimited, let found = MetricKind(rawValue: field.fieldNumber) {
        kind = found
        range = field.value
      }
    }
    self.kind = kind
    dataRange = range
  }

  @inlinable
  public var name: BytesView {
    @_lifetime(copy self)
    get { message.bytes(1) }
  }
  @inlinable
  public var description: BytesView {
    @_lifetime(copy self)
    get { message.bytes(2) }
  }
  @inlinable
  public var unit: BytesView {
    @_lifetime(copy self)
    get { message.bytes(3) }
  }
  @inlinable
  public var metadata: AttributesView {
    @_lifetime(copy self)
    get { RepeatedView(message, 12) }
  }

  /// The message in the oneof `data`; empty when there is none.
  @inlinable
  public var data: WireMessage {
    @_lifetime(copy self)
    get { WireMessage(message.bytes, dataRange) }
  }

  /// How data points follow each other; unspecified for gauges and summaries.
  @inlinable
  public var aggregationTemporality: AggregationTemporality {
    switch kind {
    case .sum, .histogram, .exponentialHistogram:
      AggregationTemporality(rawValue: Int32(truncatingIfNeeded: data.number(.varint(2)))) ?? .unspecified
    default: .unspecified
    }
  }

  /// Whether a sum only grows.
  @inlinable
  public var isMonotonic: Bool { kind == .sum && data.number(.varint(3)) != 0 }

  /// The number of data points of any kind.
  @inlinable
  public var dataPointCount: Int { kind == nil ? 0 : RepeatedView<TextView>(data, 1).count }

  /// The data points of a gauge or sum.
  @inlinable
  public var numberDataPoints: RepeatedView<NumberDataPointView> {
    @_lifetime(copy self)
    get { RepeatedView(points(kind == .gauge || kind == .sum), 1) }
  }
  @inlinable
  public var histogramDataPoints: RepeatedView<HistogramDataPointView> {
    @_lifetime(copy self)
    get { RepeatedView(points(kind == .histogram), 1) }
  }
  @inlinable
  public var exponentialHistogramDataPoints: RepeatedView<ExponentialHistogramDataPointView> {
    @_lifetime(copy self)
    get { RepeatedView(points(kind == .exponentialHistogram), 1) }
  }
  @inlinable
  public var summaryDataPoints: RepeatedView<SummaryDataPointView> {
    @_lifetime(copy self)
    get { RepeatedView(points(kind == .summary), 1) }
  }

  @inlinable
  @_lifetime(copy self)
  func points(_ isKind: Bool) -> WireMessage {
    WireMessage(message.bytes, isKind ? dataRange : WireRange(start: 0, end: 0))
  }
}
