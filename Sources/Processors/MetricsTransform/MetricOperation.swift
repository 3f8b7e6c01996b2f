internal import PipelineKit
internal import TelemetryData

/// One of the operations of a transform, compiled.
enum MetricOperation: Sendable {
  case addLabel(String, value: String)
  case updateLabel(String, newLabel: String, values: [String: String])
  case deleteLabelValue(String, value: String)
  case toggleScalarDataType
  case scaleValue(Double)
  case aggregateLabels(Set<String>, AggregationType)
  case aggregateLabelValues(String, values: Set<String>, newValue: String, AggregationType)

  init?(_ config: MetricOperationConfig) {
    func versioned(_ text: String) -> String {
      text.split(separator: "{{version}}", omittingEmptySubsequences: false)
        .joined(separator: Product.version)
    }
    let type = config.aggregationType ?? .sum
    switch config.action {
    case .addLabel: self = .addLabel(config.newLabel, value: versioned(config.newValue))
    case .updateLabel:
      let values = config.valueActions.map { ($0.value, versioned($0.newValue)) }
      self = .updateLabel(
        config.label, newLabel: config.newLabel, values: Dictionary(values) { $1 })
    case .deleteLabelValue: self = .deleteLabelValue(config.label, value: config.labelValue)
    case .toggleScalarDataType: self = .toggleScalarDataType
    case .scaleValue: self = .scaleValue(config.scale)
    case .aggregateLabels: self = .aggregateLabels(Set(config.labelSet), type)
    case .aggregateLabelValues:
      self = .aggregateLabelValues(
        config.label, values: Set(config.aggregatedValues), newValue: versioned(config.newValue), type)
    case nil: return nil
    }
  }

  /// Whether it needs all data points of a metric to be meant; the others change only those that are.
  private var changesWholeMetric: Bool {
    switch self {
    case .addLabel, .deleteLabelValue, .aggregateLabels, .aggregateLabelValues: true
    case .updateLabel, .toggleScalarDataType, .scaleValue: false
    }
  }

  /// Carries it out.
  ///
  /// - Parameter isWhole: whether the filter means all of the metric's data points.
  func apply(to metric: inout EditedMetric, _ filter: MetricFilter, isWhole: Bool, in batch: Batch) {
    guard let kind = metric.kind, isWhole || !changesWholeMetric else { return }
    switch self {
    case .addLabel(let key, let value):
      metric.forEachPoint(in: batch) { if $0.text(key) == nil { $0.put(key, .string(value)) } }
    case .updateLabel(let key, let newLabel, let values):
      metric.forEachPoint(in: batch) { point in
        guard filter.matches(point.attributes), let text = point.text(key) else { return }
        if !newLabel.isEmpty { point.rename(key, to: newLabel) }
        if let value = values[text] { point.put(newLabel.isEmpty ? key : newLabel, .string(value)) }
      }
    case .deleteLabelValue(let key, let value):
      let points = metric.points(in: batch)
      let left = points.filter { $0.text(key) != value }
      if left.count < points.count { metric.replacePoints(left) }
    case .toggleScalarDataType:
      metric.forEachPoint(in: batch) { point in
        guard filter.matches(point.attributes), let value = point.number else { return }
        switch value {
        case .int: point.setNumber(.double(value.double))
        case .double: point.setNumber(.int(value.integer))
        }
      }
    case .scaleValue(let factor): Self.scale(&metric, kind, by: factor, filter, in: batch)
    case .aggregateLabels(let labels, let type):
      metric.forEachPoint(in: batch) { point in
        let left = point.attributes.entries.filter { labels.contains($0.key) }
        if left.count < point.attributes.entries.count { point.setAttributes(Attributes(left)) }
      }
      Self.aggregate(&metric, kind, type, in: batch)
    case .aggregateLabelValues(let key, let values, let newValue, let type):
      metric.forEachPoint(in: batch) { point in
        if let text = point.text(key), values.contains(text) { point.put(key, .string(newValue)) }
      }
      Self.aggregate(&metric, kind, type, in: batch)
    }
  }

  private static func aggregate(
    _ metric: inout EditedMetric, _ kind: MetricKind, _ type: AggregationType, in batch: Batch
  ) {
    let points = metric.points(in: batch)
    let left = PointAggregation(type: type, batch: batch).aggregate(points, kind, metric.temporality)
    metric.replacePoints(left)
  }

  /// Multiplies the values of gauges and sums, and what a histogram tells in the unit of its values. Exponential
  /// histograms and summaries stay as they are.
  private static func scale(
    _ metric: inout EditedMetric, _ kind: MetricKind, by factor: Double, _ filter: MetricFilter,
    in batch: Batch
  ) {
    switch kind {
    case .gauge, .sum:
      metric.forEachPoint(in: batch) { point in
        guard filter.matches(point.attributes), let value = point.number else { return }
        point.setNumber(value.scaled(by: factor))
      }
    case .histogram:
      metric.forEachPoint(in: batch) { point in
        guard filter.matches(point.attributes) else { return }
        var (counts, bounds) = point.explicit(in: batch)
        counts.sum = counts.sum.map { $0 * factor }
        counts.min = counts.min.map { $0 * factor }
        counts.max = counts.max.map { $0 * factor }
        bounds = bounds.map { $0 * factor }
        point.setExplicit(counts, bounds: bounds)
        point.scaleExemplars(factor)
      }
    case .exponentialHistogram, .summary: break
    }
  }
}
