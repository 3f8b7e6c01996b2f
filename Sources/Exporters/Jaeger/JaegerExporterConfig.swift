package import ConfigSchema
package import PipelineKit
package import Transport

/// What a Jaeger server is spoken to in.
package enum JaegerProtocol: String, ConfigEnum, CaseIterable {
  /// `jaeger.api_v2.CollectorService/PostSpans`, usually at port 14250.
  case apiV2 = "api_v2"
  /// OTLP, usually at port 4317, which Jaeger takes since 1.35.
  case otlp
}

/// The settings of the `jaeger` exporter: those of the Collector until 0.85, and the protocol.
package struct JaegerExporterConfig: ConfigGroup {
  package var client = GRPCClientConfig()
  package var `protocol` = JaegerProtocol.apiV2
  package var timeout: Duration = .seconds(5)
  package var retry = RetrySettings()
  package var queue = QueueSettings()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.client),
    Field(
      "protocol", \.protocol,
      "What is sent: `api_v2` to a Jaeger collector's port 14250, `otlp` to today's Jaeger at port 4317."),
    Field(
      "timeout", \.timeout,
      "How long one try may take, with all requests of a batch; 0 is no limit.", check: .atLeast(.zero)),
    Field("retry_on_failure", \.retry, "Trying again after a retryable failure."),
    Field("sending_queue", \.queue, "The memory queue in front of the backend."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if self.protocol == .apiV2, client.endpoint.hasSuffix(":4317") {
      checker.warning(
        \.client.endpoint, "4317 is where Jaeger takes OTLP",
        help: "set `protocol: otlp`, or the port of api_v2, 14250")
    }
    if self.protocol == .otlp, client.endpoint.hasSuffix(":14250") {
      checker.warning(
        \.client.endpoint, "14250 is where Jaeger takes api_v2",
        help: "leave `protocol` out, or set the port of OTLP, 4317")
    }
  }
}
