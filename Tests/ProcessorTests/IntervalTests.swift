import PipelineKit
import PipelineTestKit
import SeededRandom
import TelemetryData
import Testing

@testable import Processors

/// Runs a processor over a script and gives what came out.
struct ScriptedRun {
  let output: CollectingConsumer
  let clock = TestClock()
  let metrics = SelfMetrics()

  init(answering outcome: (@Sendable (Batch) -> Outcome)? = { _ in .accepted }) {
    output = CollectingConsumer(answering: outcome)
  }

  func callAsFunction<Processor: BufferingProcessor>(
    _ type: Processor.Type, _ settings: String, holds: Bool = false, _ steps: [ScriptedIntake.Step]
  ) async throws {
    let processor = try type.testing(settings, clock: clock, metrics: metrics, holdsCompletions: holds)
    #expect(processor.answersOnIntake == !holds)
    await processor.run(intake: ScriptedIntake(steps, clock: clock), output: output)
  }

  /// Items that the processor has ended itself.
  var filtered: Int { metrics.number("millrace_ledger_items", signal, "filtered", type) ?? 0 }
  private var signal: String { type == "log_dedup" ? "logs" : "metrics" }
  var type = "interval"
}

@Suite struct IntervalTests {
  static func sum(
    _ label: String, _ value: Double, _ time: UInt64, name: String = "test",
    _ temporality: AggregationTemporality = .cumulative, monotonic: Bool = true
  ) -> Batch {
    let point = NumberDataPointValue(attributes: ["l": .string(label)], time: time, value: .double(value))
    return metrics(
      MetricValue(name: name, unit: "s", data: .sum([point], temporality, isMonotonic: monotonic)))
  }

  static func shown(_ batch: Batch) -> [String] {
    Point.all(batch).map { point in
      var label = ""
      if case .string(let text)? = point.attributes["l"] { label = text }
      return "\(point.metric) \(label) \(point.value.map { "\($0)" } ?? "\(point.buckets)") @\(point.time)"
    }
  }

