package import ConfigSchema

/// The settings of the `prometheus` receiver.
package struct PrometheusReceiverConfig: ConfigGroup {
  package var config = PrometheusConfig()
  package var trimMetricSuffixes = false
  package var initialScrapeOffset: Duration = .zero
  package var scrapeOnShutdown = false
  package var discoveryReloadOnStartup = false
  package var reportExtraScrapeMetrics: Bool?

  package init() {}

  private static let startTime = "start times are those that targets give: leave the key out"

  package static let fields: [Field<Self>] = [
    Field(
      "config", \.config, "The configuration of Prometheus, as far as it is about scraping.", required: true),
    Field(
      "trim_metric_suffixes", \.trimMetricSuffixes,
      "Take the suffixes of types and units (`_total`, `_seconds`) off metric names."),
    Field(
      "initial_scrape_offset", \.initialScrapeOffset,
      "Wait so long before the first scrape of a target; 0 spreads targets over their interval.",
      check: .atLeast(.zero)),
    Field("scrape_on_shutdown", \.scrapeOnShutdown, "Scrape every target once more before stopping."),
    Field(
      "discovery_reload_on_startup", \.discoveryReloadOnStartup,
      "Take the first targets as soon as they are known, without waiting to collect changes."),
    .deprecated(
      "report_extra_scrape_metrics", use: "config.global.extra_scrape_metrics", \.reportExtraScrapeMetrics,
      "Also report the scrape timeout and the limits of each target."),
    .unsupported(
      "target_allocator",
      "targets are not shared out: give each collector its own scrape_configs, by hashmod in relabel_configs if need be"
    ),
    .unsupported("api_server", "the admin API of the collector shows its state: leave the key out"),
    .unsupported("use_start_time_metric", startTime),
    .unsupported("start_time_metric_regex", startTime),
    .accepted("buffer_period", "it was removed from the Collector"),
    .accepted("buffer_count", "it was removed from the Collector"),
  ]

  /// What was read besides the section itself: for ``ComponentTraits/inputs``.
  package var inputs: [String] { config.scrapeConfigFiles.texts }

  /// The jobs, each with what `global` says in its place.
  package var jobs: [ScrapeJob] {
    config.allScrapeConfigs.map {
      ScrapeJob($0.value, global: config.global, extraScrapeMetrics: reportExtraScrapeMetrics)
    }
  }
}
