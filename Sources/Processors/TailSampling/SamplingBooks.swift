internal import Logging
internal import PipelineKit
internal import TelemetryData

/// Books spans that a sampler ends, each under the reason it has.
struct SamplingBooks {
  /// The verdict on a trace that no policy wanted.
  static let noPolicy: UInt16 = 0

  private let lines: [SelfMetricCell]
  private let unidentified: SelfMetricCell
  private let pendingAtEnd: SelfMetricCell
  private let idLog: RateLimitedLog
  private let earlyLogs: [RateLimitedLog]

  /// Why there was no room for a trace until it was due.
  enum Shortage: Int, CaseIterable {
    case traces, bytes, greed

    fileprivate var advice: String {
      switch self {
      case .traces: "there are num_traces of them in memory; raise num_traces, or shorten decision_wait"
      case .bytes: "they take half of the memory there is; give the process more, or shorten decision_wait"
      case .greed:
        "one alone takes a sixteenth of the memory there is; with maximum_trace_size_bytes such traces are dropped"
      }
    }
  }

  /// - Parameter policies: their names, in the order of their positions.
  init(_ context: ComponentContext, policies: [String]) {
    let (ledger, id) = (context.ledger, context.id.description)
    lines =
      [ledger.cell(.sampled, signal: .traces, reason: id)]
      + policies.map { ledger.cell(.sampled, signal: .traces, reason: "\(id): \($0)") }
      + [ledger.cell(.dropped, signal: .traces, reason: "\(id): trace_too_large")]
    unidentified = ledger.cell(.dropped, signal: .traces, reason: "\(id): no_trace_id")
    pendingAtEnd = ledger.cell(.dropped, signal: .traces, reason: "\(id): pending_at_shutdown")
    idLog = RateLimitedLog(context.logger, clock: context.clock)
    earlyLogs = Shortage.allCases.map { _ in RateLimitedLog(context.logger, clock: context.clock) }
  }

  /// The verdict on a trace that a policy drops, by its position; nil for none.
  func verdict(_ policy: Int?) -> UInt16 {
    policy.map { UInt16(truncatingIfNeeded: $0 + 1) } ?? Self.noPolicy
  }
  var tooLarge: UInt16 { UInt16(truncatingIfNeeded: lines.count - 1) }

  func notSampled(_ spans: Int, verdict: UInt16) { lines[Int(verdict)].add(spans) }

  func decidedEarly(_ reason: Shortage) {
    earlyLogs[reason.rawValue].log(
      .warning, "decided about traces before decision_wait was over",
      metadata: ["reason": "\(reason.advice)"])
  }

  func droppedAtEnd(_ spans: Int) { pendingAtEnd.add(spans) }

  func withoutID(_ spans: Int) {
    unidentified.add(spans)
    idLog.log(.warning, "dropped spans: without a trace id of 16 bytes they belong to no trace")
  }
}
