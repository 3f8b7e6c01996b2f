import PrometheusData
import TelemetryData

/// The points of batches as lines, for comparing: `gauge name{a="b"} 1 @5` and so on.
enum ScrapeLines {
  static func of(_ batches: [Batch]) -> [String] {
    var lines: [String] = []
    for batch in batches {
      for resource in 0..<batch.resourceCount {
        let view = batch.resource(at: resource)
        lines.append("resource " + text(view.attributes.values))
        for scope in view.scopes {
          let scopeView = batch.scope(at: scope)
          if !scopeView.name.isEmpty || scopeView.attributes.count > 0 {
            lines.append(
              "scope \(scopeView.name.string) \(scopeView.version.string) \(scopeView.schemaURL.string) "
                + text(scopeView.attributes.values))
          }
          for item in scopeView.items { add(batch.metric(at: item), to: &lines) }
        }
      }
    }
    return lines
  }

  /// Only the points, without resources, scopes and the report series.
  static func points(_ batches: [Batch]) -> [String] {
    of(batches).filter { line in
      !line.hasPrefix("resource") && !line.hasPrefix("scope")
        && !line.hasPrefix("gauge scrape_") && !line.hasPrefix("gauge up{")
    }
  }

  /// The report series: name and value.
  static func report(_ batches: [Batch]) -> [String: String] {
    var values: [String: String] = [:]
    for line in of(batches) where line.hasPrefix("gauge scrape_") || line.hasPrefix("gauge up{") {
      let words = line.split(separator: " ")
      values[String(words[1].prefix { $0 != "{" })] = String(words[2])
    }
    return values
  }

  static func text(_ attributes: Attributes) -> String {
    "{" + attributes.entries.map { "\($0.key)=\"\(value($0.value))\"" }.joined(separator: ",") + "}"
  }

  private static func value(_ value: AnyValue) -> String {
    if case .string(let text) = value { return text }
    return "\(value)"
  }

  private static func number(_ value: Double) -> String {
    if StaleMarker.isStale(value) { return "StaleNaN" }
    if value.isNaN { return "nan" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func add(_ metric: MetricView, to lines: inout [String]) {
    let type = metric.metadata.first("prometheus.type")?.string ?? ""
    var tail = type == "unknown" ? "" : " #\(type)"
    if !metric.unit.isEmpty { tail += " unit=\(metric.unit.string)" }
    if !metric.description.isEmpty { tail += " help=\(metric.description.string)" }
    let name = metric.name.string
    let kind = metric.kind == .gauge ? "gauge" : metric.isMonotonic ? "counter" : "sum"
    metric.numberDataPoints.forEach { (point) throws(Never) in
      var value = "none"
      if case .double(let double) = point.value { value = number(double) }
      if point.flags == 1 { value = "stale" }
      lines.append(
        "\(kind) \(name)\(text(point.attributes.values)) \(value) @\(point.time / 1_000_000)"
          + start(point.startTime) + exemplars(point.exemplars) + tail)
    }
    metric.histogramDataPoints.forEach { (point) throws(Never) in
      let flags = point.flags == 1 ? " stale" : ""
      lines.append(
        "histogram \(name)\(text(point.attributes.values)) count=\(point.count) "
          + "sum=\(point.sum.map(number) ?? "none") \(point.bucketCounts.array) \(point.explicitBounds.array)"
          + "\(flags) @\(point.time / 1_000_000)" + start(point.startTime) + exemplars(point.exemplars) + tail
      )
    }
    metric.exponentialHistogramDataPoints.forEach { (point) throws(Never) in
      let flags = point.flags == 1 ? " stale" : ""
      func buckets(_ view: borrowing BucketsView?) -> String {
        switch view {
        case .some(let view): "\(view.offset):\(view.bucketCounts.array)"
        case .none: "-"
        }
      }
      lines.append(
        "exponential \(name)\(text(point.attributes.values)) count=\(point.count) "
          + "sum=\(point.sum.map(number) ?? "none") scale=\(point.scale) zero=\(point.zeroCount)"
          + "<=\(point.zeroThreshold) +\(buckets(point.positive)) -\(buckets(point.negative))"
          + "\(flags) @\(point.time / 1_000_000)" + start(point.startTime) + exemplars(point.exemplars) + tail
      )
    }
    metric.summaryDataPoints.forEach { (point) throws(Never) in
      let flags = point.flags == 1 ? " stale" : ""
      var quantiles: [String] = []
      point.quantileValues.forEach { (quantile) throws(Never) in
        quantiles.append("\(quantile.quantile):\(number(quantile.value))")
      }
      lines.append(
        "summary \(name)\(text(point.attributes.values)) count=\(point.count) sum=\(number(point.sum)) "
          + "\(quantiles.joined(separator: ","))\(flags) @\(point.time / 1_000_000)" + start(point.startTime)
          + tail)
    }
  }

  private static func start(_ time: UInt64) -> String { time == 0 ? "" : " start=\(time / 1_000_000)" }

  private static func exemplars(_ exemplars: RepeatedView<ExemplarView>) -> String {
    var text = ""
    exemplars.forEach { (exemplar) throws(Never) in
      var value = ""
      if case .double(let double) = exemplar.value { value = number(double) }
      text +=
        " exemplar(\(value)@\(exemplar.time / 1_000_000) trace=\(exemplar.traceID.hex) "
        + "span=\(exemplar.spanID.hex) \(self.text(exemplar.filteredAttributes.values)))"
    }
    return text
  }
}

/// One target that tests scrape.
struct ScrapeFixture: ~Copyable {
  var state: ScrapeState
  var time: Int64 = 1000
  var error: ScrapeError?

  init(_ change: (inout ScrapeSettings) -> Void = { _ in }) {
    var settings = ScrapeSettings(labels: LabelSet([Label("job", "shop"), Label("instance", "host:80")]))
    change(&settings)
    state = ScrapeState(settings, seed: 7)
  }

  /// Scrapes an exposition; each scrape is a second after the one before.
  mutating func scrape(
    _ text: String, _ format: ExpositionFormat = .text, histograms: HistogramChoice = .nativeOrClassic
  ) -> [Batch] {
    let bytes = Array(text.utf8)
    return scrape(bytes, format, histograms: histograms)
  }

  mutating func scrape(
    _ bytes: [UInt8], _ format: ExpositionFormat, histograms: HistogramChoice = .nativeOrClassic
  ) -> [Batch] {
    time += 1000
    state.begin(at: time)
    error = nil
    do throws(ScrapeError) {
      try state.read(bytes.span, format, histograms: histograms)
    } catch {
      self.error = error
    }
    return state.finish(ScrapeReport(isUp: error == nil, duration: 0.5, bodySize: bytes.count))
  }

  /// A scrape that got no answer.
  mutating func fail() -> [Batch] {
    time += 1000
    state.begin(at: time)
    return state.finish(ScrapeReport(isUp: false, duration: 10))
  }

  mutating func end() -> [Batch] {
    time += 1000
    return state.end(at: time)
  }

  mutating func points(_ text: String, _ format: ExpositionFormat = .text) -> [String] {
    ScrapeLines.points(scrape(text, format))
  }
}
