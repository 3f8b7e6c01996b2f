internal import TelemetryData
internal import WireFormat

extension WireWriter {
  /// Writes a metric whose data points a closure writes anew, in another temporality.
  ///
  /// Whatever else the metric says is copied.
  /// - Parameter point: writes one data point, given where it stands; nothing when it is to go.
  mutating func writeMetric(
    _ metric: MetricView, _ temporality: AggregationTemporality,
    point: (_ payload: WireRange, _ writer: inout WireWriter) -> Bool
  ) -> ItemRewrite {
    guard let kind = metric.kind else { return .kept }
    copyFields(of: metric.message, except: [5, 7, 9, 10, 11])
    let mark = beginMessage(kind.rawValue)
    var (points, left) = (0, 0)
    let data = metric.data
    var cursor = data.fields
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(1):
        points += 1
        let start = beginMessage(1)
        if point(field.value, &self) {
          left += 1
          endMessage(start)
        } else {
          cancelMessage(start, 1)
        }
      case .varint(2): continue
      default: write(data.bytes, in: field.range)
      }
    }
    varintField(2, UInt64(temporality.rawValue))
    endMessage(mark)
    return points > 0 && left == 0 ? .removed : .written
  }
}

/// The flag of a data point that says that it has no value.
enum DataPointFlags {
  static func hasNoValue(_ flags: UInt32) -> Bool { flags & 1 != 0 }
}
