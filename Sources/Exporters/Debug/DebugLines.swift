internal import TelemetryData

/// The `normal` verbosity: a line per resource, and one per span, log record or data point below it.
struct DebugLines {
  private(set) var text = ""

  mutating func write(_ batch: Batch) {
    for resource in 0..<batch.resourceCount {
      let view = batch.resource(at: resource)
      line("  resource", DebugValues.pairs(view.attributes))
      for scope in view.scopes {
        for item in batch.scope(at: scope).items {
          switch batch.signal {
          case .traces: write(batch.span(at: item))
          case .logs: write(batch.logRecord(at: item))
          case .metrics: write(batch.metric(at: item))
          }
        }
      }
    }
  }

  /// Adds a line of the parts that are not empty, two spaces apart.
  private mutating func line(_ parts: String...) {
    text += "\n" + parts.filter { !$0.isEmpty }.joined(separator: "  ")
  }

  private mutating func write(_ span: borrowing SpanView) {
    var status = ""
    if let view = span.status, view.code != 0 {
      status = DebugValues.statusCode(view.code)
      if !view.text.isEmpty { status += ": " + DebugFormat.printable(view.text.string) }
    }
    line(
      "    " + DebugFormat.printable(span.name.string), span.kind == 0 ? "" : DebugValues.spanKind(span.kind),
      DebugFormat.duration(from: span.startTime, to: span.endTime), status,
      "\(span.traceID.hex) \(span.spanID.hex)", DebugValues.pairs(span.attributes))
  }

  private mutating func write(_ record: borrowing LogRecordView) {
    let time = record.time != 0 ? record.time : record.observedTime
    let clock = time == 0 ? "(no time)" : DebugFormat.shortTime(time)
    var severity = DebugFormat.printable(record.severityText.string)
    if severity.isEmpty, record.severityNumber != 0 { severity = DebugValues.severity(record.severityNumber) }
    var body = DebugFormat.printable(record.eventName.string)
    if let view = record.body { body += (body.isEmpty ? "" : " ") + DebugValues.plain(view) }
    line("    " + clock, severity, body, DebugValues.pairs(record.attributes))
  }

  private mutating func write(_ metric: borrowing MetricView) {
    let name = DebugFormat.printable(metric.name.string)
    // The unit "1" stands for none.
    let unit =
      metric.unit.isEmpty || metric.unit == "1" ? "" : " " + DebugFormat.printable(metric.unit.string)
    metric.numberDataPoints.forEach { point in
      line(Self.series(name, point.attributes), DebugValues.number(point.value) + unit)
    }
    metric.histogramDataPoints.forEach { point in
      let bounds = point.explicitBounds.array
      var buckets: [String] = []
      for (position, count) in point.bucketCounts.array.enumerated() {
        buckets.append("le\(position < bounds.count ? "\(bounds[position])" : "+Inf")=\(count)")
      }
      line(
        Self.series(name, point.attributes),
        Self.totals(point.count, sum: point.sum, min: point.min, max: point.max) + unit,
        buckets.joined(separator: " "))
    }
    metric.exponentialHistogramDataPoints.forEach { point in
      line(
        Self.series(name, point.attributes),
        Self.totals(point.count, sum: point.sum, min: point.min, max: point.max) + unit,
        "scale=\(point.scale)")
    }
    metric.summaryDataPoints.forEach { point in
      var quantiles: [String] = []
      point.quantileValues.forEach { quantiles.append("q\($0.quantile)=\($0.value)") }
      line(
        Self.series(name, point.attributes),
        Self.totals(point.count, sum: point.sum, min: nil, max: nil) + unit, quantiles.joined(separator: " "))
    }
  }

  private static func series(_ name: String, _ attributes: borrowing AttributesView) -> String {
    let pairs = DebugValues.pairs(attributes, separator: ",")
    return "    " + name + (pairs.isEmpty ? "" : "{\(pairs)}")
  }

  private static func totals(_ count: UInt64, sum: Double?, min: Double?, max: Double?) -> String {
    var text = "count=\(count)"
    if let sum { text += " sum=\(sum)" }
    if let min { text += " min=\(min)" }
    if let max { text += " max=\(max)" }
    return text
  }
}
