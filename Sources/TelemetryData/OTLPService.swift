extension Signal {
  /// The path of the signal's `Export` method in OTLP/gRPC.
  package var exportMethod: String {
    switch self {
    case .traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    case .metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    case .logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
    }
  }

  /// The signal's default path in OTLP/HTTP.
  package var exportPath: String {
    switch self {
    case .traces: "/v1/traces"
    case .metrics: "/v1/metrics"
    case .logs: "/v1/logs"
    }
  }
}
