/// The kinds of telemetry that flow, each with its own OTLP service.
public enum Signal: String, Sendable, CaseIterable, Hashable {
  case traces
  case metrics
  case logs
}
