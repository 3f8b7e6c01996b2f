import ConfigSchema
import Logging
import PipelineKit
import TelemetryData

@testable import Processors

/// What must hold for every batch: no span is lost, and whatever is kept leaves as it came.
enum TailSamplingOracle {
  static func check(_ input: [UInt8]) throws {
    guard let batch = try? Batch(bytes: input, signal: .traces, validation: .framing) else { return }
    let isSound = (try? Batch(bytes: input, signal: .traces, validation: .structure)) != nil
    for (limits, policies) in zip([loose, tight], [everything, few]) {
      let clock = StillClock()
      let context = context(clock)
      var compiler = PolicyCompiler(meters: TailSamplingMeters.unpublished)
      let set = PolicySet(
        try compiler.entries(policies), conditions: compiler.conditions, stopsAtFirstMatch: false)
      var sampler = TailSampler(
        limits, policies: set, meters: TailSamplingMeters(context), context: context)
      var kept = 0
      func count(_ batch: Batch?) throws {
        guard let batch else { return }
        kept += batch.itemCount
        if isSound {
          _ = try demand("reading what is kept") {
            try Batch(bytes: batch.bytes, signal: .traces, validation: .structure)
          }
        }
      }
      for second in [0, 20] {
        let now = MonotonicInstant(nanoseconds: Int64(second) * 1_000_000_000)
        var (position, isDone) = (0, false)
        while !isDone {
          var late: Batch?
          isDone = sampler.take(batch, from: &position, at: now, late: &late)
          try count(late)
          while let output = sampler.takeOutput() { try count(output) }
        }
        while !sampler.decideDue(at: now + .seconds(15)) { try count(sampler.takeOutput()) }
        while let output = sampler.takeOutput() { try count(output) }
      }
      while !sampler.decideAll(at: clock.now) { try count(sampler.takeOutput()) }
      while let output = sampler.takeOutput() { try count(output) }
      let ended = context.ledger.ended(of: .traces)
      try require(
        kept + ended == 2 * batch.itemCount,
        "of \(2 * batch.itemCount) spans \(kept) were kept and \(ended) ended")
      try require(sampler.pendingTraces == 0, "traces are left")
    }
  }

  private struct StillClock: PipelineClock {
    var now: MonotonicInstant { MonotonicInstant(nanoseconds: 60_000_000_000) }
    var unixNanoseconds: UInt64 { 1_767_323_045_678_000_000 }
    func schedule(at deadline: MonotonicInstant, _ action: @escaping @Sendable () -> Void) {}
  }

  private struct SteadyHealth: HealthSource {
    var health: Health { .ready }
    var startedAt: UInt64 { 0 }
  }

  private static func context(_ clock: StillClock) -> ComponentContext {
    let metrics = SelfMetrics()
    return ComponentContext(
      id: ComponentID(kind: .processor, type: "tail_sampling"), declaredAt: "fuzz", signals: [.traces],
      logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }, clock: clock,
      randomness: SystemRandomness(), ledger: Ledger(metrics: metrics), metrics: metrics,
      health: SteadyHealth())
  }

  private static let loose = TailSampler.Limits(
    decisionWait: .seconds(10), waitAfterRoot: .seconds(1), traces: 1000, bytes: 1 << 24)
  private static let tight = TailSampler.Limits(
    decisionWait: .seconds(10), waitAfterRoot: .zero, traces: 2, bytes: 1 << 18, traceBytes: 300,
    sampledCache: 1,
    notSampledCache: 1)

  private static let everything = policies(
    """
    [{name: a, type: latency, latency: {threshold_ms: 1}}, {name: b, type: trace_flags},
    {name: c, type: numeric_attribute, numeric_attribute: {key: k, min_value: 1, invert_match: true}},
    {name: d, type: string_attribute, string_attribute: {key: k, values: ["^a"], enabled_regex_matching: true}},
    {name: e, type: trace_state, trace_state: {key: k, values: [v]}},
    {name: f, type: bytes_limiting, bytes_limiting: {bytes_per_second: 1000}}]
    """)
  private static let few = policies(
    "[{name: a, type: status_code, status_code: {status_codes: [UNSET]}}]")

  private static func policies(_ yaml: String) -> [PolicyConfig] {
    let (loaded, _) = ConfigLoader.load(sources: [.text("{policies: \(yaml)}", name: "fuzz.yaml")])
    var diagnostics = Diagnostics()
    return loaded.flatMap {
      ConfigDecoder.decode(
        TailSamplingProcessor.Config.self, from: $0, path: "", diagnostics: &diagnostics)
    }?.policies ?? []
  }

  static let seeds: [[UInt8]] = [1, 3].map { traces in
    var builder = BatchBuilder(.traces)
    for number in 0..<6 {
      builder.beginResource(ResourceValue(attributes: ["k": .int(Int64(number % 2))], schemaURL: "u"))
      builder.beginScope(ScopeValue(name: "s"))
      for _ in 0..<2 {
        builder.add(
          SpanValue(
            traceID: Array(repeating: UInt8(number % traces + 1), count: 16), spanID: Array(1...8),
            traceState: "k=v,a=b", flags: 1, name: "n", startTime: 1_000_000, endTime: 9_000_000,
            attributes: ["k": "abc", "n": 5], status: StatusValue(code: Int32(number % 3))))
      }
    }
    return builder.finish().bytes
  }
}
