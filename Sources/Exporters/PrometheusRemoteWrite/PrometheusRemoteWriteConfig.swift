package import ConfigSchema
package import PipelineKit
internal import PrometheusData
package import Transport

/// The remote-write messages, as `protobuf_message` names them.
package enum RemoteWriteProtobufMessage: String, ConfigEnum, CaseIterable {
  case v1 = "prometheus.WriteRequest"
  case v2 = "io.prometheus.write.v2.Request"
}

/// How names are translated, as `translation_strategy` says it.
package enum RemoteWriteTranslation: String, ConfigEnum, CaseIterable {
  case underscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes"
  case underscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
  case noUTF8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes"
  case noTranslation = "NoTranslation"

  var strategy: TranslationStrategy {
    switch self {
    case .underscoreEscapingWithSuffixes: .underscoreEscapingWithSuffixes
    case .underscoreEscapingWithoutSuffixes: .underscoreEscapingWithoutSuffixes
    case .noUTF8EscapingWithSuffixes: .noUTF8EscapingWithSuffixes
    case .noTranslation: .noTranslation
    }
  }
}

/// `remote_write_queue`: the queue in front of the backend, in memory or on disk.
package struct RemoteWriteQueueConfig: ConfigGroup {
  package var enabled = true
  package var queueSize = 10_000
  package var numConsumers = 5
  package var sizer: QueueSizer = .requests
  package var blockOnOverflow = false
  package var waitForResult = false
  package var storage: ExtensionReference<StorageRole>?
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Whether to queue at all; without a queue the sender waits for the backend."),
    Field("queue_size", \.queueSize, "How much the queue holds, counted by `sizer`.", check: .atLeast(1)),
    Field(
      "num_consumers", \.numConsumers,
      "Requests of one batch under way at the same time. Batches follow each other, so that each series keeps its order.",
      check: .range(1...1000)),
    Field("sizer", \.sizer, "What `queue_size` counts."),
    Field("block_on_overflow", \.blockOnOverflow, "Wait for room when full, instead of refusing."),
    Field("wait_for_result", \.waitForResult, "Answer the sender only once the backend has answered."),
    Field(
      "storage", \.storage,
      "The storage extension that keeps the queue on disk; absent: it is in memory. What is stored survives the process."
    ),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if storage != nil, !enabled {
      checker.error(\.storage, "has no effect while the queue is not enabled", help: "set enabled: true")
    }
    if storage != nil, waitForResult {
      checker.error(
        \.waitForResult, "cannot be combined with storage",
        help: "leave it out: senders are answered once their data is on disk")
    }
  }
}

/// What becomes of counts since the last report, which Prometheus does not know.
package enum RemoteWriteDeltas: String, ConfigEnum, CaseIterable { case drop, accumulate }

/// `resource_to_telemetry_conversion`: attributes of resources as labels.
package struct ResourceToTelemetryConfig: ConfigGroup {
  package var enabled = false
  package var excludeServiceAttributes = false
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Make a label of every attribute of the resource, at each series."),
    Field(
      "exclude_service_attributes", \.excludeServiceAttributes,
      "Leave out service.name, service.namespace and service.instance.id, which are job and instance already."
    ),
  ]
}

/// `resource_constant_labels`: some attributes of resources as labels.
package struct ResourceConstantLabelsConfig: ConfigGroup {
  package var included: [String] = []
  package var excluded: [String] = []
  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "included", \.included,
      "Attributes of the resource that become labels of each series; `*` is all of them."),
    Field("excluded", \.excluded, "Attributes that do not, when all others do."),
  ]
}

/// `target_info`: the series with the attributes of resources.
package struct TargetInfoConfig: ConfigGroup {
  package var enabled = true
  package init() {}

  package static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Make a `target_info` series of the attributes of each resource.")
  ]
}

