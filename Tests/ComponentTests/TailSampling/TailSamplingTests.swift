import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Processors

@Suite struct TailSamplingTests {
  @Test func `traces are kept for their errors and their length once decision_wait is over`() async throws {
    let run = SamplingRun(
      """
      decision_wait: 10s, policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: slow, type: latency, latency: {threshold_ms: 500}}]
      """)
    let seen = CollectingConsumer()
    _ = seen
    try await run([
      .batch(.of(TestSpan(1, "a1"), TestSpan(2, "b1"), TestSpan(3, "c1"))),
      .pause(.seconds(4)),
      .batch(
        .of(TestSpan(1, "a2", status: 2, service: "pay"), TestSpan(2, "b2", start: 495), TestSpan(3, "c2"))),
      .pause(.milliseconds(5_999)),
      .check { [output = run.output] in #expect(output.arrivals.isEmpty) },
      .pause(.milliseconds(1)),
      .check { [output = run.output] in #expect(output.itemCounts == [4]) },
    ])
    #expect(run.kept == ["a1", "a2", "b1", "b2"])
    #expect(run.booked(.sampled, "tail_sampling") == 2)
    #expect(run.metric("count_traces_sampled", ["policy": "errors", "decision": "sampled"]) == 1)
    #expect(run.metric("count_spans_sampled", ["policy": "slow", "sampled": "false"]) == 4)
    #expect(run.metric("global_count_traces_sampled", ["sampled": "true"]) == 2)
    #expect(run.metric("new_trace_id_received") == 3)
  }

  @Test func `spans that wait in the channel count for the decision, and wait no longer for their own`()
    async throws
  {
    let run = SamplingRun(
      "decision_wait: 10s, policies: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}}]"
    )
    try await run(
      [
        .batch(.of(TestSpan(1, "a1"))),
        .pause(.seconds(2)),
        .batch(.of(TestSpan(2, "b", status: 2))),
        .pause(.milliseconds(7_950)),
        .batch(.of(TestSpan(1, "a2", status: 2))),
        .pause(.milliseconds(50)),
        .check { [output = run.output] in #expect(output.itemCounts == [2]) },
        .pause(.milliseconds(2_200)),
        .check { [output = run.output] in #expect(output.itemCounts == [2, 1]) },
      ], gathers: true)
    #expect(run.kept == ["a1", "a2", "b"])
  }

  @Test func `spans of one resource and scope leave together with all their fields`() async throws {
    let run = SamplingRun("decision_wait: 1s, policies: [{name: all, type: always_sample}]")
    try await run([
      .batch(.of(TestSpan(1, "a1"), TestSpan(2, "b1"), TestSpan(1, "a2"), TestSpan(1, "p1", service: "pay"))),
      .batch(.of(TestSpan(2, "b2"))),
      .pause(.seconds(2)),
    ])
    let batch = try #require(run.output.arrivals.first?.batch)
    #expect(run.output.arrivals.count == 1)
    #expect(batch.resourceCount == 2)
    #expect(batch.scopeCount == 2)
    #expect(batch.resource(at: 0).schemaURL.string == "https://schema/1")
    #expect(batch.scope(at: 0).schemaURL.string == "https://schema/2")
    #expect(
      batch.spanNames == ["shop/lib/a1", "shop/lib/a2", "shop/lib/b1", "shop/lib/b2", "pay/lib/p1"])
  }

  @Test func `senders are answered when their spans come`() async throws {
    let probe = OutcomeProbe()
    let run = SamplingRun("policies: [{name: all, type: always_sample}]")
    try await run([
      .batch(.of(TestSpan(1)), probe), .check { #expect(probe.outcome == .accepted) },
    ])
    #expect(probe.count == 1)
  }
}
