package import ConfigSchema
internal import PrometheusData

/// `config`: what a `prometheus.yml` says about scraping.
package struct PrometheusConfig: ConfigGroup {
  package var global = GlobalScrapeConfig()
  package var scrapeConfigs: [Located<ScrapeConfig>] = []
  package var scrapeConfigFiles = ScrapeConfigFiles()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("global", \.global, "What jobs that say nothing else go by."),
    Field("scrape_configs", \.scrapeConfigs, "The jobs."),
    Field(
      "scrape_config_files", \.scrapeConfigFiles,
      "Files with further `scrape_configs`; paths may hold `*`. References such as ${env:X} are not replaced in them."
    ),
    .unsupported("remote_write", "declare the exporter `prometheus_remote_write` instead"),
    .unsupported("remote_read", "reading back belongs to a Prometheus server"),
    .unsupported(
      "rule_files", "rules belong to a Prometheus server: let the one that stores the samples evaluate them"),
    .unsupported(
      "alerting", "alerts belong to a Prometheus server: let the one that stores the samples send them"),
    .unsupported("otlp", "the receiver `otlp` takes OTLP"),
    .unsupported("tracing", "leave it out; the collector sends no traces of its own"),
    .accepted("storage", "nothing is stored here: `sending_queue.storage` of an exporter keeps what waits"),
    .accepted("runtime", "it tunes Go's garbage collector"),
  ]

  /// All jobs, those of files after the others.
  package var allScrapeConfigs: [Located<ScrapeConfig>] { scrapeConfigs + scrapeConfigFiles.scrapeConfigs }

  package func check(_ checker: inout ConfigChecker) {
    if allScrapeConfigs.isEmpty, scrapeConfigFiles.patterns.isEmpty, !checker.hasError(\.scrapeConfigFiles) {
      checker.error(
        \.scrapeConfigs, "there is nothing to scrape", help: "add scrape_configs or scrape_config_files")
    }
    var known: [String: Located<ScrapeConfig>] = [:]
    for located in allScrapeConfigs {
      let config = located.value
      if let first = known[config.jobName] {
        checker.error(
          at: located.origin(of: "job_name"), path: "\(located.path).job_name",
          "job_name: there is a job \"\(config.jobName)\" already", help: "give each job a name of its own",
          context: [.init(first.origin(of: "job_name"), "the first one")])
      } else {
        known[config.jobName] = located
      }
      check(located, &checker)
    }
  }

  /// What a job can only be told about together with `global`.
  private func check(_ located: Located<ScrapeConfig>, _ checker: inout ConfigChecker) {
    let config = located.value
    let interval = config.scrapeInterval ?? global.scrapeInterval
    if let timeout = config.scrapeTimeout, timeout > interval {
      checker.error(
        at: located.origin(of: "scrape_timeout"), path: "\(located.path).scrape_timeout",
        "scrape_timeout: \(timeout) is longer than the scrape_interval of \(interval)",
        help: "a scrape must end before the next one begins")
    }
    let validation = config.nameValidation ?? global.nameValidation
    if validation == .legacy, (config.nameEscaping ?? global.nameEscaping) == .allowUTF8 {
      checker.error(
        at: located.origin(of: "metric_name_escaping_scheme"),
        path: "\(located.path).metric_name_escaping_scheme",
        "metric_name_escaping_scheme: allow-utf-8 asks for names that the legacy validation scheme does not take",
        help: "write underscores, dots or values")
    }
    for rule in config.relabelConfigs + config.metricRelabelConfigs
    where rule.value.hasTarget(against: validation.labelNames) {
      checker.error(
        at: rule.origin(of: "target_label"), path: "\(rule.path).target_label",
        "target_label: \"\(rule.value.targetLabel)\" is not a label name of the \(validation.rawValue) scheme"
      )
    }
    if config.discovery.isEmpty {
      checker.warning(
        at: located.origin(of: "job_name"), path: located.path,
        "the job \"\(config.jobName)\" has no targets",
        help: "add static_configs, file_sd_configs or the like")
    }
  }
}
