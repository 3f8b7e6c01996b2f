package import ConfigSchema
internal import PrometheusData
package import Transport

/// The settings of the `prometheus` exporter: an HTTP server, and how series are made.
package struct PrometheusExporterConfig: ConfigGroup {
  package var server = HTTPServerConfig(endpoint: "localhost:8889")
  package var namespace = ""
  package var constLabels = ConfigMap<String>()
  package var sendTimestamps = false
  package var metricExpiration: Duration = .seconds(300)
  package var enableOpenMetrics = false
  package var addMetricSuffixes = true
  package var translationStrategy: RemoteWriteTranslation?
  package var resourceToTelemetry = ResourceToTelemetryConfig()
  package var resourceConstantLabels: ResourceConstantLabelsConfig?
  package var withoutScopeInfo = false
  package var targetInfo = TargetInfoConfig()
  package var maxBytes: ByteCount = .mebibytes(256)

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.server),
    Field("namespace", \.namespace, "Put in front of every metric's name, with an underscore."),
    Field("const_labels", \.constLabels, "Labels of every series."),
    Field("send_timestamps", \.sendTimestamps, "Whether samples carry the times of their data points."),
    Field(
      "metric_expiration", \.metricExpiration,
      "How long a series is exposed without a new value.", check: .atLeast(.milliseconds(1))),
    Field(
      "enable_open_metrics", \.enableOpenMetrics,
      "Whether scrapers that ask for OpenMetrics get it, exemplars among it."),
    Field(
      "add_metric_suffixes", \.addMetricSuffixes,
      "Whether names get units and types; `translation_strategy` says it better."),
    Field("translation_strategy", \.translationStrategy, "How names become Prometheus names."),
    Field(
      "resource_to_telemetry_conversion", \.resourceToTelemetry,
      "Attributes of resources as labels of series."),
    Field(
      "resource_constant_labels", \.resourceConstantLabels,
      "Chosen attributes of resources as labels of series."),
    Field("without_scope_info", \.withoutScopeInfo, "Leave out the labels `otel_scope_*`."),
    Field("target_info", \.targetInfo, "The series about resources."),
    Field(
      "max_bytes", \.maxBytes,
      "Most memory for series, about; points of further series are refused. Not a key of the Collector.",
      check: .atLeast(65_536)),
    .unsupported(
      "sending_queue", "series are only kept in memory, so there is nothing to queue; remove the key"),
    .unsupported(
      "retry_on_failure", "series are only kept in memory, so nothing is tried again; remove the key"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.isPresent(\.translationStrategy), checker.isPresent(\.addMetricSuffixes) {
      checker.warning(
        \.addMetricSuffixes, "has no effect beside translation_strategy", help: "remove it")
    }
    if checker.isPresent(\.resourceConstantLabels), resourceToTelemetry.enabled {
      checker.error(
        \.resourceConstantLabels, "resource_to_telemetry_conversion is enabled, too",
        help: "keep one of the two")
    }
    for label in constLabels where label.key.isEmpty || label.key == "__name__" {
      checker.error(\.constLabels, at: label.key, "is not a label that a series can be given")
    }
  }

  /// How batches become series.
  var translation: TranslationSettings {
    var settings = TranslationSettings()
    settings.strategy =
      translationStrategy?.strategy
      ?? (addMetricSuffixes ? .underscoreEscapingWithSuffixes : .underscoreEscapingWithoutSuffixes)
    settings.namespace = namespace
    settings.externalLabels = constLabels.map { Label($0.key, $0.value) }
    settings.resourceLabels = ResourceLabels(resourceToTelemetry, resourceConstantLabels)
    settings.addsTargetInfo = targetInfo.enabled
    settings.addsScopeLabels = !withoutScopeInfo
    settings.handsOutDeltas = true
    return settings
  }
}

extension ResourceLabels {
  /// What the two settings about attributes of resources come to; the one that chooses wins.
  init(_ conversion: ResourceToTelemetryConfig, _ chosen: ResourceConstantLabelsConfig?) {
    self = conversion.enabled ? .all(exceptService: conversion.excludeServiceAttributes) : .none
    guard let chosen else { return }
    self = .none
    if chosen.included.contains("*") || chosen.included.isEmpty && !chosen.excluded.isEmpty {
      self = chosen.excluded.isEmpty ? .all(exceptService: false) : .except(chosen.excluded)
    } else if !chosen.included.isEmpty {
      self = .only(chosen.included.filter { !chosen.excluded.contains($0) })
    }
  }
}
