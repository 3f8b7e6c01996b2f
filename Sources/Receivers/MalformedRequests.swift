internal import Logging
internal import PipelineKit
internal import TelemetryData

/// Counts and logs requests whose payload never became a batch, so that no item count can show them.
final class MalformedRequests: Sendable {
  private let count: SelfMetricCell
  private let log: RateLimitedLog
  private let transport: String

  init(context: ComponentContext, transport: String) {
    self.transport = transport
    count = context.metrics.counter(
      "millrace_receiver_malformed_requests",
      help: "Requests answered as malformed, because their payload is not valid in the receiver's protocol.",
      labels: [("receiver", context.id.description), ("transport", transport)])
    log = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Counts one request.
  func record(_ error: any Error, signal: Signal, peer: String) {
    count.add()
    log.log(
      .warning, "a malformed request was refused",
      metadata: [
        "transport": "\(transport)", "signal": "\(signal.rawValue)", "peer": "\(peer)", "error": "\(error)",
      ])
  }
}
