package import ConfigSchema
package import Logging

/// The `service` section.
package struct ServiceConfig: ConfigGroup {
  var extensions: [ConfigNode] = []
  var pipelines = ConfigMap<PipelineConfig>()
  var delivery = DeliveryMode.standard
  package var telemetry = TelemetryConfig()
  package var memory = MemoryConfig()
  var admin: ConfigNode?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("extensions", \.extensions, "Extensions to start, by id."),
    Field(
      "pipelines", \.pipelines, "Pipelines by id: `traces`, `metrics` or `logs`, with an optional `/name`."),
    Field(
      "delivery", \.delivery,
      "When senders are told that their data was taken: `standard`, once it is in the next queue, in memory or on disk; "
        + "`at_least_once`, once it is on disk or the backends have taken it."),
    Field("telemetry", \.telemetry, "What the collector reports about itself."),
    Field("memory", \.memory, "Bounds of what the whole process holds; not a key of the Collector."),
    Field(
      "admin", \.admin, "The address for operators, with the keys of an HTTP server; absent: there is none."),
  ]
}

/// `service.delivery`.
package enum DeliveryMode: String, ConfigEnum, CaseIterable {
  case standard
  case atLeastOnce = "at_least_once"
}

/// One pipeline: which components, in which order.
package struct PipelineConfig: ConfigGroup {
  var receivers: [ConfigNode] = []
  var processors: [ConfigNode] = []
  var exporters: [ConfigNode] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("receivers", \.receivers, "Where data comes from, by id."),
    Field("processors", \.processors, "What happens to it, in this order."),
    Field("exporters", \.exporters, "Where it goes; each gets everything."),
  ]
}

/// `service.telemetry`.
package struct TelemetryConfig: ConfigGroup {
  package var metrics = MetricsTelemetryConfig()
  package var logs = LogsTelemetryConfig()
  package var resource: ConfigMap<ConfigNode> = [:]
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("metrics", \.metrics, "The collector's own metrics."),
    Field("logs", \.logs, "The collector's own log."),
    Field("resource", \.resource, "Resource attributes of the collector itself; null removes a default one."),
    .unsupported("traces", "the collector records no traces of its own; remove the section"),
  ]
}

extension TelemetryConfig {
  /// The attributes of the collector itself, as labels of `target_info`.
  package func resourceAttributes(version: String) -> [(name: String, value: String)] {
    var attributes = ["service.name": "millrace", "service.version": version]
    for entry in resource {
      attributes[entry.key] = entry.value.isNull ? nil : entry.value.text
    }
    return attributes.sorted { $0.key < $1.key }.map { key, value in
      (String(key.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }), value)
    }
  }
}

/// How much the collector's own metrics tell.
package enum MetricsLevel: String, ConfigEnum, CaseIterable { case none, basic, normal, detailed }

/// `service.telemetry.metrics`.
package struct MetricsTelemetryConfig: ConfigGroup {
  package var level: MetricsLevel = .normal
  package var readers: [MetricReaderConfig]?
  package var address: String?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("level", \.level, "`none` serves no metrics at all."),
    Field("readers", \.readers, "Where the metrics are served; by default on 127.0.0.1:8888."),
    .deprecated("address", use: "readers", \.address, "host:port of the metrics endpoint."),
    .unsupported("views", "own metrics cannot be reshaped; drop or rename them where they are scraped"),
  ]

  /// Where to serve `/metrics`, `host:port`, and whether counters are called `_total` there.
  package var endpoints: [(address: String, hasTypeSuffix: Bool)] {
    if level == .none { return [] }
    if let readers {
      return readers.compactMap(\.pull?.exporter.prometheus).map { ($0.address, !$0.withoutTypeSuffix) }
    }
    return [(address ?? "127.0.0.1:8888", false)]
  }
}

/// One entry of `service.telemetry.metrics.readers`.
package struct MetricReaderConfig: ConfigGroup {
  package var pull: PullReaderConfig?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("pull", \.pull, "A reader that is scraped."),
    .unsupported(
      "periodic", "own metrics are served for scraping only; use a pull reader and scrape it"),
  ]
}

/// `pull:` of a metric reader.
package struct PullReaderConfig: ConfigGroup {
  package var exporter = PullExporterConfig()
  package init() {}

  package static let fields: [Field<Self>] = [Field("exporter", \.exporter, "What serves the metrics.")]
}

/// `pull.exporter:` of a metric reader.
package struct PullExporterConfig: ConfigGroup {
  package var prometheus: PrometheusReaderConfig?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("prometheus", \.prometheus, "Prometheus' text format at `/metrics`.")
  ]
}

/// `pull.exporter.prometheus:` of a metric reader.
package struct PrometheusReaderConfig: ConfigGroup {
  package var host = "localhost"
  package var port = 8888
  package var withoutTypeSuffix = true
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("host", \.host, "Address to listen on."),
    Field("port", \.port, "Port to listen on.", check: .range(0...65535)),
    Field(
      "without_type_suffix", \.withoutTypeSuffix,
      "Leave the suffix `_total` off the names of counters, as dashboards for the Collector expect."),
    .accepted("without_units", "own metrics carry no unit suffixes"),
    .accepted("without_scope_info", "own metrics carry no scope labels"),
    .accepted("with_resource_constant_labels", "resource attributes are in target_info"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if host != "localhost", host != "::1", !host.hasPrefix("127.") {
      checker.warning(
        \.host, "own metrics can be read from other machines, in plaintext and by anybody",
        help: "listen on localhost; fine where the network is trusted, as within a pod")
    }
  }

  var address: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How log lines look.
package enum LogEncoding: String, ConfigEnum, CaseIterable { case console, json }

/// `service.telemetry.logs`.
package struct LogsTelemetryConfig: ConfigGroup {
  package var level = "INFO"
  package var encoding: LogEncoding = .console
  package var outputPaths = ["stderr"]
  package var initialFields: ConfigMap<String> = [:]
  package init() {}

  /// The level as the logger knows it.
  package var loggerLevel: Logger.Level {
    switch level.uppercased() {
    case "DEBUG": .debug
    case "WARN": .warning
    case "ERROR": .error
    default: .info
    }
  }

  package static let fields: [Field<Self>] = [
    Field(
      "level", \.level, "DEBUG, INFO, WARN or ERROR.",
      check: .custom {
        ["DEBUG", "INFO", "WARN", "ERROR"].contains($0.uppercased())
          ? nil : "must be one of DEBUG, INFO, WARN, ERROR"
      }),
    Field("encoding", \.encoding, "Lines for people, or one JSON object per line."),
    Field(
      "output_paths", \.outputPaths, "`stderr` or `stdout`.",
      check: .custom { $0.allSatisfy { $0 == "stderr" || $0 == "stdout" } ? nil : "must be stderr or stdout" }
    ),
    Field("initial_fields", \.initialFields, "Fields added to every line."),
    .accepted("development", "there is one mode of logging"),
    .accepted("disable_caller", "lines carry the component instead of a source position"),
    .accepted("disable_stacktrace", "lines carry no stack traces"),
    .accepted("sampling", "repeated warnings are limited, and counted, where they arise"),
    .accepted("error_output_paths", "errors of logging itself go to stderr"),
    .unsupported("processors", "own logs are not exported over OTLP; read them from stderr"),
  ]
}