/// The settings of the `prometheus_remote_write` exporter.
package struct PrometheusRemoteWriteConfig: ConfigGroup {
  /// Keys at the top level, and those of `http`, which win as a whole.
  package var topLevelClient = Self.client
  package var http: HTTPClientConfig?
  package var retry = Self.retry
  package var queue = RemoteWriteQueueConfig()
  package var namespace = ""
  package var externalLabels = ConfigMap<String>()
  package var maxBatchSizeBytes = 3_000_000
  package var maxBatchRequestParallelism: Int?
  package var resourceToTelemetry = ResourceToTelemetryConfig()
  package var resourceConstantLabels: ResourceConstantLabelsConfig?
  package var targetInfo = TargetInfoConfig()
  package var disableScopeInfo = false
  package var addMetricSuffixes = true
  package var translationStrategy: RemoteWriteTranslation?
  package var sendMetadata = false
  package var message = RemoteWriteProtobufMessage.v1
  package var includeMetadataKeys: [String] = []
  package var convertExplicitHistograms = false
  package var keepClassicHistograms = false
  package var deltaTemporality = RemoteWriteDeltas.drop

  package init() {}

  private static var client: HTTPClientConfig { HTTPClientConfig(timeout: .seconds(5)) }
  private static var retry: RetrySettings {
    var retry = RetrySettings()
    retry.initialInterval = .milliseconds(50)
    return retry
  }

  package static let fields: [Field<Self>] = [
    .group(\.topLevelClient),
    Field(
      "http", \.http, "The HTTP client; it takes the place of the client's keys beside it.",
      initial: Self.client),
    Field("retry_on_failure", \.retry, "Trying again after a retryable failure: 5xx, 429, or no answer."),
    Field("remote_write_queue", \.queue, "The queue in front of the backend."),
    .unsupported("sending_queue", "the queue of this exporter is configured with remote_write_queue"),
    Field("namespace", \.namespace, "Put in front of every metric's name, with a `_` between them."),
    Field("external_labels", \.externalLabels, "Labels of every series that has no such label of its own."),
    Field(
      "max_batch_size_bytes", \.maxBatchSizeBytes, "The largest request, in bytes before compression.",
      check: .atLeast(1)),
    Field(
      "max_batch_request_parallelism", \.maxBatchRequestParallelism,
      "Requests of one batch under way at the same time; absent: `remote_write_queue.num_consumers`. Each series keeps its order either way.",
      check: .range(1...1000)),
    Field(
      "resource_to_telemetry_conversion", \.resourceToTelemetry,
      "Attributes of resources as labels of each series."),
    Field(
      "resource_constant_labels", \.resourceConstantLabels,
      "Chosen attributes of resources as labels of each series; in place of resource_to_telemetry_conversion."
    ),
    Field("target_info", \.targetInfo, "The series with the attributes of resources."),
    Field("disable_scope_info", \.disableScopeInfo, "Leave out the otel_scope_* labels."),
    Field(
      "add_metric_suffixes", \.addMetricSuffixes,
      "Append units and types to names; without effect beside `translation_strategy`."),
    Field(
      "translation_strategy", \.translationStrategy,
      "How names are translated; absent: UnderscoreEscapingWithSuffixes, or without suffixes where add_metric_suffixes is false."
    ),
    Field(
      "send_metadata", \.sendMetadata,
      "Send types, helps and units of metrics, each once a minute; Remote Write 2.0 has them at every series anyway."
    ),
    Field("protobuf_message", \.message, "The message to send: Remote Write 1.0 or 2.0."),
    Field(
      "include_metadata_keys", \.includeMetadataKeys,
      "Metadata of the requests that brought the data which is sent on as headers."),
    Field(
      "convert_explicit_histograms_to_nhcb", \.convertExplicitHistograms,
      "Make native histograms with custom buckets of histograms with bounds."),
    Field(
      "keep_classic_histograms", \.keepClassicHistograms,
      "Send the classic series too where convert_explicit_histograms_to_nhcb is set."),
    Field(
      "delta_temporality", \.deltaTemporality,
      "Drop counters and histograms of delta temporality, counted as `delta_temporality`, or add them up in memory; exponential histograms are dropped either way. A key of Millrace."
    ),
    .unsupported(
      "wal",
      "queued data is kept on disk by a storage extension: write remote_write_queue: {storage: file_storage}"),
    .unsupported(
      "export_created_metric", "start times are sent with Remote Write 2.0 (protobuf_message); remove the key"
    ),
    .unsupported("scope_info", "scopes are labels: leave them out with disable_scope_info: true"),
  ]

  /// The client in effect.
  package var client: HTTPClientConfig { http ?? topLevelClient }

  var strategy: TranslationStrategy {
    translationStrategy?.strategy
      ?? (addMetricSuffixes ? .underscoreEscapingWithSuffixes : .underscoreEscapingWithoutSuffixes)
  }

  var parallelism: Int { maxBatchRequestParallelism ?? queue.numConsumers }

  /// What ``SeriesWalker`` needs to know.
  var translation: TranslationSettings {
    var settings = TranslationSettings()
    settings.strategy = strategy
    settings.namespace = namespace
    settings.externalLabels = externalLabels.map { Label($0.key, $0.value) }
    settings.addsTargetInfo = targetInfo.enabled
    settings.addsScopeLabels = !disableScopeInfo
    settings.convertsToCustomBuckets = convertExplicitHistograms
    settings.keepsClassicHistograms = keepClassicHistograms
    settings.resourceLabels = ResourceLabels(resourceToTelemetry, resourceConstantLabels)
    settings.accumulatesDeltas = deltaTemporality == .accumulate
    return settings
  }

  /// The queue as the engine knows it: one batch after the other, so that each series keeps its order.
  var delivery: DeliverySettings {
    var settings = QueueSettings()
    settings.enabled = queue.enabled
    settings.numConsumers = 1
    settings.queueSize = queue.queueSize
    settings.sizer = queue.sizer
    settings.blockOnOverflow = queue.blockOnOverflow
    settings.waitForResult = queue.waitForResult
    settings.storage = queue.storage
    // Each request has its own timeout, that of the client.
    return DeliverySettings(queue: settings, retry: retry, timeout: nil, concurrency: 1)
  }

  package func check(_ checker: inout ConfigChecker) {
    if client.endpoint.isEmpty {
      checker.error(
        \.topLevelClient.endpoint, "must be set",
        help: "write \"endpoint: http://localhost:9090/api/v1/write\"")
    }
    if client.compression != .none, client.compression != .snappy {
      checker.error(
        \.topLevelClient.compression, "remote write is always compressed with snappy",
        help: "leave the key out")
    }
    if !strategy.escapes, message == .v1 {
      checker.error(
        \.translationStrategy, "names with every character need Remote Write 2.0",
        help: "set protobuf_message: io.prometheus.write.v2.Request")
    }
    if resourceConstantLabels != nil, resourceToTelemetry.enabled {
      checker.error(
        \.resourceToTelemetry, "cannot be combined with resource_constant_labels",
        help: "leave one of them out")
    }
    if keepClassicHistograms, !convertExplicitHistograms {
      checker.warning(
        \.keepClassicHistograms, "has no effect without convert_explicit_histograms_to_nhcb")
    }
    checkExternalLabels(&checker)
  }

  private func checkExternalLabels(_ checker: inout ConfigChecker) {
    var keys: [String: String] = [:]
    for label in externalLabels {
      guard label.key != "__name__", let name = LabelNaming.name(label.key, escapes: strategy.escapes) else {
        checker.error(\.externalLabels, at: label.key, "is not a name that a label can have")
        continue
      }
      if label.value.isEmpty {
        checker.error(
          \.externalLabels, at: label.key, "is empty: a label without a value is none",
          help: "give it a value, or leave it out")
      }
      if let other = keys.updateValue(label.key, forKey: name) {
        checker.error(
          \.externalLabels, at: label.key, "becomes the label \(name), as \(other) does",
          help: "keep one of the two")
      }
    }
  }
}
