package import ConfigSchema
package import PipelineKit
package import TelemetryData
package import Transport

/// The encodings of OTLP/HTTP.
package enum OTLPHTTPBodyEncoding: String, ConfigEnum, CaseIterable { case proto, json }

/// The settings of the `otlp_http` exporter.
package struct OTLPHTTPExporterConfig: ConfigGroup {
  package var client = HTTPClientConfig(timeout: .seconds(30), compression: .gzip)
  package var tracesEndpoint = ""
  package var metricsEndpoint = ""
  package var logsEndpoint = ""
  package var encoding = OTLPHTTPBodyEncoding.proto
  package var retry = RetrySettings()
  package var queue = QueueSettings()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.client),
    Field("traces_endpoint", \.tracesEndpoint, "The whole URL for traces, instead of endpoint + /v1/traces."),
    Field(
      "metrics_endpoint", \.metricsEndpoint, "The whole URL for metrics, instead of endpoint + /v1/metrics."),
    Field("logs_endpoint", \.logsEndpoint, "The whole URL for logs, instead of endpoint + /v1/logs."),
    .unsupported("profiles_endpoint", "profiles are not carried; remove the key"),
    Field("encoding", \.encoding, "The encoding of the body: protobuf or OTLP-JSON."),
    Field("retry_on_failure", \.retry, "Trying again after a retryable failure."),
    Field("sending_queue", \.queue, "The memory queue in front of the backend."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    for (key, endpoint) in [
      (\Self.tracesEndpoint, tracesEndpoint), (\.metricsEndpoint, metricsEndpoint),
      (\.logsEndpoint, logsEndpoint),
    ] where !endpoint.isEmpty {
      if client.auth != nil, let exposure = ClientExposure.ofCredentials(url: endpoint) {
        checker.warning(key, exposure)
      }
      guard let problem = FieldCheck<String>.url.problem(endpoint) else { continue }
      checker.error(key, problem.message, help: "write http://host:port/path")
    }
    if client.endpoint.isEmpty, tracesEndpoint.isEmpty, metricsEndpoint.isEmpty, logsEndpoint.isEmpty {
      checker.error(
        \.client.endpoint, "at least one endpoint must be set",
        help: "write \"endpoint: http://localhost:4318\"")
    }
  }

  /// Where batches of `signal` go; nil when no address is configured for them.
  package func url(of signal: Signal) -> String? {
    let own =
      switch signal {
      case .traces: tracesEndpoint
      case .metrics: metricsEndpoint
      case .logs: logsEndpoint
      }
    if !own.isEmpty { return own }
    if client.endpoint.isEmpty { return nil }
    let base = client.endpoint
    return (base.hasSuffix("/") ? String(base.dropLast()) : base) + signal.exportPath
  }
}
