package import ConfigSchema
package import PrometheusData

/// A job with every setting resolved: its own, or that of `global`, or Prometheus' default. Limits of 0 are none.
package struct ScrapeJob: Sendable {
  package var name: String
  package var interval: PrometheusDuration
  package var timeout: PrometheusDuration
  package var metricsPath: String
  package var scheme: ScrapeScheme
  /// By name, in the order written.
  package var params: [(name: String, values: [String])]
  package var honorLabels: Bool
  package var honorTimestamps: Bool
  package var trackTimestampsStaleness: Bool
  /// The preferred first.
  package var protocols: [ScrapeProtocol]
  package var fallbackProtocol: ScrapeProtocol
  package var enableCompression: Bool
  package var scrapeNativeHistograms: Bool
  package var alwaysScrapeClassicHistograms: Bool
  package var convertClassicHistogramsToNHCB: Bool
  package var nativeHistogramBucketLimit: Int
  package var nativeHistogramMinBucketFactor: Double
  /// In bytes, of the uncompressed body.
  package var bodySizeLimit: Int
  package var sampleLimit: Int
  package var labelLimit: Int
  package var labelNameLengthLimit: Int
  package var labelValueLengthLimit: Int
  package var targetLimit: Int
  package var keepDroppedTargets: Int
  package var nameValidation: NameValidation
  package var nameEscaping: NameEscaping
  /// Whether `scrape_timeout_seconds`, `scrape_sample_limit` and `scrape_body_size_bytes` are reported.
  package var extraScrapeMetrics: Bool
  package var http: PrometheusHTTPConfig
  package var targetRelabeling: RelabelRules
  package var metricRelabeling: RelabelRules
  package var discovery: DiscoveryConfigs
  /// Of `global`: for samples that do not have them.
  package var externalLabels: LabelSet
  /// Everything it was made of: jobs of equal sections make the same series.
  package let sections: [ConfigLiteral]

  package init(_ config: ScrapeConfig, global: GlobalScrapeConfig, extraScrapeMetrics: Bool? = nil) {
    name = config.jobName
    interval = config.scrapeInterval ?? global.scrapeInterval
    // A timeout that is longer than a job's own interval is cut, unless the job set it itself.
    timeout = config.scrapeTimeout ?? min(global.scrapeTimeout ?? GlobalScrapeConfig.defaultTimeout, interval)
    metricsPath = config.metricsPath
    scheme = config.scheme
    params = config.params.map { ($0.key, $0.value) }
    honorLabels = config.honorLabels
    honorTimestamps = config.honorTimestamps
    trackTimestampsStaleness = config.trackTimestampsStaleness
    enableCompression = config.enableCompression
    let histograms = config.histograms.or(global.histograms)
    let takesNative = histograms.native ?? false
    scrapeNativeHistograms = takesNative
    alwaysScrapeClassicHistograms = histograms.alwaysClassic ?? false
    convertClassicHistogramsToNHCB = histograms.convertClassic ?? false
    protocols =
      config.scrapeProtocols ?? global.scrapeProtocols
      ?? (takesNative ? [.prometheusProto] + ScrapeProtocol.usual : ScrapeProtocol.usual)
    fallbackProtocol = config.fallbackProtocol ?? .text004
    nativeHistogramBucketLimit = Int(clamping: config.nativeHistogramBucketLimit)
    nativeHistogramMinBucketFactor = config.nativeHistogramMinBucketFactor
    let limits = config.limits.or(global.limits)
    bodySizeLimit = limits.bodySize?.bytes ?? 0
    sampleLimit = Int(clamping: limits.samples ?? 0)
    labelLimit = Int(clamping: limits.labels ?? 0)
    labelNameLengthLimit = Int(clamping: limits.labelNameLength ?? 0)
    labelValueLengthLimit = Int(clamping: limits.labelValueLength ?? 0)
    targetLimit = Int(clamping: limits.targets ?? 0)
    keepDroppedTargets = Int(clamping: limits.keptDroppedTargets ?? 0)
    nameValidation = config.nameValidation ?? global.nameValidation
    nameEscaping =
      config.nameEscaping ?? global.nameEscaping ?? (nameValidation == .utf8 ? .allowUTF8 : .underscores)
    self.extraScrapeMetrics = config.extraScrapeMetrics ?? extraScrapeMetrics ?? global.extraScrapeMetrics
    http = config.http
    let names = nameValidation.labelNames
    targetRelabeling = RelabelRules(config.relabelConfigs.map(\.value.rule), names: names)
    metricRelabeling = RelabelRules(config.metricRelabelConfigs.map(\.value.rule), names: names)
    discovery = config.discovery
    sections = [config.literal, global.literal, .bool(extraScrapeMetrics ?? false)]
    externalLabels = LabelSet(global.externalLabels.map { Label($0.key, $0.value) })
  }
}
