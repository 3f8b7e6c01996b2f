import ConfigSchema
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Processors

/// Batches of spans whose names count up, so that order and completeness show.
struct SpanSource {
  private var made = 0

  mutating func next(_ count: Int, service: String = "shop") -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": .string(service)]))
    for _ in 0..<count {
      builder.add(
        SpanValue(
          traceID: Array(repeating: 1, count: 16), spanID: Array(repeating: 2, count: 8), name: "s\(made)"))
      made += 1
    }
    return builder.finish()
  }

  static func names(_ batch: Batch) -> [String] {
    var names: [String] = []
    batch.forEachSpan { _, _, span in names.append(span.name.string) }
    return names
  }
}

/// Runs a batch processor over a script and gives what came out.
struct BatchRun {
  let output: CollectingConsumer
  let clock = TestClock()
  let metrics = SelfMetrics()
  let context: ComponentContext

  init(holds: Bool = false, answering outcome: (@Sendable (Batch) -> Outcome)? = { _ in .accepted }) {
    output = CollectingConsumer(answering: outcome)
    context = .testing(.processor, "batch", clock: clock, metrics: metrics, holdsCompletions: holds)
  }

  func callAsFunction(_ steps: [ScriptedIntake.Step], _ configure: (inout BatchProcessor.Config) -> Void)
    async
  {
    var config = BatchProcessor.Config()
    configure(&config)
    let processor = BatchProcessor(config: config, context: context)
    await processor.run(intake: ScriptedIntake(steps, clock: clock), output: output)
  }

  func number(_ name: String) -> Int {
    for family in metrics.snapshot() where family.name == name {
      for series in family.series {
        #expect(series.labels.first?.name == "processor")
        #expect(series.labels.first?.value == "batch")
        if case .number(let value) = series.value { return Int(value) }
        if case .histogram(_, let counts, _) = series.value { return counts.reduce(0, +) }
      }
    }
    return -1
  }
}

@Suite struct BatchProcessorTests {
  @Test func `inputs gather until the size is reached and leave in order`() async {
    var source = SpanSource()
    let run = BatchRun()
    await run([
      .batch(source.next(4)), .batch(source.next(4)), .batch(source.next(4)), .batch(source.next(1)),
    ]) {
      $0.sendBatchSize = 10
    }
    #expect(run.output.itemCounts == [12, 1])
    #expect(run.output.arrivals.flatMap { SpanSource.names($0.batch) } == (0..<13).map { "s\($0)" })
    #expect(run.number("otelcol_processor_batch_batch_size_trigger_send") == 1)
    #expect(run.number("otelcol_processor_batch_timeout_trigger_send") == 1)
    #expect(run.number("otelcol_processor_batch_batch_send_size") == 2)
    #expect(run.number("otelcol_processor_batch_batch_send_size_bytes") == 2)
  }

  @Test func `large items are sent at four megabytes, however few they are`() async {
    let run = BatchRun()
    let large = Batch.spans(2, name: String(repeating: "x", count: 700_000))
    await run((0..<5).map { _ in .batch(large) }) { $0.sendBatchSize = 8192 }
    #expect(run.output.itemCounts == [4, 4, 2])
    #expect(run.number("otelcol_processor_batch_batch_size_trigger_send") == 2)
  }

