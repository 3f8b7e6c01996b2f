internal import PipelineKit
internal import Synchronization
internal import TelemetryData

/// How many items of one batch were decided by what, and with which faults.
struct SamplingTally {
  /// By policy: how many were left out, and how many kept.
  fileprivate var decisions = [Int](repeating: 0, count: 2 * RandomnessSource.allCases.count)
  fileprivate var faults = [Int](repeating: 0, count: SamplingFault.allCases.count)

  mutating func count(_ verdict: SamplingVerdict) {
    decisions[2 * verdict.policy.rawValue + (verdict.isKept ? 1 : 0)] += 1
    if let fault = verdict.fault { faults[fault.rawValue] += 1 }
  }

  /// Items with any fault.
  var faulty: Int { faults.reduce(0, +) }
}

/// The sampler's metrics about itself: decisions under the Collector's name, and faults.
///
/// A series is there once there is something to count, as in the Collector.
final class SamplerMeters: Sendable {
  private let cells = Mutex<[Int: SelfMetricCell]>([:])
  private let metrics: SelfMetrics
  private let id: String
  private let signal: Signal
  private let attribute: String

  init(_ context: ComponentContext, signal: Signal, attribute: String) {
    metrics = context.metrics
    id = context.id.description
    self.signal = signal
    self.attribute = attribute
  }

  func add(_ tally: SamplingTally) {
    for (key, count) in tally.decisions.enumerated() where count > 0 { decision(key).add(count) }
    for (key, count) in tally.faults.enumerated() where count > 0 { fault(key).add(count) }
  }

  private func decision(_ key: Int) -> SelfMetricCell {
    cell(key) {
      let policy = RandomnessSource(rawValue: key / 2) ?? .missingRandomness
      return metrics.counter(
        "otelcol_processor_probabilistic_sampler_count_\(signal == .logs ? "logs" : "traces")_sampled",
        help:
          "\(signal == .logs ? "Log records" : "Spans") by what decided about them, and whether they were kept.",
        labels: [
          ("processor", id), ("policy", name(of: policy)), ("sampled", key % 2 == 0 ? "false" : "true"),
        ])
    }
  }

  private func fault(_ key: Int) -> SelfMetricCell {
    cell(-1 - key) {
      metrics.counter(
        "millrace_probabilistic_sampler_faulty_items",
        help: "Items that could not be sampled by what they say, about which fail_closed decided.",
        labels: [
          ("processor", id), ("signal", signal.rawValue),
          ("reason", SamplingFault(rawValue: key)?.reason ?? ""),
        ])
    }
  }

  private func cell(_ key: Int, _ make: () -> SelfMetricCell) -> SelfMetricCell {
    cells.withLock { cells in
      if let cell = cells[key] { return cell }
      let cell = make()
      cells[key] = cell
      return cell
    }
  }

  private func name(of policy: RandomnessSource) -> String {
    switch policy {
    case .traceIDHash: "trace_id_hash"
    case .traceIDW3C: "trace_id_w3c"
    case .samplingRandomness: "sampling_randomness"
    case .samplingPriority: "sampling_priority"
    case .missingRandomness: "missing_randomness"
    case .attribute: attribute
    }
  }
}
