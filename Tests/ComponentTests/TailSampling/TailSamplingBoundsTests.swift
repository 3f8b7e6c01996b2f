import PipelineKit
import PipelineTestKit
import SeededRandom
import Synchronization
import TelemetryData
import Testing

@testable import Processors

/// The most that a script's checks have seen.
private final class Peak: Sendable {
  private let most = Atomic<Int>(0)
  func note(_ value: Int) { most.max(value, ordering: .relaxed) }
  var value: Int { most.load(ordering: .relaxed) }
}

@Suite struct TailSamplingBoundsTests {
  private static let all = "policies: [{name: all, type: always_sample}]"
  private static let errors =
    "policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]"

  /// What the sampler holds at most with so much memory in the machine, over batches without a pause.
  private func peak(_ run: SamplingRun, _ batches: [Batch]) async throws -> Int {
    let peak = Peak()
    let check = ScriptedIntake.Step.check { [context = run.context] in peak.note(context.memory.inFlight) }
    try await run(batches.flatMap { [.batch($0), check] })
    return peak.value
  }

  @Test func `a flood of traces of one span stays within half of the memory`() async throws {
    let memory = ProcessMemory(source: FakeMemory(total: 8 << 20))
    let run = SamplingRun("num_traces: 1000000, " + Self.errors, memory: memory)
    let batches = (0..<300).map { batch in
      Batch.of(
        (0..<200).map {
          TestSpan(batch * 200 + $0 + 1, attributes: ["text": .string(String(repeating: "x", count: 100))])
        })
    }
    let most = try await peak(run, batches)
    #expect(most <= 4 << 20)
    #expect(most > 3 << 20)
    #expect(run.metric("sampling_trace_dropped_too_early") > 10_000)
    #expect(run.booked(.sampled) == 60_000)
    #expect(memory.inFlight == 0)
  }

  @Test func `what is kept of a flood leaves whole and stays within the bound as well`() async throws {
    let memory = ProcessMemory(source: FakeMemory(total: 8 << 20))
    let run = SamplingRun("num_traces: 1000000, " + Self.all, memory: memory)
    let batches = (0..<150).map { batch in
      Batch.of(
        (0..<200).map {
          TestSpan(
            batch * 20 + $0 % 20 + 1, attributes: ["text": .string(String(repeating: "x", count: 200))])
        })
    }
    let most = try await peak(run, batches)
    #expect(most <= 4 << 20)
    #expect(run.kept.count == 30_000)
    #expect(run.booked(.sampled) + run.booked(.dropped) == 0)
  }

  @Test func `what is held takes at most half as much again as its bytes`() async throws {
    let run = SamplingRun("num_traces: 1000000, decision_wait: 1m, " + Self.errors)
    var random = SeededGenerator(1)
    var (bytes, spans) = (0, 0)
    var batches: [Batch] = []
    for _ in 0..<400 {
      // Ten spans of each trace, spread over batches, 370 bytes each as in the benchmark.
      let batch = Batch.of(
        (0..<100).map { _ in
          TestSpan(1 + random.below(4000), attributes: ["text": .string(String(repeating: "x", count: 270))])
        })
      (bytes, spans) = (bytes + batch.byteCount, spans + batch.itemCount)
      batches.append(batch)
    }
    let most = try await peak(run, batches)
    #expect(spans == 40_000)
    #expect(Double(most) <= 1.25 * Double(bytes), "\(Double(most) / Double(bytes))")
  }

