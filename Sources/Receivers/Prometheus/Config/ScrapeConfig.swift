package import ConfigSchema
package import PrometheusData

/// One entry of `scrape_configs`: a job.
package struct ScrapeConfig: ConfigGroup {
  package var jobName = ""
  package var scrapeInterval: PrometheusDuration?
  package var scrapeTimeout: PrometheusDuration?
  package var metricsPath = "/metrics"
  package var scheme = ScrapeScheme.http
  package var params = ConfigMap<[String]>()
  package var honorLabels = false
  package var honorTimestamps = true
  package var trackTimestampsStaleness = false
  package var scrapeProtocols: [ScrapeProtocol]?
  package var fallbackProtocol: ScrapeProtocol?
  package var enableCompression = true
  package var limits = ScrapeLimits()
  package var histograms = HistogramChoices()
  package var nativeHistogramBucketLimit: UInt64 = 0
  package var nativeHistogramMinBucketFactor = 0.0
  package var nameValidation: NameValidation?
  package var nameEscaping: NameEscaping?
  package var extraScrapeMetrics: Bool?
  package var http = PrometheusHTTPConfig()
  package var relabelConfigs: [Located<RelabelConfig>] = []
  package var metricRelabelConfigs: [Located<RelabelConfig>] = []
  package var discovery = DiscoveryConfigs()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "job_name", \.jobName, "The value of the label `job`; each job needs its own.", check: .nonEmpty,
      required: true),
    .group(\.discovery),
    Field(
      "scrape_interval", \.scrapeInterval,
      "How often each target is scraped; that of `global` when left out.",
      check: .positive),
    Field(
      "scrape_timeout", \.scrapeTimeout,
      "How long a scrape may take, at most the interval; that of `global` when left out.", check: .positive),
    Field("metrics_path", \.metricsPath, "The path that targets serve their metrics at."),
    Field("scheme", \.scheme, "Whether targets are asked over HTTP or HTTPS."),
    Field("params", \.params, "Parameters of the request's URL."),
    Field(
      "honor_labels", \.honorLabels,
      "Where a sample has a label of the target's too, keep the sample's; otherwise it becomes `exported_…`."),
    Field("honor_timestamps", \.honorTimestamps, "Take the timestamps that targets give."),
    Field(
      "track_timestamps_staleness", \.trackTimestampsStaleness,
      "Mark series stale that vanish also where the target gave timestamps."),
    Field(
      "scrape_protocols", \.scrapeProtocols, "The formats to ask for; those of `global` when left out.",
      check: .scrapeProtocols),
    Field(
      "fallback_scrape_protocol", \.fallbackProtocol,
      "The format of answers whose content type says none; PrometheusText0.0.4 when left out."),
    Field("enable_compression", \.enableCompression, "Ask for compressed answers."),
    .group(\.limits),
    .group(\.histograms),
    Field(
      "native_histogram_bucket_limit", \.nativeHistogramBucketLimit,
      "Most buckets of a native histogram; it is made coarser until it fits, and fails the scrape if it cannot. 0 sets no limit."
    ),
    Field(
      "native_histogram_min_bucket_factor", \.nativeHistogramMinBucketFactor,
      "Smallest growth from one bucket of a native histogram to the next; finer ones are made coarser.",
      check: .atLeast(0)),
    Field(
      "metric_name_validation_scheme", \.nameValidation,
      "Which names metrics and labels may have; that of `global` when left out."),
    Field(
      "metric_name_escaping_scheme", \.nameEscaping,
      "How targets are asked to write names that are not plain; that of `global` when left out."),
    Field(
      "extra_scrape_metrics", \.extraScrapeMetrics,
      "Also report the scrape timeout and the limits of each target; as `global` says when left out."),
    Field("relabel_configs", \.relabelConfigs, "Rules that change and choose the targets."),
    Field("metric_relabel_configs", \.metricRelabelConfigs, "Rules that change and choose the samples."),
    .group(\.http),
    .failureLog,
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !metricsPath.isEmpty, !metricsPath.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) {
      checker.error(\.metricsPath, "holds a space or control character", help: "write %20 for a space")
    }
    // With rules a target may be anything that they make an address of.
    if !checker.isPresent(\.relabelConfigs) {
      for target in discovery.fixed.flatMap(\.targets) {
        if let problem = TargetAddress.problem(target) {
          checker.error(\.discovery.fixed, problem.message, help: problem.help)
        }
      }
    }
    for label in params where label.key.isEmpty { checker.error(\.params, "a parameter must have a name") }
  }
}
