package import ConfigSchema
package import PrometheusData

/// `config.global`: what scrape configurations that say nothing else go by.
package struct GlobalScrapeConfig: ConfigGroup {
  package var scrapeInterval = PrometheusDuration.seconds(60)
  package var scrapeTimeout: PrometheusDuration?
  package var scrapeProtocols: [ScrapeProtocol]?
  package var externalLabels = ConfigMap<String>()
  package var limits = ScrapeLimits()
  package var histograms = HistogramChoices()
  package var nameValidation = NameValidation.utf8
  package var nameEscaping: NameEscaping?
  package var extraScrapeMetrics = false

  package init() {}

  package static let defaultTimeout = PrometheusDuration.seconds(10)
  private static let rules = "rules belong to a Prometheus server"

  package static let fields: [Field<Self>] = [
    Field("scrape_interval", \.scrapeInterval, "How often targets are scraped.", check: .positive),
    Field(
      "scrape_timeout", \.scrapeTimeout,
      "How long a scrape may take, at most the interval; 10s, or the interval where that is shorter, when left out.",
      check: .positive),
    Field(
      "scrape_protocols", \.scrapeProtocols,
      "The formats to ask targets for, the preferred first; OpenMetrics and then text when left out, the protobuf format in front where native histograms are scraped.",
      check: .scrapeProtocols),
    Field(
      "external_labels", \.externalLabels,
      "Labels that every sample gets which does not have them."),
    .group(\.limits),
    .group(\.histograms),
    Field(
      "metric_name_validation_scheme", \.nameValidation,
      "Which names metrics and labels may have: any UTF-8 text, or letters, digits and underscores."),
    Field(
      "metric_name_escaping_scheme", \.nameEscaping,
      "How targets are asked to write names that are not plain; `allow-utf-8`, or `underscores` with the legacy scheme, when left out."
    ),
    Field(
      "extra_scrape_metrics", \.extraScrapeMetrics,
      "Also report the scrape timeout and the limits of each target, as `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes`."
    ),
    .accepted("evaluation_interval", rules),
    .accepted("rule_query_offset", rules),
    .accepted("query_log_file", "queries belong to a Prometheus server"),
    .failureLog,
  ]

  package func check(_ checker: inout ConfigChecker) {
    if let scrapeTimeout, scrapeTimeout > scrapeInterval {
      checker.error(
        \.scrapeTimeout, "\(scrapeTimeout) is longer than the scrape_interval of \(scrapeInterval)",
        help: "a scrape must end before the next one begins")
    }
    if nameValidation == .legacy, nameEscaping == .allowUTF8 {
      checker.error(
        \.nameEscaping, "allow-utf-8 asks for names that the legacy validation scheme does not take",
        help: "write underscores, dots or values")
    }
    for label in externalLabels where !nameValidation.labelNames.allows(label.key) {
      checker.error(\.externalLabels, at: label.key, "is not a label name")
    }
  }
}

/// The limits of a scrape; absent means the one of `global`, and 0 none.
package struct ScrapeLimits: ConfigGroup {
  package var bodySize: PrometheusByteCount?
  package var samples: UInt64?
  package var labels: UInt64?
  package var labelNameLength: UInt64?
  package var labelValueLength: UInt64?
  package var targets: UInt64?
  package var keptDroppedTargets: UInt64?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "body_size_limit", \.bodySize,
      "Most bytes of an uncompressed answer, such as 10MB; a larger one fails the scrape. 0 leaves it at 256MiB."
    ),
    Field(
      "sample_limit", \.samples,
      "Most samples of a scrape after relabeling; more fail the scrape. 0 sets no limit."),
    Field("label_limit", \.labels, "Most labels of a sample; more fail the scrape. 0 sets no limit."),
    Field(
      "label_name_length_limit", \.labelNameLength,
      "Longest name of a label, in bytes; a longer one fails the scrape. 0 sets no limit."),
    Field(
      "label_value_length_limit", \.labelValueLength,
      "Longest value of a label, in bytes; a longer one fails the scrape. 0 sets no limit."),
    Field(
      "target_limit", \.targets,
      "Most targets of a job after relabeling; with more every scrape of the job fails. 0 sets no limit."),
    Field(
      "keep_dropped_targets", \.keptDroppedTargets,
      "Most targets dropped by relabeling that are kept for display; 0 sets no limit."),
  ]

  /// These limits, and where one is absent that of another.
  func or(_ other: ScrapeLimits) -> ScrapeLimits {
    var limits = self
    limits.bodySize = bodySize ?? other.bodySize
    limits.samples = samples ?? other.samples
    limits.labels = labels ?? other.labels
    limits.labelNameLength = labelNameLength ?? other.labelNameLength
    limits.labelValueLength = labelValueLength ?? other.labelValueLength
    limits.targets = targets ?? other.targets
    limits.keptDroppedTargets = keptDroppedTargets ?? other.keptDroppedTargets
    return limits
  }
}

/// What becomes of histograms; absent means as `global` says.
package struct HistogramChoices: ConfigGroup {
  package var native: Bool?
  package var alwaysClassic: Bool?
  package var convertClassic: Bool?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "scrape_native_histograms", \.native,
      "Take native histograms, and ask for the protobuf format that carries them."),
    Field(
      "always_scrape_classic_histograms", \.alwaysClassic,
      "Take the buckets of a classic histogram also where there is a native one.",
      aliases: ["scrape_classic_histograms"]),
    Field(
      "convert_classic_histograms_to_nhcb", \.convertClassic,
      "Turn classic histograms into native ones with custom buckets."),
  ]

  func or(_ other: HistogramChoices) -> HistogramChoices {
    var choices = self
    choices.native = native ?? other.native
    choices.alwaysClassic = alwaysClassic ?? other.alwaysClassic
    choices.convertClassic = convertClassic ?? other.convertClassic
    return choices
  }
}

extension Field {
  /// The log of failed scrapes, of `global` and of jobs.
  static var failureLog: Self {
    .unsupported(
      "scrape_failure_log_file", "failed scrapes are in the collector's own log: leave the key out")
  }
}

extension FieldCheck where Value == PrometheusDuration {
  /// Longer than nothing.
  static var positive: FieldCheck { .custom { $0.milliseconds > 0 ? nil : "must be longer than 0s" } }
}

extension FieldCheck where Value == [ScrapeProtocol] {
  /// At least one, each once.
  static var scrapeProtocols: FieldCheck {
    .custom { protocols in
      if protocols.isEmpty { return "must name at least one protocol" }
      let twice = protocols.indices.first { protocols[..<$0].contains(protocols[$0]) }
      return twice.map { "names \(protocols[$0].rawValue) twice" }
    }
  }
}
