internal import TelemetryData

/// Makes one data point of all that have the same attributes and the same time.
struct PointAggregation {
  let type: AggregationType
  let batch: Batch

  /// What data points must have in common to become one.
  private struct Key: Hashable {
    let attributes: [Attribute]
    let time: UInt64
    /// For deltas: what began at different times is about different times.
    let start: UInt64
    let hasNoValue: Bool
    let bounds: [Double]
    let buckets: Int
  }

  /// The data points that result, in the order of the first of each.
  ///
  /// Those of summaries cannot be added up, and stay as they are.
  func aggregate(_ points: [EditedPoint], _ kind: MetricKind, _ temporality: AggregationTemporality)
    -> [EditedPoint]
  {
    if kind == .summary { return points }
    var groups: [[EditedPoint]] = []
    var places: [Key: Int] = [:]
    for point in points {
      let key = key(of: point, kind, temporality)
      if let place = places[key] {
        groups[place].append(point)
      } else {
        places[key] = groups.count
        groups.append([point])
      }
    }
    return groups.map { merged($0, kind) }
  }

  private func key(
    of point: EditedPoint, _ kind: MetricKind, _ temporality: AggregationTemporality
  ) -> Key {
    let histogram = kind == .histogram ? point.explicit(in: batch) : nil
    return Key(
      attributes: point.attributes.entries.sorted { $0.key < $1.key }, time: point.time,
      start: temporality == .delta ? point.startTime : 0,
      hasNoValue: DataPointFlags.hasNoValue(point.flags), bounds: histogram?.bounds ?? [],
      buckets: histogram?.counts.buckets.count ?? 0)
  }

  private func merged(_ points: [EditedPoint], _ kind: MetricKind) -> EditedPoint {
    var merged = points[0]
    if points.count == 1, type != .count || !(kind == .gauge || kind == .sum) { return merged }
    for point in points.dropFirst() { merged.begin(noLaterThan: point.startTime) }
    switch kind {
    case .gauge, .sum:
      if let value = value(of: points.compactMap(\.number)) { merged.setNumber(value) }
    case .histogram:
      var (counts, bounds) = merged.explicit(in: batch)
      for point in points.dropFirst() {
        counts.add(point.explicit(in: batch).counts)
        merged.takeExemplars(of: point)
      }
      merged.setExplicit(counts, bounds: bounds)
    case .exponentialHistogram:
      var counts = merged.exponential(in: batch)
      for point in points.dropFirst() {
        counts.add(point.exponential(in: batch))
        merged.takeExemplars(of: point)
      }
      merged.setExponential(counts)
    case .summary: break
    }
    return merged
  }

  /// What values come to; of the type of the first. Nil when there is none.
  private func value(of values: [NumberValue]) -> NumberValue? {
    switch values.first {
    case .int: integer(values.map(\.integer)).map { .int($0) }
    case .double: double(values.map(\.double)).map { .double($0) }
    case nil: nil
    }
  }

  private func integer(_ values: [Int64]) -> Int64? {
    switch type {
    case .sum: values.reduce(0, &+)
    case .mean: values.reduce(0, &+) / Int64(values.count)
    case .min: values.min()
    case .max: values.max()
    case .count: Int64(values.count)
    case .median: Self.middle(of: values.sorted()) { a, b in a == b ? a : (a &+ b) / 2 }
    }
  }

  private func double(_ values: [Double]) -> Double? {
    switch type {
    case .sum: values.reduce(0, +)
    case .mean: values.reduce(0, +) / Double(values.count)
    // As the Collector: a NaN among them is the result.
    case .min: values.dropFirst().reduce(values.first) { a, b in a.map { Double.minimumNaN($0, b) } }
    case .max: values.dropFirst().reduce(values.first) { a, b in a.map { Double.maximumNaN($0, b) } }
    case .count: Double(values.count)
    case .median: Self.middle(of: values.sorted { $0 < $1 }) { a, b in (a + b) / 2 }
    }
  }

  private static func middle<Value>(of sorted: [Value], _ between: (Value, Value) -> Value) -> Value? {
    if sorted.isEmpty { return nil }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : between(sorted[middle - 1], sorted[middle])
  }
}

extension Double {
  fileprivate static func minimumNaN(_ a: Double, _ b: Double) -> Double {
    a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
  }
  fileprivate static func maximumNaN(_ a: Double, _ b: Double) -> Double {
    a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
  }
}
