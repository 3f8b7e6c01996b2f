package import PipelineKit

/// Writes the collector's own metrics in Prometheus' text exposition format 0.0.4.
package struct PrometheusText {
  /// Whether counters get the suffix `_total`; dashboards made for the Collector expect names without it.
  package var hasTypeSuffix: Bool

  package init(hasTypeSuffix: Bool) { self.hasTypeSuffix = hasTypeSuffix }

  /// The exposition of `families`, in their order.
  package func render(_ families: [SelfMetricFamily]) -> [UInt8] {
    var text = ""
    for family in families where !family.series.isEmpty {
      let isCounter = family.kind == .counter
      let name = isCounter && hasTypeSuffix ? family.name + "_total" : family.name
      text += "# HELP \(name) \(Self.escapedHelp(family.help))\n# TYPE \(name) \(family.kind.rawValue)\n"
      for series in family.series { append(series, name: name, to: &text) }
    }
    return Array(text.utf8)
  }

  private func append(_ series: SelfMetricSeries, name: String, to text: inout String) {
    switch series.value {
    case .number(let value):
      text += "\(name)\(Self.labels(series.labels)) \(Self.number(value))\n"
    case .histogram(let bounds, let counts, let sum):
      var cumulative = 0
      for (index, count) in counts.enumerated() {
        cumulative += count
        let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
        text += "\(name)_bucket\(Self.labels(series.labels + [("le", bound)])) \(cumulative)\n"
      }
      text += "\(name)_sum\(Self.labels(series.labels)) \(sum)\n"
      text += "\(name)_count\(Self.labels(series.labels)) \(cumulative)\n"
    }
  }

  private static func number(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 9e15 { return "\(Int64(value))" }
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }

  private static func labels(_ labels: [(name: String, value: String)]) -> String {
    if labels.isEmpty { return "" }
    return "{" + labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
  }

  private static func escaped(_ value: String) -> String {
    var result = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func escapedHelp(_ help: String) -> String {
    var result = ""
    for scalar in help.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
