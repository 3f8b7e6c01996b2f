public import WireFormat

/// A message of a batch that can be edited.
public enum EditTarget: Sendable, Hashable {
  /// The resource at a position of the index.
  case resource(Int)
  /// The instrumentation scope at a position of the index.
  case scope(Int)
  /// The span, metric or log record at a position of the index.
  case item(Int)
  /// A data point, as ``Batch/dataPoints(ofMetric:)`` found it.
  case dataPoint(DataPointPlace)
}

/// Where a data point stands.
public struct DataPointPlace: Sendable, Hashable {
  /// The position of its metric in the index.
  public let metric: Int
  /// Its position among the data points of the whole batch.
  public let position: Int
  /// Which kind of metric it belongs to.
  public let kind: MetricKind
  /// Its bytes without tag and length.
  public let payload: WireRange
  let fieldStart: UInt32
  let dataFieldStart: UInt32
  let data: WireRange
}

extension MetricKind {
  /// The number of the field `attributes` in the metric's data points.
  @inlinable
  public var attributesField: UInt32 {
    switch self {
    case .gauge, .sum, .summary: 7
    case .histogram: 9
    case .exponentialHistogram: 1
    }
  }
}

extension Batch {
  /// The data points of a metric, in order.
  public func dataPoints(ofMetric metric: Int) -> [DataPointPlace] {
    guard signal == .metrics, let data = metricData(metric) else { return [] }
    var places: [DataPointPlace] = []
    let first = index.points(ofMetric: metric).lowerBound
    var cursor = WireCursor(bytes.span, in: data.payload)
    while let field = cursor.nextField() {
      guard field.tag == .lengthDelimited(1) else { continue }
      places.append(
        DataPointPlace(
          metric: metric, position: first + places.count, kind: data.kind, payload: field.value,
          fieldStart: field.range.start, dataFieldStart: data.fieldStart, data: data.payload))
    }
    return places
  }

  /// The number of the attributes field in a target, or nil for a metric, which has none.
  func attributesField(of target: EditTarget) -> UInt32? {
    switch target {
    case .resource: 1
    case .scope: 3
    case .item:
      switch signal {
      case .traces: 9
      case .logs: 6
      case .metrics: nil
      }
    case .dataPoint(let place): place.kind.attributesField
    }
  }
}