  @Test func `a giant trace is decided about early, its later spans follow, and others keep their time`()
    async throws
  {
    let memory = ProcessMemory(source: FakeMemory(total: 8 << 20))
    let run = SamplingRun("decision_wait: 10s, " + Self.errors, memory: memory)
    let giant = (0..<40).map { batch in
      ScriptedIntake.Step.batch(
        .of(
          (0..<100).map { _ in
            TestSpan(
              1, "giant", status: batch == 0 ? 2 : 0,
              attributes: ["text": .string(String(repeating: "x", count: 300))])
          }))
    }
    try await run(
      [.batch(.of(TestSpan(2, "small")))] + giant
        + [
          .check { [output = run.output] in #expect(output.itemCounts.reduce(0, +) == 4000) },
          .pause(.seconds(5)), .batch(.of(TestSpan(2, "small", status: 2))), .pause(.seconds(6)),
        ])
    #expect(run.kept.filter { $0 == "giant" }.count == 4000)
    #expect(run.kept.filter { $0 == "small" }.count == 2)
    #expect(run.metric("sampling_trace_dropped_too_early") == 1)
    #expect(run.output.arrivals.allSatisfy { $0.batch.byteCount < 4_200_000 })
  }

  @Test func `a trace beyond maximum_trace_size_bytes is dropped, whatever comes of it later`() async throws {
    let run = SamplingRun("decision_wait: 1s, maximum_trace_size_bytes: 2000, " + Self.all)
    let large = TestSpan(1, "large", attributes: ["text": .string(String(repeating: "x", count: 900))])
    try await run([
      .batch(.of(large, TestSpan(2, "small"))), .batch(.of(large)), .batch(.of(large)), .pause(.seconds(2)),
      .batch(.of(large)),
    ])
    #expect(run.kept == ["small"])
    #expect(run.metric("traces_dropped_too_large") == 1)
    #expect(run.booked(.dropped, "tail_sampling: trace_too_large") == 4)
  }

  @Test func `a kept trace larger than a batch leaves in several`() async throws {
    let run = SamplingRun("decision_wait: 1s, " + Self.all)
    let text = AnyValue.string(String(repeating: "x", count: 50_000))
    let batches = (0..<10).map { number in
      ScriptedIntake.Step.batch(
        .of((0..<20).map { TestSpan(1, "\(number).\($0)", attributes: ["text": text]) }))
    }
    try await run(batches + [.pause(.seconds(2))])
    #expect(run.kept.count == 200)
    #expect(Set(run.kept).count == 200)
    #expect(run.output.arrivals.count == 3)
    #expect(run.output.arrivals.allSatisfy { $0.batch.byteCount < 4_200_000 })
  }

  @Test func `beyond num_traces the oldest trace is decided about early on what there is`() async throws {
    let run = SamplingRun("num_traces: 2, " + Self.errors)
    try await run([
      .batch(.of(TestSpan(1, "a", status: 2), TestSpan(2, "b"), TestSpan(3, "c"))),
      .check { [output = run.output] in #expect(output.itemCounts == [1]) },
      // Forgotten, it is a new trace.
      .batch(.of(TestSpan(1, "a", status: 0))), .pause(.seconds(31)),
    ])
    #expect(run.kept == ["a"])
    #expect(run.metric("sampling_trace_dropped_too_early") == 2)
    #expect(run.metric("new_trace_id_received") == 4)
    #expect(run.metric("sampling_trace_removal_age") == 2)
  }

  @Test func `late spans follow the decision, from the cache when the trace is no longer in memory`()
    async throws
  {
    let run = SamplingRun(
      "decision_wait: 1s, num_traces: 10, decision_cache: {sampled_cache_size: 2, non_sampled_cache_size: 1}, "
        + Self.errors)
    try await run([
      .batch(.of(TestSpan(1, "a", status: 2), TestSpan(2, "b"))), .pause(.seconds(2)),
      .check { [run] in #expect(run.metric("sampling_traces_on_memory") == 0) },
      .batch(.of(TestSpan(1, "late"), TestSpan(2, "lost"), TestSpan(2, "lost"), TestSpan(1, "late"))),
      .check { [output = run.output] in #expect(output.itemCounts == [1, 2]) },
    ])
    #expect(run.kept == ["a", "late", "late"])
    #expect(run.metric("early_releases_from_cache_decision", ["sampled": "true"]) == 2)
    #expect(run.metric("early_releases_from_cache_decision", ["sampled": "false"]) == 2)
    #expect(run.booked(.sampled) == 3)
  }

  @Test func `late spans of traces in memory tell how late they are`() async throws {
    let run = SamplingRun("decision_wait: 1s, " + Self.errors)
    try await run([
      .batch(.of(TestSpan(1, "a", status: 2))), .pause(.seconds(4)), .batch(.of(TestSpan(1, "late"))),
      .check { [output = run.output] in #expect(output.itemCounts == [1, 1]) },
    ])
    #expect(run.metric("sampling_late_span_age") == 1)
  }

  @Test func `the root span brings the decision forward`() async throws {
    let run = SamplingRun("decision_wait: 10s, decision_wait_after_root_received: 1s, " + Self.all)
    try await run([
      .batch(.of(TestSpan(1, "a"), TestSpan(2, "b"))), .pause(.seconds(2)),
      .batch(.of(TestSpan(2, "root", isRoot: true))), .pause(.milliseconds(999)),
      .check { [output = run.output] in #expect(output.itemCounts == []) }, .pause(.milliseconds(1)),
      .check { [output = run.output] in #expect(output.itemCounts == [2]) }, .pause(.seconds(7)),
      .check { [output = run.output] in #expect(output.itemCounts == [2, 1]) },
    ])
  }

  @Test func `spans without a trace id are dropped and counted`() async throws {
    let run = SamplingRun("decision_wait: 1s, " + Self.all)
    var spans = (0..<3).map { _ in TestSpan(1) }
    spans[0].value.traceID = []
    spans[1].value.traceID = Array(repeating: 0, count: 16)
    try await run([.batch(.of(spans)), .pause(.seconds(2))])
    #expect(run.kept.count == 1)
    #expect(run.booked(.dropped, "tail_sampling: no_trace_id") == 2)
  }

  @Test func `spans without an id of their own and with one that another has are kept`() async throws {
    let run = SamplingRun("decision_wait: 1s, " + Self.all)
    var spans = (0..<3).map { _ in TestSpan(1) }
    spans[0].value.spanID = []
    try await run([.batch(.of(spans)), .pause(.seconds(2))])
    #expect(run.kept.count == 3)
  }

  @Test func `what is pending at the end is decided about, or dropped where that is set`() async throws {
    for (drops, kept) in [(false, 1), (true, 0)] {
      let run = SamplingRun("drop_pending_traces_on_shutdown: \(drops), " + Self.errors)
      try await run([.batch(.of(TestSpan(1, "a", status: 2), TestSpan(2, "b")))])
      #expect(run.kept.count == kept)
      #expect(run.booked(.dropped, "tail_sampling: pending_at_shutdown") == (drops ? 2 : 0))
      #expect(run.booked(.sampled) == (drops ? 0 : 1))
    }
  }

  @Test func `the ledger says which policy dropped a trace`() async throws {
    let run = SamplingRun(
      """
      decision_wait: 1s, policies: [{name: all, type: always_sample}, {name: health, type: drop,
        drop: {drop_sub_policy: [{name: a, type: string_attribute, string_attribute: {key: path, values: [/health]}}]}}]
      """)
    try await run([
      .batch(.of(TestSpan(1, attributes: ["path": "/health"]), TestSpan(2))), .pause(.seconds(2)),
      .batch(.of(TestSpan(1, "late"))),
    ])
    #expect(run.booked(.sampled, "tail_sampling: health") == 2)
    #expect(run.metric("count_traces_sampled", ["policy": "health", "decision": "dropped"]) == 1)
    #expect(run.metric("global_count_traces_sampled", ["decision": "dropped"]) == 1)
  }
}
