internal import LogData
internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import TelemetryData

/// Counts and logs what becomes of records before they are in a batch, for all lanes of a receiver.
final class LogInputMeters: Sendable {
  /// The process' environment, for expressions.
  let variables: [String: String]
  private let context: ComponentContext
  private let failures: RateLimitedLog
  private let filtered: SelfMetricCell
  private let dropped: SelfMetricCell
  private let received: SelfMetricCell

  init(_ context: ComponentContext) {
    self.context = context
    variables = ProcessEnvironment.variables
    failures = RateLimitedLog(context.logger, clock: context.clock)
    let reason = context.id.description
    received = context.ledger.cell(.received, signal: .logs, reason: reason)
    filtered = context.ledger.cell(.filtered, signal: .logs, reason: reason)
    dropped = context.ledger.cell(.dropped, signal: .logs, reason: "operator_error")
  }

  /// Logs what an operator could not do with a record.
  func failed(_ id: String, _ error: LogOperatorError) {
    failures.log(
      .error, "an operator cannot process a log record",
      metadata: ["operator": "\(id)", "reason": "\(error)"])
  }

  /// Books what operators did.
  func add(_ counts: [OperatorCounts], since before: [OperatorCounts]) {
    for (now, before) in zip(counts, before) {
      let labels = [("receiver", context.id.description), ("operator", now.id)]
      if now.failed > before.failed {
        context.metrics.counter(
          "millrace_operator_failures", help: "Log records that an operator could not process.",
          labels: labels.map { (name: $0.0, value: $0.1) }
        ).add(Int(clamping: now.failed - before.failed))
      }
      book(Int(clamping: now.filtered - before.filtered), in: filtered)
      book(Int(clamping: now.dropped - before.dropped), in: dropped)
    }
  }

  /// Books records that came in and ended at once.
  private func book(_ records: Int, in cell: SelfMetricCell) {
    guard records > 0 else { return }
    received.add(records)
    cell.add(records)
  }

  /// Books records that could not be kept until they were taken.
  func overflowed(_ records: Int, reason: String) {
    received.add(records)
    context.ledger.record(.dropped, records, signal: .logs, reason: reason)
  }
}