  @Test func `what has gathered leaves when its time has come, counted from its first item`() async {
    var source = SpanSource()
    let run = BatchRun()
    let output = run.output
    await run([
      .pause(.seconds(5)),
      .batch(source.next(1)), .pause(.milliseconds(150)), .batch(source.next(2)),
      .check { #expect(output.itemCounts == []) },
      .pause(.milliseconds(49)),
      .check { #expect(output.itemCounts == []) },
      .pause(.milliseconds(2)),
      .check { #expect(output.itemCounts == [3]) },
      .pause(.seconds(60)),
      .batch(source.next(5)),
      .check { #expect(output.itemCounts == [3]) },
    ]) { $0.timeout = .milliseconds(200) }
    #expect(run.output.itemCounts == [3, 5])
    #expect(run.number("otelcol_processor_batch_timeout_trigger_send") == 2)
  }

  @Test(arguments: [(Duration.zero, 8192), (Duration.milliseconds(200), 0)])
  func `without timeout or size everything leaves at once`(timeout: Duration, size: Int) async {
    var source = SpanSource()
    let run = BatchRun()
    let output = run.output
    await run([
      .batch(source.next(3)), .check { #expect(output.itemCounts == [3]) }, .batch(source.next(25)),
    ]) {
      $0.timeout = timeout
      $0.sendBatchSize = size
      $0.sendBatchMaxSize = size == 0 ? 10 : 0
    }
    #expect(run.output.itemCounts == (size == 0 ? [3, 10, 10, 5] : [3, 25]))
  }

  @Test func `nothing is larger than the maximum, and nothing is lost or reordered`() async {
    var source = SpanSource()
    let run = BatchRun()
    await run([
      .batch(source.next(7)), .batch(source.next(28)), .batch(source.next(4)), .batch(source.next(6)),
    ]) {
      $0.sendBatchSize = 8
      $0.sendBatchMaxSize = 10
    }
    #expect(run.output.itemCounts == [10, 10, 10, 9, 6])
    #expect(run.output.arrivals.flatMap { SpanSource.names($0.batch) } == (0..<45).map { "s\($0)" })
  }

  @Test func `the rest of a divided input also leaves in time`() async {
    var source = SpanSource()
    let run = BatchRun()
    let output = run.output
    await run([
      .batch(source.next(2)), .pause(.milliseconds(100)), .batch(source.next(10)), .pause(.milliseconds(199)),
      .check { #expect(output.itemCounts == [10]) },
      .pause(.milliseconds(1)),
      .check { #expect(output.itemCounts == [10, 2]) },
    ]) {
      $0.sendBatchSize = 10
      $0.sendBatchMaxSize = 10
    }
    #expect(run.output.itemCounts == [10, 2])
  }

  @Test func `senders are answered on intake where what follows is memory`() async {
    var source = SpanSource()
    let probe = OutcomeProbe()
    let run = BatchRun(answering: nil)
    await run([.batch(source.next(3), probe), .check { #expect(probe.outcome == .accepted) }]) { _ in }
    let arrival = run.output.arrivals[0]
    #expect(!arrival.completion.isAwaited)
    arrival.completion.resolve(.refused(reason: "down", after: nil))
    #expect(probe.count == 1)
  }

  @Test func `held senders hear the outcome of the batch they became part of`() async {
    var source = SpanSource()
    let probes = [OutcomeProbe(), OutcomeProbe()]
    let run = BatchRun(holds: true, answering: nil)
    await run([
      .batch(source.next(3), probes[0]), .batch(source.next(4), probes[1]),
      .check { #expect(probes.map(\.count) == [0, 0]) },
    ]) { $0.sendBatchSize = 7 }
    #expect(probes.map(\.count) == [0, 0])
    #expect(run.output.arrivals[0].completion.isAwaited)
    run.output.arrivals[0].completion.resolve(.refused(reason: "down", after: .seconds(3)))
    #expect(probes.map(\.outcome) == Array(repeating: .refused(reason: "down", after: .seconds(3)), count: 2))
  }

  @Test func `a held input that was divided hears once all of its parts are resolved`() async {
    var source = SpanSource()
    let probes = [OutcomeProbe(), OutcomeProbe()]
    let run = BatchRun(holds: true, answering: nil)
    await run([.batch(source.next(2), probes[0]), .batch(source.next(9), probes[1])]) {
      $0.sendBatchSize = 5
      $0.sendBatchMaxSize = 5
    }
    let arrivals = run.output.arrivals
    #expect(run.output.itemCounts == [5, 5, 1])
    arrivals[2].completion.resolve(.accepted)
    #expect(probes.map(\.count) == [0, 0])
    arrivals[0].completion.resolve(.accepted)
    #expect(probes.map(\.outcome) == [.accepted, nil])
    arrivals[1].completion.resolve(.partial(rejected: 2, message: "bad"))
    #expect(probes.map(\.outcome) == [.accepted, .partial(rejected: 2, message: "bad")])
    #expect(probes.map(\.count) == [1, 1])
  }

  @Test func `metrics are counted and divided by data points`() async {
    var builder = BatchBuilder(.metrics)
    for metric in 0..<3 {
      let points = (0..<4).map { NumberDataPointValue(time: 1, value: .int(Int64($0))) }
      builder.add(MetricValue(name: "m\(metric)", data: .gauge(points)))
    }
    let run = BatchRun()
    await run([.batch(builder.finish())]) {
      $0.sendBatchSize = 5
      $0.sendBatchMaxSize = 5
    }
    #expect(run.output.itemCounts == [5, 5, 2])
  }

  @Test func `each combination of metadata gathers alone and keeps only its keys`() async {
    var source = SpanSource()
    let run = BatchRun()
    func metadata(_ tenant: String?) -> RequestMetadata {
      var values = ["x-other": ["\(tenant ?? "")-noise"]]
      values["x-tenant"] = tenant.map { [$0] }
      return RequestMetadata(values)
    }
    let output = run.output
    await run([
      .batch(source.next(1), metadata: metadata("a")), .pause(.milliseconds(50)),
      .batch(source.next(2), metadata: metadata("b")), .batch(source.next(3), metadata: metadata("a")),
      .batch(source.next(4)), .batch(source.next(5), metadata: metadata(nil)),
      .pause(.milliseconds(149)), .check { #expect(output.itemCounts == []) },
      .pause(.milliseconds(1)), .check { #expect(output.itemCounts == [4]) },
    ]) { $0.metadataKeys = ["X-Tenant"] }
    #expect(run.output.itemCounts == [4, 2, 9])
    #expect(run.output.arrivals.map { $0.metadata?["x-tenant"] } == [["a"], ["b"], []])
    #expect(run.output.arrivals.map { $0.metadata?["x-other"] } == [[], [], []])
    #expect(run.number("otelcol_processor_batch_metadata_cardinality") == 3)
  }

  @Test func `a busy combination does not keep another one waiting`() async {
    var source = SpanSource()
    let run = BatchRun()
    let clock = run.clock
    let metadata = ["a", "b"].map { RequestMetadata(["k": [$0]]) }
    let output = run.output
    await run([
      .batch(source.next(1), metadata: metadata[0]),
      // Moves the clock without ever leaving the intake empty.
      .check { clock.advance(by: .milliseconds(300)) },
      .batch(source.next(1), metadata: metadata[1]),
      .check { #expect(output.itemCounts == [1]) },
    ]) { $0.metadataKeys = ["k"] }
    #expect(run.output.arrivals.map { $0.metadata?["k"] } == [["a"], ["b"]])
  }

  @Test func `combinations beyond the limit are rejected and booked`() async {
    var source = SpanSource()
    let probes = [OutcomeProbe(), OutcomeProbe(), OutcomeProbe()]
    let metadata = ["a", "b"].map { RequestMetadata(["k": [$0]]) }
    let run = BatchRun()
    await run([
      .batch(source.next(1), metadata: metadata[0], probes[0]),
      .batch(source.next(2), metadata: metadata[1], probes[1]),
      .batch(source.next(3), metadata: metadata[0], probes[2]),
    ]) {
      $0.metadataKeys = ["k"]
      $0.metadataCardinalityLimit = 1
    }
    #expect(run.output.itemCounts == [4])
    #expect(probes[0].outcome == .accepted)
    #expect(probes[2].outcome == .accepted)
    guard case .rejected(let reason) = probes[1].outcome else {
      Issue.record("expected a rejection, got \(String(describing: probes[1].outcome))")
      return
    }
    #expect(reason.contains("metadata_cardinality_limit"))
    #expect(run.context.ledger.balance(of: .traces, inFlight: 0).items(.rejected) == 2)
  }

  @Test func `an empty batch is accepted and goes nowhere`() async {
    let probe = OutcomeProbe()
    let run = BatchRun(holds: true)
    await run([.batch(Batch(signal: .logs), probe)]) { _ in }
    #expect(probe.outcome == .accepted)
    #expect(run.output.arrivals.isEmpty)
  }
}
