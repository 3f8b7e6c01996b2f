/// How the expositions of one target are taken, from the job's settings and the target's labels.
package struct ScrapeSettings: Sendable {
  /// The target's labels, `job` and `instance` among them.
  package var labels = LabelSet()
  /// Of the URL that is scraped.
  package var scheme = ""
  package var host = ""
  package var port = ""
  /// Whether labels of the exposition win over those of the target.
  package var honorsLabels = false
  package var honorsTimestamps = true
  /// Whether the end of a series is told although its samples say themselves when they are from.
  package var tracksTimestampStaleness = false
  /// The rules that samples pass through (`metric_relabel_configs`); false leaves a series out.
  package var relabel: (@Sendable (inout LabelSet) -> Bool)?
  /// Whether names must be those of Prometheus 2: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
  package var hasLegacyNames = false
  /// Labels that every series gets that has none of the name (`external_labels`).
  package var externalLabels = LabelSet()
  /// Whether metrics lose the suffixes of their type and unit.
  package var trimsSuffixes = false
  // Limits; 0 sets none.
  package var sampleLimit = 0
  package var labelLimit = 0
  package var labelNameLengthLimit = 0
  package var labelValueLengthLimit = 0
  /// Of a native histogram; one that has more is put into fewer.
  package var bucketLimit = 0
  /// How much larger each bound of a native histogram must at least be than the one before; 0 for no matter.
  package var bucketFactor = 0.0
  /// Whether `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` are reported.
  package var reportsLimits = false
  /// In seconds, for the report.
  package var timeout = 0.0
  /// The bytes at which a batch is ended and another begun.
  package var batchSize = 4 << 20

  package init() {}

  package init(labels: LabelSet) { self.labels = labels }
}

/// Why a scrape fails although the target has answered.
package enum ScrapeError: Error, Sendable, Hashable, CustomStringConvertible {
  case exposition(ExpositionError)
  case sampleLimit(Int)
  case labelLimit(String)
  case bucketLimit(String)
  case invalidName(String)
  /// More text than can be addressed.
  case tooLarge

  /// A short constant for the label of a metric.
  package var reason: String {
    switch self {
    case .exposition: "invalid_exposition"
    case .sampleLimit: "sample_limit"
    case .labelLimit: "label_limit"
    case .bucketLimit: "bucket_limit"
    case .invalidName: "invalid_name"
    case .tooLarge: "too_large"
    }
  }

  package var description: String {
    switch self {
    case .exposition(let error): "line \(error.line), column \(error.column): \(error.reason)"
    case .sampleLimit(let limit): "there are more than \(limit) samples (sample_limit)"
    case .labelLimit(let text), .bucketLimit(let text), .invalidName(let text): text
    case .tooLarge: "the series have more text than a target may have (2 GiB)"
    }
  }
}

/// What a scrape counted.
package struct ScrapeCounts: Sendable, Hashable {
  /// Samples in the exposition.
  package var scraped = 0
  /// Samples that relabeling kept.
  package var kept = 0
  /// Series that the scrape before did not have.
  package var added = 0
  /// Samples left out because their series had one already.
  package var duplicates = 0
  /// Samples left out because they are from more than ten minutes ahead.
  package var future = 0
  /// Native histograms left out because their counts are none.
  package var invalidHistograms = 0

  package init() {}
}

/// What a scrape says about itself in its report series.
package struct ScrapeReport: Sendable, Hashable {
  package var isUp: Bool
  /// In seconds.
  package var duration: Double
  /// The size of the body; −1 when it was over the limit.
  package var bodySize: Int

  package init(isUp: Bool, duration: Double, bodySize: Int = 0) {
    self.isUp = isUp
    self.duration = duration
    self.bodySize = bodySize
  }
}
