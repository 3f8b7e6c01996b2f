internal import Logging
internal import PipelineKit
internal import TelemetryData
internal import TraceFormats
internal import Transport

/// What receivers of other formats than OTLP count of what they were sent, since no item count can show it.
struct TraceIntake: Sendable {
  private let malformed: MalformedRequests
  private let invalid: [(reason: SpanDrops.Reason, count: SelfMetricCell)]
  private let log: RateLimitedLog

  init(context: ComponentContext, transport: String) {
    malformed = MalformedRequests(context: context, transport: transport)
    invalid = SpanDrops.Reason.allCases.map { reason in
      let cell = context.metrics.counter(
        "millrace_receiver_rejected_spans",
        help: "Spans that were sent without valid ids, and so were not taken.",
        labels: [
          ("receiver", context.id.description), ("transport", transport), ("reason", reason.rawValue),
        ])
      return (reason, cell)
    }
    log = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Counts a request that could not be read.
  func record(_ error: any Error, peer: String) { malformed.record(error, signal: .traces, peer: peer) }

  /// Counts the spans that were left out.
  func record(_ faults: SpanDrops, peer: String) {
    if faults.total == 0 { return }
    for (reason, spans) in faults.byReason { invalid.first { $0.reason == reason }?.count.add(spans) }
    log.log(
      .warning, "spans without valid ids were left out",
      metadata: [
        "spans": "\(faults.total)", "first": "\(faults.byReason.first?.reason.rawValue ?? "")",
        "peer": "\(peer)",
      ])
  }

  /// What a sender is told none of whose spans was taken.
  static func explanation(_ faults: SpanDrops) -> String {
    let reasons = faults.byReason.map { "\($0.spans) × \($0.reason.rawValue)" }.joined(separator: ", ")
    return "no span has valid ids: \(reasons)"
  }
}

/// Answers one request of spans over HTTP from its batch's outcome.
final class TraceHTTPAnswer: OutcomeHandler {
  private let responder: HTTPResponder

  init(_ responder: HTTPResponder) { self.responder = responder }

  func resolved(_ outcome: Outcome) { responder.respond(Self.answer(outcome)) }

  /// Jaeger and Zipkin know no answer for a part: what was rejected of it is counted, and not sent again.
  static func answer(_ outcome: Outcome) -> HTTPAnswer {
    switch outcome {
    case .accepted, .partial: return HTTPAnswer(status: 202)
    case .rejected(let reason): return .text(400, reason)
    case .refused(let reason, let after):
      var answer = HTTPAnswer.text(503, reason)
      answer.headers = [("Retry-After", Refusal.wholeSeconds(after ?? Refusal.defaultDelay))]
      return answer
    }
  }
}
