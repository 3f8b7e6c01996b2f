import TelemetryData

/// A parser that meets outside bytes, with what must hold for every input.
enum FuzzTarget: String, CaseIterable, Sendable {
  case traces
  case metrics
  case logs
  case jsonTraces = "json-traces"
  case jsonMetrics = "json-metrics"
  case jsonLogs = "json-logs"
  /// The bodies a backend answers with: partial successes and `google.rpc.Status`, binary and JSON.
  case responses

  /// Runs one input.
  ///
  /// - Throws: ``OracleFailure`` when a property does not hold. Input that is refused is a normal end.
  func run(_ input: [UInt8]) throws {
    switch self {
    case .traces: try WireOracle.check(input, signal: .traces)
    case .metrics: try WireOracle.check(input, signal: .metrics)
    case .logs: try WireOracle.check(input, signal: .logs)
    case .jsonTraces: try JSONOracle.check(input, signal: .traces)
    case .jsonMetrics: try JSONOracle.check(input, signal: .metrics)
    case .jsonLogs: try JSONOracle.check(input, signal: .logs)
    case .responses: try ResponseOracle.check(input)
    }
  }

  /// Whether inputs are protobuf, so that mutations of fields reach further than mutations of bytes.
  var isProtobuf: Bool {
    switch self {
    case .traces, .metrics, .logs: true
    case .jsonTraces, .jsonMetrics, .jsonLogs, .responses: false
    }
  }
}
