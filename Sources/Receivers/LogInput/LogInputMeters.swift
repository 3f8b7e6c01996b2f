internal import LogData
internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import TelemetryData

/// Counts and logs what becomes of records before they are in a batch, for all lanes of a receiver.
final class LogInputMeters: Sendable {
  /// What operators may know besides entries.
  let operatorContext: OperatorContext
  private let context: ComponentContext
  private let failures: RateLimitedLog
  private let filtered: SelfMetricCell
  private let dropped: SelfMetricCell
  private let received: SelfMetricCell
  private let syslogFailures: SelfMetricCell

  init(_ context: ComponentContext) {
    self.context = context
    let (clock, randomness) = (context.clock, context.randomness)
    operatorContext = OperatorContext(
      environment: ExpressionEnvironment(
        variables: ProcessEnvironment.variables, now: { clock.unixNanoseconds }),
      random: { UInt64(randomness.unit() * 0x1p53) << 11 })
    failures = RateLimitedLog(context.logger, clock: context.clock)
    syslogFailures = Self.failures(of: "syslog", context)
    let reason = context.id.description
    received = context.ledger.cell(.received, signal: .logs, reason: reason)
    filtered = context.ledger.cell(.filtered, signal: .logs, reason: reason)
    dropped = context.ledger.cell(.dropped, signal: .logs, reason: "operator_error")
  }

  var clock: any PipelineClock { context.clock }

  /// Logs what an operator could not do with a record.
  func failed(_ id: String, _ error: LogOperatorError) {
    failures.log(
      .error, "an operator cannot process a log record",
      metadata: ["operator": "\(id)", "reason": "\(error)"])
  }

  /// Counts a message that is none of syslog, and logs it unless `on_error` is quiet.
  func syslogFailed(_ error: LogOperatorError, _ onError: OnError) {
    syslogFailures.add(1)
    if !onError.sends { book(1, in: dropped) }
    guard !onError.isQuiet else { return }
    failures.log(.error, "what came is no syslog message", metadata: ["reason": "\(error)"])
  }

  /// Books what operators did.
  func add(_ counts: [OperatorCounts], since before: [OperatorCounts]) {
    for (now, before) in zip(counts, before) {
      if now.failed > before.failed {
        Self.failures(of: now.id, context).add(Int(clamping: now.failed - before.failed))
      }
      book(Int(clamping: now.filtered - before.filtered), in: filtered)
      book(Int(clamping: now.dropped - before.dropped), in: dropped)
    }
  }

  private static func failures(of id: String, _ context: ComponentContext) -> SelfMetricCell {
    context.metrics.counter(
      "millrace_operator_failures", help: "Log records that an operator could not process.",
      labels: [(name: "receiver", value: context.id.description), (name: "operator", value: id)])
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