  @Test func `the documented example: the latest of each stream at the interval, deltas at once`()
    async throws
  {
    let run = ScriptedRun()
    let output = run.output
    try await run(
      IntervalProcessor.self, "{interval: 15s}",
      [
        .batch(Self.sum("foo", 4, 0)), .batch(Self.sum("bar", 3.1, 2)),
        .batch(Self.sum("orange", 77.4, 4, name: "other", .delta)),
        .check {
          #expect(output.arrivals.map { Self.shown($0.batch) } == [["other orange double(77.4) @4"]])
        },
        .batch(Self.sum("foo", 8.2, 6)), .batch(Self.sum("foo", 12.8, 8)), .batch(Self.sum("bar", 6.4, 10)),
        .pause(.seconds(14)), .check { #expect(output.arrivals.count == 1) }, .pause(.seconds(1)),
        .check {
          #expect(
            output.arrivals.last.map { Self.shown($0.batch) } == [
              "test foo double(12.8) @8", "test bar double(6.4) @10",
            ])
        },
        // What has been sent is forgotten: nothing comes, nothing goes.
        .pause(.seconds(60)), .check { #expect(output.arrivals.count == 2) },
        // Intervals are counted from the start.
        .pause(.seconds(13)), .batch(Self.sum("foo", 20, 12)),
        .pause(.seconds(2)), .check { #expect(output.arrivals.count == 3) },
      ])
    #expect(run.output.arrivals.count == 3)
    #expect(run.filtered == 3)
  }

  @Test func `every kind is gathered or goes on, as documented`() async throws {
    let number = NumberDataPointValue(time: 1, value: .int(1))
    let histogram = HistogramDataPointValue(time: 1, count: 1, bucketCounts: [1])
    let exponential = ExponentialHistogramDataPointValue(time: 1, count: 1)
    let summary = SummaryDataPointValue(time: 1, count: 1)
    let all = metrics(
      MetricValue(name: "gauge", data: .gauge([number])),
      MetricValue(name: "summary", data: .summary([summary])),
      MetricValue(name: "sum", data: .sum([number], .cumulative, isMonotonic: true)),
      MetricValue(name: "updown", data: .sum([number], .cumulative, isMonotonic: false)),
      MetricValue(name: "delta", data: .sum([number], .delta, isMonotonic: true)),
      MetricValue(name: "h", data: .histogram([histogram], .cumulative)),
      MetricValue(name: "dh", data: .histogram([histogram], .delta)),
      MetricValue(name: "e", data: .exponentialHistogram([exponential], .cumulative)),
      MetricValue(name: "de", data: .exponentialHistogram([exponential], .delta)))
    func names(_ batch: Batch) -> [String] {
      var names: [String] = []
      batch.forEachMetric { _, _, metric in names.append(metric.name.string) }
      return names
    }
    for (settings, passing, gathered) in [
      ("{}", ["updown", "delta", "dh", "de"], ["gauge", "summary", "sum", "h", "e"]),
      (
        "{pass_through: {gauge: true}}", ["gauge", "updown", "delta", "dh", "de"],
        ["summary", "sum", "h", "e"]
      ),
      (
        "{pass_through: {summary: true}}", ["summary", "updown", "delta", "dh", "de"],
        ["gauge", "sum", "h", "e"]
      ),
    ] {
      let run = ScriptedRun()
      try await run(IntervalProcessor.self, settings, [.batch(all)])
      #expect(run.output.arrivals.map { names($0.batch) } == [passing, gathered])
    }
  }

  @Test func `a metric leaves as it came: resource, scope, unit, and unknown order of points`() async throws {
    let run = ScriptedRun()
    let first = metrics(
      MetricValue(
        name: "h", description: "d", unit: "s",
        data: .histogram(
          [
            HistogramDataPointValue(
              startTime: 1, time: 2, count: 3, sum: 4, bucketCounts: [1, 2], explicitBounds: [5])
          ],
          .cumulative)), resource: ["service.name": "a", "host": "b"], scope: "lib")
    try await run(IntervalProcessor.self, "{}", [.batch(first)])
    #expect(run.output.arrivals.count == 1)
    #expect(run.output.arrivals.first.map { Point.all($0.batch) } == Point.all(first))
    let batch = try #require(run.output.arrivals.first?.batch)
    let (unit, text, temporality) = (
      batch.metric(at: 0).unit.string, batch.metric(at: 0).description.string,
      batch.metric(at: 0).aggregationTemporality
    )
    #expect(unit == "s" && text == "d" && temporality == .cumulative)
    let scope = batch.scope(at: 0).name.string
    #expect(scope == "lib")
    #expect(Point.labels(batch.resource(at: 0).attributes) == ["service.name": "a", "host": "b"])
  }

  @Test func `what is gathered at the end is sent, not lost`() async throws {
    let run = ScriptedRun()
    try await run(
      IntervalProcessor.self, "{interval: 1h}", [.batch(Self.sum("a", 1, 1)), .pause(.seconds(1))])
    #expect(run.output.itemCounts == [1])
  }

  @Test func `senders wait where answers are held, each for all that it brought`() async throws {
    let probes = (0..<3).map { _ in OutcomeProbe() }
    let run = ScriptedRun(answering: nil)
    let output = run.output
    let mixed = try Batch.merging(
      [Self.sum("b", 1, 1), Self.sum("c", 1, 1, name: "delta", .delta)], signal: .metrics)
    try await run(
      IntervalProcessor.self, "{interval: 10s}", holds: true,
      [
        .batch(Self.sum("a", 1, 1), probes[0]), .batch(mixed, probes[1]),
        .batch(Self.sum("a", 2, 2), probes[2]),
        .check {
          #expect(output.itemCounts == [1])
          output.arrivals[0].completion.resolve(.accepted)
          #expect(probes.allSatisfy { $0.outcome == nil })
        },
        .pause(.seconds(10)),
        .check {
          #expect(output.itemCounts == [1, 2])
          output.arrivals[1].completion.resolve(.refused(reason: "full", after: nil))
          #expect(probes.allSatisfy { $0.outcome == .refused(reason: "full", after: nil) })
        },
      ])
    #expect(probes.allSatisfy { $0.count == 1 })
    #expect(run.filtered == 1)
  }

  @Test func `without holding, senders hear at once that it was taken`() async throws {
    let probe = OutcomeProbe()
    let run = ScriptedRun()
    try await run(
      IntervalProcessor.self, "{}",
      [.batch(Self.sum("a", 1, 1), probe), .check { #expect(probe.outcome == .accepted) }])
  }

  @Test func `large results are sent in parts`() async throws {
    let run = ScriptedRun()
    let text = String(repeating: "x", count: 100_000)
    let probe = OutcomeProbe()
    try await run(
      IntervalProcessor.self, "{}", holds: true,
      (0..<100).map { number in .batch(Self.sum("\(number)\(text)", 1, 1), number == 0 ? probe : nil) })
    #expect(run.output.itemCounts.reduce(0, +) == 100)
    #expect(run.output.arrivals.count > 1)
    #expect(run.output.arrivals.allSatisfy { $0.batch.byteCount < 5_000_000 })
    #expect(probe.outcome == .accepted)
  }

  @Test func `what takes too much memory goes before its time`() async throws {
    let run = ScriptedRun()
    let output = run.output
    // 16 MiB is the least that a processor may hold.
    let text = String(repeating: "x", count: 1 << 20)
    try await run(
      IntervalProcessor.self, "{interval: 1h}",
      (0..<70).map { .batch(Self.sum("\($0)\(text)", 1, 1)) } + [.check { #expect(!output.arrivals.isEmpty) }]
    )
    #expect(run.output.itemCounts.reduce(0, +) == 70)
  }

  @Test func `random points leave as a naive model says`() async throws {
    var random = SeededGenerator(5)
    var steps: [ScriptedIntake.Step] = []
    var model: [String: (time: Int, value: Double)] = [:]
    var expected: [[String]] = []
    var taken = 0
    for _ in 0..<300 {
      if random.chance(10) {
        steps.append(.pause(.seconds(60)))
        if !model.isEmpty {
          expected.append(model.map { "test \($0.key) double(\($0.value.value)) @\($0.value.time)" }.sorted())
        }
        model = [:]
      }
      let label = "\(random.below(5))"
      let time = random.below(50)
      let value = Double(random.below(100))
      steps.append(.batch(Self.sum(label, value, UInt64(time))))
      taken += 1
      if let known = model[label], known.time >= time { continue }
      model[label] = (time, value)
    }
    expected.append(model.map { "test \($0.key) double(\($0.value.value)) @\($0.value.time)" }.sorted())
    let run = ScriptedRun()
    try await run(IntervalProcessor.self, "{}", steps)
    #expect(run.output.arrivals.map { Self.shown($0.batch).sorted() } == expected)
    #expect(run.filtered + run.output.itemCounts.reduce(0, +) == taken)
  }

  @Test(arguments: [("{interval: 0s}", "interval"), ("{pass_through: {gauge: 3}}", "gauge")])
  func `mistakes in settings are told`(settings: String, part: String) {
    let (config, diagnostics) = IntervalProcessor.decode(settings)
    #expect(config == nil)
    #expect(diagnostics.render().contains(part))
  }
}
