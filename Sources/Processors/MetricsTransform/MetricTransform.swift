internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData

/// One of the transforms, compiled.
struct MetricTransform: Sendable {
  private let filter: MetricFilter
  private let action: MetricTransformAction
  private let newName: PatternTemplate?
  private let aggregation: AggregationType
  private let submatchCase: SubmatchCase?
  private let operations: [MetricOperation]
  /// The attributes of the resource that `group` makes.
  let resourceLabels: [Attribute]

  init(_ config: MetricTransformConfig) throws(PatternError) {
    filter = try MetricFilter(config)
    action = config.action ?? .update
    newName = config.newName.isEmpty ? nil : PatternTemplate(config.newName)
    aggregation = config.aggregationType ?? .sum
    submatchCase = config.submatchCase
    operations = config.operations.compactMap { MetricOperation($0) }
    resourceLabels = config.groupResourceLabels.entries.map { Attribute($0.key, .string($0.value)) }
  }

  /// Whether a metric of this name can be meant.
  func concerns(name: Span<UInt8>) -> Bool { filter.matches(name: name) }

  /// Carries it out on the metrics of a scope.
  ///
  /// - Returns: The metrics that `group` takes out; nil for other actions.
  func apply(
    to metrics: inout [EditedMetric], in batch: Batch, refused: (CombinationProblem) -> Void
  ) -> [EditedMetric]? {
    switch action {
    case .update:
      for position in metrics.indices.reversed() where meansAny(&metrics[position], in: batch) {
        change(&metrics[position], in: batch)
        if metrics[position].isEmptied { metrics.remove(at: position) }
      }
    case .insert:
      for position in metrics.indices {
        guard var copy = extracted(&metrics[position], in: batch) else { continue }
        copy.isOriginal = false
        change(&copy, in: batch)
        if !copy.isEmptied { metrics.append(copy) }
      }
    case .combine: combine(&metrics, in: batch, refused: refused)
    case .group: return takeOut(&metrics, in: batch)
    }
    return nil
  }

  // Which metrics.

  /// Whether the name matches and any of the data points, or there are none.
  private func meansAny(_ metric: inout EditedMetric, in batch: Batch) -> Bool {
    if !filter.matches(name: metric.name.utf8.span) { return false }
    if !filter.readsLabels { return true }
    let points = metric.points(in: batch)
    return points.isEmpty || points.contains { filter.matches($0.attributes) }
  }

  private func meansAll(_ metric: inout EditedMetric, in batch: Batch) -> Bool {
    !filter.readsLabels || metric.points(in: batch).allSatisfy { filter.matches($0.attributes) }
  }

  /// A copy of a metric with the data points that are meant; nil when none is.
  private func extracted(_ metric: inout EditedMetric, in batch: Batch) -> EditedMetric? {
    guard meansAny(&metric, in: batch) else { return nil }
    var copy = metric
    if !meansAll(&metric, in: batch) {
      copy.replacePoints(metric.points(in: batch).filter { filter.matches($0.attributes) })
    }
    return copy
  }

  /// Takes out every metric that is meant; data points of theirs that are not meant go with them.
  private func takeOut(_ metrics: inout [EditedMetric], in batch: Batch) -> [EditedMetric] {
    var taken: [EditedMetric] = []
    var left: [EditedMetric] = []
    for metric in metrics {
      var metric = metric
      if let extracted = extracted(&metric, in: batch) {
        taken.append(extracted)
      } else {
        left.append(metric)
      }
    }
    metrics = left
    return taken
  }

  // What is done.

  /// Renames a metric and carries the operations out.
  private func change(_ metric: inout EditedMetric, in batch: Batch) {
    let isWhole = action != .update || meansAll(&metric, in: batch)
    if let newName, isWhole { metric.rename(expanded(newName, metric.name)) }
    for operation in operations { operation.apply(to: &metric, filter, isWhole: isWhole, in: batch) }
  }

  /// The new name with the groups of the expression in it; as it is written where that would be nothing.
  private func expanded(_ template: PatternTemplate, _ name: String) -> String {
    guard let pattern = filter.pattern, let captures = pattern.captures(in: name) else {
      return template.text
    }
    let expanded = template.expanded(captures, names: pattern.groupNames, in: name)
    return expanded.isEmpty ? template.text : expanded
  }

  // Combining.

  /// Why metrics cannot be one.
  struct CombinationProblem {
    let reason: String
    let first: String
    let second: String
  }

  private func combine(
    _ metrics: inout [EditedMetric], in batch: Batch, refused: (CombinationProblem) -> Void
  ) {
    var rest = metrics
    var taken = takeOut(&rest, in: batch)
    guard let first = taken.first, let kind = first.kind else { return }
    if let problem = Self.problem(combining: &taken, in: batch) {
      refused(problem)
      return
    }
    var points: [EditedPoint] = []
    for position in taken.indices {
      let labels = submatches(of: taken[position].name)
      for var point in taken[position].points(in: batch) {
        for label in labels { point.put(label.key, label.value) }
        points.append(point)
      }
    }
    var combined = first
    combined.isOriginal = false
    combined.rename(newName?.text ?? first.name)
    combined.replacePoints(
      PointAggregation(type: aggregation, batch: batch).aggregate(points, kind, first.temporality))
    change(&combined, in: batch)
    metrics = rest
    if !combined.isEmptied || points.isEmpty { metrics.append(combined) }
  }

  /// The attributes that the groups of the expression give; those without a name are called `$1`, `$2`, …
  private func submatches(of name: String) -> [Attribute] {
    guard let pattern = filter.pattern, let captures = pattern.captures(in: name) else { return [] }
    let bytes = Array(name.utf8)
    var labels: [Attribute] = []
    for group in captures.indices.dropFirst() {
      guard let range = captures[group], !range.isEmpty else { continue }
      let text = String(decoding: bytes[range], as: UTF8.self)
      let groupName = pattern.groupNames.indices.contains(group) ? pattern.groupNames[group] : ""
      let value =
        switch submatchCase {
        case .lower: text.lowercased()
        case .upper: text.uppercased()
        case nil: text
        }
      labels.append(Attribute(groupName.isEmpty ? "$\(group)" : groupName, .string(value)))
    }
    return labels
  }

  /// Metrics that become one must agree in all but their names.
  private static func problem(
    combining metrics: inout [EditedMetric], in batch: Batch
  ) -> CombinationProblem? {
    guard metrics.count > 1 else { return nil }
    let first = metrics[0]
    let unit = batch.metric(at: first.source).unit.string
    var firstKeys: Set<String>?
    for position in metrics.indices {
      let metric = metrics[position]
      func problem(_ reason: String) -> CombinationProblem {
        CombinationProblem(reason: reason, first: first.name, second: metric.name)
      }
      if metric.kind == .summary { return problem("summaries cannot be combined") }
      if metric.kind != first.kind { return problem("they are of different types") }
      let otherUnit = batch.metric(at: metric.source).unit.string
      if otherUnit != unit { return problem("their units differ") }
      if metric.temporality != first.temporality { return problem("their temporality differs") }
      if metric.isMonotonic != first.isMonotonic { return problem("only one of them is monotonic") }
      let keys = Set(metrics[position].points(in: batch).flatMap { $0.attributes.entries.map(\.key) })
      if let firstKeys, keys != firstKeys { return problem("their attributes differ") }
      firstKeys = keys
    }
    return nil
  }
}
