internal import ConfigSchema
internal import NativeCodecs
internal import TelemetryData
internal import WireFormat

/// Which metrics a transform is about, and which of their data points.
struct MetricFilter: Sendable {
  private let include: TextMatch
  /// The regular expression with its groups, where the name is matched with one.
  let pattern: Pattern?
  private let labels: [(key: [UInt8], value: TextMatch)]

  init(_ config: MetricTransformConfig) throws(PatternError) {
    include = try TextMatch(config.include, config.matchType)
    pattern = config.matchType == .regexp ? try Pattern(config.include) : nil
    var labels: [(key: [UInt8], value: TextMatch)] = []
    for entry in config.matchLabels.entries {
      labels.append(([UInt8](entry.key.utf8), try TextMatch(entry.value, config.matchType)))
    }
    self.labels = labels
  }

  /// Whether it says anything about data points.
  var readsLabels: Bool { !labels.isEmpty }

  func matches(name: Span<UInt8>) -> Bool { include.matches(name) }

  /// Whether a data point with these attributes is meant: every one must match, and where there is none of the key, the
  /// empty text must. What is not text is like the empty text.
  func matches(_ attributes: Attributes) -> Bool {
    for label in labels {
      let value = attributes.entries.first { $0.key.utf8.elementsEqual(label.key) }?.value
      var text = ""
      if case .string(let found)? = value { text = found }
      if !label.value.matches(text.utf8.span) { return false }
    }
    return true
  }
}
