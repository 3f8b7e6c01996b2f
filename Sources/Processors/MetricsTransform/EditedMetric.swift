internal import TelemetryData
internal import WireFormat

/// A metric on its way through the transforms: where its parts stand, and what became of them.
///
/// Data points are looked at only when a transform has to do with them.
struct EditedMetric {
  /// The metric of the batch that description, unit and everything but the points come from.
  let source: Int
  /// Whether the metric was in the batch, rather than inserted or combined.
  var isOriginal = true
  var name: String
  let kind: MetricKind?
  let temporality: AggregationTemporality
  let isMonotonic: Bool
  private(set) var isRenamed = false
  /// The data points, once they have been looked at.
  private var loaded: [EditedPoint]?

  init(_ position: Int, in batch: Batch) {
    let metric = batch.metric(at: position)
    source = position
    name = metric.name.string
    kind = metric.kind
    temporality = metric.aggregationTemporality
    isMonotonic = metric.isMonotonic
  }

  var isChanged: Bool { isRenamed || loaded?.contains { $0.isChanged } ?? false || hasOtherPoints }
  /// Whether points were taken out or became one.
  private var hasOtherPoints = false
  private var hadPoints = false

  mutating func rename(_ name: String) {
    if name == self.name { return }
    self.name = name
    isRenamed = true
  }

  /// The data points with their attributes.
  mutating func points(in batch: Batch) -> [EditedPoint] {
    if let loaded { return loaded }
    let points = batch.dataPoints(ofMetric: source).map { EditedPoint($0, in: batch) }
    loaded = points
    return points
  }

  /// Changes each data point.
  mutating func forEachPoint(in batch: Batch, _ body: (inout EditedPoint) -> Void) {
    var points = points(in: batch)
    loaded = nil
    for position in points.indices { body(&points[position]) }
    loaded = points
  }

  /// Puts other data points in the place of all.
  mutating func replacePoints(_ points: [EditedPoint]) {
    if !(loaded ?? []).isEmpty { hadPoints = true }
    loaded = points
    hasOtherPoints = true
  }

  /// Whether it has lost the last of its points.
  var isEmptied: Bool { hadPoints && loaded?.isEmpty ?? false }

  /// Writes the fields of the metric.
  func write(to writer: inout WireWriter, from batch: Batch) {
    let metric = batch.metric(at: source)
    if !name.isEmpty { writer.stringField(1, name) }
    guard let kind, let loaded else {
      writer.copyFields(of: metric.message, except: [1])
      return
    }
    writer.copyFields(of: metric.message, except: [1, 5, 7, 9, 10, 11])
    let mark = writer.beginMessage(kind.rawValue)
    writer.copyFields(of: metric.data, except: [1])
    for point in loaded { writer.message(1) { point.write(to: &$0, kind, from: batch) } }
    writer.endMessage(mark)
  }
}
