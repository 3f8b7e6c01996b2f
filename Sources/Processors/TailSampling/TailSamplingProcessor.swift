package import ConfigSchema
internal import Logging
package import PipelineKit
package import TelemetryData

/// Keeps or drops whole traces, once most of their spans are there.
///
/// It answers its senders on intake, whatever follows: they would give up waiting, and send again what it holds. So a
/// crash loses what is not decided; how much that is at most is bounded by time, by traces and by bytes of memory.
package struct TailSamplingProcessor: BufferingProcessor {
  package static let descriptor = ComponentDescriptor(
    type: "tail_sampling", signals: [.traces],
    summary: "Keeps or drops whole traces by what happened in them.")

  /// The settings of the `tail_sampling` processor.
  package struct Config: ConfigGroup {
    package enum Strategy: String, ConfigEnum {
      case traceComplete = "trace-complete"
      case spanIngest = "span-ingest"
    }
    package var decisionWait: Duration = .seconds(30)
    package var waitAfterRoot: Duration = .zero
    package var traces = 50_000
    package var expectedTracesPerSecond = 0
    package var policies: [PolicyConfig] = []
    package var decisionCache = DecisionCacheConfig()
    package var samplesOnFirstMatch = false
    package var dropsPendingOnShutdown = false
    package var maximumTraceBytes = 0
    package var strategy = Strategy.traceComplete
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "policies", \.policies, "What decides; a trace that none wants is dropped.", check: .nonEmpty,
        required: true),
      Field(
        "decision_wait", \.decisionWait, "How long after the first span of a trace is decided about it.",
        check: .atLeast(.zero)),
      Field(
        "decision_wait_after_root_received", \.waitAfterRoot,
        "How long after the root span of a trace is decided about it, unless decision_wait is over before; 0 does "
          + "not look for root spans.", check: .atLeast(.zero)),
      Field(
        "num_traces", \.traces,
        "The most traces in memory, decided or not; the oldest is decided about early where there are more. "
          + "Half of the memory that the process may use is a bound as well.", check: .range(1...1 << 31)),
      Field(
        "expected_new_traces_per_sec", \.expectedTracesPerSecond, "Makes room for so many at the start.",
        check: .atLeast(0)),
      Field(
        "decision_cache", \.decisionCache,
        "How many decisions are remembered for late spans, after the traces are no longer in memory."),
      Field(
        "sample_on_first_match", \.samplesOnFirstMatch,
        "Ask no further policies once one wants a trace; those that drop are asked before."),
      Field(
        "drop_pending_traces_on_shutdown", \.dropsPendingOnShutdown,
        "Drop what is not decided at the end, instead of deciding about what there is."),
      Field(
        "maximum_trace_size_bytes", \.maximumTraceBytes,
        "A larger trace is dropped; 0 is no limit, but one that takes a sixteenth of all memory is decided about "
          + "at once.", check: .atLeast(0)),
      Field("sampling_strategy", \.strategy, "When policies are asked; only trace-complete is supported."),
      .unsupported("block_on_overflow", "the oldest trace is decided about early; raise num_traces"),
      .accepted("num_shards", "one task decides about more traces than there are"),
      .unsupported("tail_storage", "spans are kept in memory"),
    ]

    package func check(_ checker: inout ConfigChecker) {
      for (index, policy) in policies.enumerated()
      where policies[..<index].contains(where: { $0.name == policy.name }) {
        checker.error(\.policies, "two policies are called \"\(policy.name)\"")
      }
      if strategy == .spanIngest {
        checker.error(
          \.strategy, "span-ingest is not supported",
          help: "remove it: traces are decided about when complete")
      }
    }
  }

  /// How many decisions are remembered.
  package struct DecisionCacheConfig: ConfigGroup {
    package var sampled = 0
    package var notSampled = 0
    package init() {}

    package static let fields: [Field<Self>] = [
      Field(
        "sampled_cache_size", \.sampled,
        "Ids of traces that were kept; 0 remembers them for as long as num_traces allows.",
        check: .range(0...1 << 31)),
      Field(
        "non_sampled_cache_size", \.notSampled,
        "Ids of traces that were dropped; 0 remembers them for as long as num_traces allows.",
        check: .range(0...1 << 31)),
    ]
  }

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(buffering: .answersEarly)
    traits.passedMetadata = .none
    return traits
  }

  package static func problem(of config: Config, carrying signals: [Signal]) -> String? {
    do {
      try checkPolicies(of: config)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private static func checkPolicies(of config: Config) throws {
    var compiler = PolicyCompiler(meters: TailSamplingMeters.unpublished)
    _ = try compiler.entries(config.policies)
  }

  private let config: Config
  private let context: ComponentContext

  package init(config: Config, context: ComponentContext) throws {
    try Self.checkPolicies(of: config)
    self.config = config
    self.context = context
  }

  package var answersOnIntake: Bool { true }

  /// Wakes for fewer spans only at the times at which it decides.
  private static let gathering = 8192
  /// As many deliveries as a channel holds are taken before a decision that is due: a busy intake must not put it off.
  private static let mostBeforeDeciding = 256

  package func run(intake: any Intake, output: any Consumer) async {
    do {
      try await run(makeSampler(), intake, output)
    } catch {
      context.logger.error("cannot sample", metadata: ["error": "\(error)"])
    }
  }

  private func run(_ made: consuming TailSampler, _ intake: any Intake, _ output: any Consumer) async {
    var sampler = made
    var booked = 0
    while true {
      var isClosed = false
      switch await intake.next(before: sampler.nextTick(after: context.clock.now), gathering: Self.gathering)
      {
      case .delivery(let delivery): await take(delivery, &sampler, output)
      case .deadline: break
      case .closed: isClosed = true
      }
      // What has gathered in the channel belongs to the traces that are due.
      var taken = 1
      while taken < Self.mostBeforeDeciding, let delivery = intake.poll() {
        await take(delivery, &sampler, output)
        taken += 1
      }
      let now = context.clock.now
      if isClosed {
        await end(&sampler, output, at: now)
      } else if let deadline = sampler.nextDeadline(), deadline <= now {
        while !sampler.decideDue(at: now) { await send(&sampler, output) }
        await send(&sampler, output)
      }
      let held = isClosed ? 0 : sampler.bytes
      if held != booked { context.memory.queued(held - booked) }
      booked = held
      sampler.report()
      if isClosed { return }
    }
  }

  private func take(_ delivery: consuming Delivery, _ sampler: inout TailSampler, _ output: any Consumer)
    async
  {
    let batch = delivery.batch
    // Its sender was answered when the delivery entered the channel: from here on the sampler answers for it.
    delivery.resolve(.accepted)
    let now = context.clock.now
    var position = 0
    var isDone = false
    while !isDone {
      var late: Batch?
      isDone = sampler.take(batch, from: &position, at: now, late: &late)
      if let late { await output.send(Delivery(late, completion: .detached())) }
      await send(&sampler, output)
    }
  }

  /// Decides about what is pending, or drops it.
  private func end(_ sampler: inout TailSampler, _ output: any Consumer, at now: MonotonicInstant) async {
    if config.dropsPendingOnShutdown { return sampler.dropAll(at: now) }
    while !sampler.decideAll(at: now) { await send(&sampler, output) }
    await send(&sampler, output)
  }

  private func send(_ sampler: inout TailSampler, _ output: any Consumer) async {
    while let kept = sampler.takeOutput() { await output.send(Delivery(kept, completion: .detached())) }
  }

  private func makeSampler() throws -> TailSampler {
    let meters = TailSamplingMeters(context)
    var compiler = PolicyCompiler(meters: meters.policy)
    let entries = try compiler.entries(config.policies)
    let policies = PolicySet(
      entries, conditions: compiler.conditions, stopsAtFirstMatch: config.samplesOnFirstMatch)
    var limits = TailSampler.Limits(
      decisionWait: config.decisionWait, waitAfterRoot: config.waitAfterRoot, traces: config.traces,
      bytes: Self.memoryBound(context.memory),
      traceBytes: config.maximumTraceBytes == 0 ? nil : config.maximumTraceBytes)
    limits.sampledCache = config.decisionCache.sampled
    limits.notSampledCache = config.decisionCache.notSampled
    let seconds = max(1, config.decisionWait.wholeNanoseconds / 1_000_000_000)
    let (expected, isMany) = config.expectedTracesPerSecond.multipliedReportingOverflow(by: Int(seconds))
    limits.expectedTraces = min(isMany ? .max : expected, config.traces, 1 << 20)
    return TailSampler(limits, policies: policies, meters: meters, context: context)
  }

  /// Bytes of memory for traces and their spans: half of what the process may use.
  private static func memoryBound(_ memory: ProcessMemory) -> Int {
    max(1 << 20, (memory.capacity.bytes ?? 2 << 30) / 2)
  }
}
