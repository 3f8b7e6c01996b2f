public import WireFormat

/// The five kinds of metric, by the field number of their data in `Metric`.
public enum MetricKind: UInt32, Sendable, Hashable, CaseIterable {
  case gauge = 5
  case sum = 7
  case histogram = 9
  case exponentialHistogram = 10
  case summary = 11
}

/// Where the data of a metric stands.
///
/// `Metric.data` is a oneof: of several, the last counts.
@usableFromInline
struct MetricData {
  @usableFromInline
  var kind: MetricKind
  /// The offset of its tag.
  @usableFromInline
  var fieldStart: UInt32
  /// The `Gauge`, `Sum`, … without tag and length.
  @usableFromInline
  var payload: WireRange

  @usableFromInline
  init(kind: MetricKind, fieldStart: UInt32, payload: WireRange) {
    self.kind = kind
    self.fieldStart = fieldStart
    self.payload = payload
  }

  /// Finds the data of a metric, or nil when there is none.
  @usableFromInline
  static func find(in metric: borrowing WireCursor) throws(WireError) -> MetricData? {
    var cursor = copy metric
    var found: MetricData?
    while !cursor.isAtEnd {
      let start = cursor.offset
      let tag = try cursor.readTag()
      guard let kind = MetricKind(rawValue: tag.fieldNumber) else {
        try cursor.skip(tag)
        continue
      }
      try tag.expect(.lengthDelimited, at: start)
      let payload = try cursor.readLengthDelimited()
      found = MetricData(kind: kind, fieldStart: UInt32(truncatingIfNeeded: start), payload: payload)
    }
    return found
  }
}
