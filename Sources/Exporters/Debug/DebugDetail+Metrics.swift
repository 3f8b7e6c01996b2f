internal import TelemetryData

// The metrics part of the `detailed` verbosity.
extension DebugDetail {
  mutating func write(_ metric: borrowing MetricView) {
    line("Descriptor:")
    line("     -> Name: ", metric.name)
    line("     -> Description: ", metric.description)
    line("     -> Unit: ", metric.unit)
    line("     -> DataType: \(DebugValues.metricKind(metric.kind))")
    if metric.kind == .sum { line("     -> IsMonotonic: \(metric.isMonotonic)") }
    switch metric.kind {
    case .sum, .histogram, .exponentialHistogram:
      line("     -> AggregationTemporality: \(DebugValues.temporality(metric.aggregationTemporality))")
    case .gauge, .summary, nil: break
    }
    attributes(metric.metadata, title: "     -> Metadata:", indent: "         ")
    var position = 0
    metric.numberDataPoints.forEach { point in
      open("NumberDataPoints", &position, point.attributes, point.startTime, point.time, flags: point.flags)
      line("Value: \(DebugValues.number(point.value))")
      exemplars(point.exemplars)
    }
    metric.histogramDataPoints.forEach { point in
      open(
        "HistogramDataPoints", &position, point.attributes, point.startTime, point.time, flags: point.flags)
      totals(point.count, sum: point.sum, min: point.min, max: point.max)
      var index = 0
      point.explicitBounds.forEach { bound in
        line("ExplicitBounds #\(index): \(bound)")
        index += 1
      }
      index = 0
      point.bucketCounts.forEach { count in
        line("Buckets #\(index), Count: \(count)")
        index += 1
      }
      exemplars(point.exemplars)
    }
    metric.exponentialHistogramDataPoints.forEach { point in
      open(
        "ExponentialHistogramDataPoints", &position, point.attributes, point.startTime, point.time,
        flags: point.flags)
      totals(point.count, sum: point.sum, min: point.min, max: point.max)
      line("Scale: \(point.scale)")
      if let buckets = point.negative { write(buckets, "Negative") }
      line("ZeroThreshold: \(point.zeroThreshold)")
      line("ZeroCount: \(point.zeroCount)")
      if let buckets = point.positive { write(buckets, "Positive") }
      exemplars(point.exemplars)
    }
    metric.summaryDataPoints.forEach { point in
      open("SummaryDataPoints", &position, point.attributes, point.startTime, point.time, flags: point.flags)
      line("Count: \(point.count)")
      line("Sum: \(point.sum)")
      var index = 0
      point.quantileValues.forEach { quantile in
        line("QuantileValue #\(index): Quantile \(quantile.quantile), Value \(quantile.value)")
        index += 1
      }
    }
  }

  private mutating func open(
    _ title: String, _ position: inout Int, _ attributes: borrowing AttributesView, _ startTime: UInt64,
    _ time: UInt64, flags: UInt32
  ) {
    line("\(title) #\(position)")
    position += 1
    self.attributes(attributes, title: "Data point attributes:")
    line("StartTimestamp: \(DebugFormat.time(startTime))")
    line("Timestamp: \(DebugFormat.time(time))")
    if flags != 0 { line("Flags: \(flags)") }
  }

  private mutating func totals(_ count: UInt64, sum: Double?, min: Double?, max: Double?) {
    line("Count: \(count)")
    if let sum { line("Sum: \(sum)") }
    if let min { line("Min: \(min)") }
    if let max { line("Max: \(max)") }
  }

  private mutating func write(_ buckets: borrowing BucketsView, _ sign: String) {
    var bucket = Int(buckets.offset)
    buckets.bucketCounts.forEach { count in
      line("\(sign) bucket \(bucket), Count: \(count)")
      bucket += 1
    }
  }

  private mutating func exemplars(_ exemplars: borrowing RepeatedView<ExemplarView>) {
    var position = 0
    exemplars.forEach { exemplar in
      if position == 0 { line("Exemplars:") }
      line("Exemplar #\(position)")
      line("     -> Trace ID: \(exemplar.traceID.hex)")
      line("     -> Span ID: \(exemplar.spanID.hex)")
      line("     -> Timestamp: \(DebugFormat.time(exemplar.time))")
      line("     -> Value: \(DebugValues.number(exemplar.value))")
      attributes(exemplar.filteredAttributes, title: "     -> FilteredAttributes:", indent: "         ")
      position += 1
    }
  }
}
