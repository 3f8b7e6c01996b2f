package import ConfigSchema
internal import NativeCodecs
internal import TelemetryData

/// A type of metric that can be told by name.
package enum SelectedMetricType: String, ConfigEnum {
  case sum, histogram
  case exponentialHistogram = "exponentialhistogram"

  package static var ignoresCase: Bool { true }
  package static var alternatives: [String: Self] { ["exponential_histogram": .exponentialHistogram] }
}

/// `include` and `exclude`: metrics by name and by type.
package struct MetricSelection: ConfigGroup {
  package var metrics: [String] = []
  package var matchType: MatchType?
  package var metricTypes: [SelectedMetricType] = []

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "metrics", \.metrics, "Names of metrics, or regular expressions for them.", check: .each(.nonEmpty)),
    Field(
      "match_type", \.matchType,
      "Whether names must be equal (`strict`) or match a regular expression of RE2 somewhere (`regexp`)."),
    .accepted("regexp", "regular expressions need no cache here"),
    Field("metric_types", \.metricTypes, "Types of metrics: `sum`, `histogram`, `exponentialhistogram`."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !metrics.isEmpty, matchType == nil, !checker.hasError(\.matchType) {
      checker.error(\.matchType, "must be set where metrics are listed", help: "strict or regexp")
    }
    if metrics.isEmpty, matchType != nil, !checker.hasError(\.metrics) {
      checker.error(\.metrics, "must list names where match_type is set")
    }
    guard matchType == .regexp else { return }
    for text in metrics {
      if let reason = TextMatch.problem(ofPattern: text) {
        checker.error(\.metrics, "\"\(text)\" is not a regular expression of RE2: \(reason)")
      }
    }
  }
}

/// A compiled ``MetricSelection``.
struct MetricSelector: Sendable {
  private let names: TextMatches
  private let kinds: [MetricKind]

  init(_ selection: MetricSelection) throws(PatternError) {
    names = try TextMatches(selection.metrics, selection.matchType ?? .strict)
    kinds = selection.metricTypes.map { type in
      switch type {
      case .sum: .sum
      case .histogram: .histogram
      case .exponentialHistogram: .exponentialHistogram
      }
    }
  }

  /// Whether the name and the type are among those listed; where nothing is listed, all are.
  func includes(_ metric: MetricView, _ kind: MetricKind) -> Bool {
    (kinds.isEmpty || kinds.contains(kind)) && names.matches(metric.name.span)
  }

  /// Whether the name or the type is among those listed.
  func excludes(_ metric: MetricView, _ kind: MetricKind) -> Bool {
    kinds.contains(kind) || (!names.isEmpty && names.matches(metric.name.span))
  }
}
