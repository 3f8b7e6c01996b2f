internal import PipelineKit
internal import TelemetryData

/// The policies of a sampler: what they ask of spans, and what they decide together.
struct PolicySet {
  struct Entry {
    let name: String
    let policy: SamplingPolicy
    let meters: TailSamplingMeters.Policy
  }

  /// A decision, and the position of the policy behind it; nil when none wanted the trace.
  struct Verdict: Equatable {
    var decision: PolicyDecision
    var policy: Int?
  }

  let conditions: SpanConditions
  /// Those that drop come first.
  let entries: [Entry]
  private let stopsAtFirstMatch: Bool

  init(_ entries: [Entry], conditions: SpanConditions, stopsAtFirstMatch: Bool) {
    self.entries = entries
    self.conditions = conditions
    self.stopsAtFirstMatch = stopsAtFirstMatch
  }

  /// What policies said since it was published: they are asked for every trace, and each says something.
  struct Tally {
    private static let decisions = PolicyDecision.allCases.count
    private var counts: [(traces: Int, spans: Int)]

    init(_ policies: PolicySet) {
      counts = Array(repeating: (0, 0), count: policies.entries.count * Self.decisions)
    }

    fileprivate mutating func count(_ decision: PolicyDecision, of policy: Int, spans: Int) {
      let place = policy * Self.decisions + Int(decision.rawValue)
      counts[place].traces += 1
      counts[place].spans += spans
    }

    /// Shows it in the meters of the policies, and begins anew.
    mutating func publish(_ policies: PolicySet) {
      for place in counts.indices where counts[place].traces > 0 {
        guard let decision = PolicyDecision(rawValue: UInt8(place % Self.decisions)) else { continue }
        let (traces, spans) = counts[place]
        policies.entries[place / Self.decisions].meters.count(decision, traces: traces, spans: spans)
        counts[place] = (0, 0)
      }
    }
  }

  /// Asks the policies: one that drops has the last word, then one of `invert_match` that found its match; then one that
  /// keeps; then one of `invert_match` that found none, where no other wants the trace dropped.
  func decide(_ trace: TraceSummary, at time: DecisionTime, counting tally: inout Tally) -> Verdict {
    var (sampled, invertedSampled): (Int?, Int?)
    var (isRefused, isVetoed) = (false, false)
    for position in entries.indices {
      let decision = entries[position].policy.decide(trace, at: time)
      tally.count(decision, of: position, spans: trace.spans)
      switch decision {
      case .dropped: return Verdict(decision: .dropped, policy: position)
      case .sampled: sampled = sampled ?? position
      case .notSampled: isRefused = true
      case .invertedSampled: invertedSampled = invertedSampled ?? position
      case .invertedNotSampled: isVetoed = true
      }
      if stopsAtFirstMatch, decision == .sampled { break }
    }
    if isVetoed { return Verdict(decision: .notSampled) }
    if let sampled { return Verdict(decision: .sampled, policy: sampled) }
    if let invertedSampled, !isRefused { return Verdict(decision: .sampled, policy: invertedSampled) }
    return Verdict(decision: .notSampled)
  }
}
