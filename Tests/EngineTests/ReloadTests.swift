import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import SeededRandom
import Synchronization
import TelemetryData
import Testing

/// Going over to another configuration while data flows.
@Suite struct ReloadTests {
  /// A pipeline `traces` from probe receiver `front` through `processors` to `exporters`, given as id and settings.
  static func yaml(
    _ front: String, _ exporters: [(String, String)], processors: [String] = [], more: String = ""
  ) -> String {
    """
    receivers:
      probe: {probe: \(front)}
      probe/2: {probe: \(front)-2}
    processors: {holding: {}, thinning: {keep_every: 1}, thinning/2: {keep_every: 1}}
    exporters:
    \(exporters.map { "  \($0.0): {\($0.1)}" }.joined(separator: "\n"))
    service:
      pipelines:
        traces:
          receivers: [probe]
          processors: [\(processors.joined(separator: ", "))]
          exporters: [\(exporters.map(\.0).joined(separator: ", "))]
    \(more)
    """
  }

  /// Holds items back until there are ten, or until it is closed.
  final class HoldingProcessor: BufferingProcessor {
    struct Config: ConfigGroup {
      var size = 10
      init() {}
      static let fields: [Field<Self>] = [Field("size", \.size, "Items to gather.")]
    }
    static let descriptor = ComponentDescriptor(type: "holding", summary: "Holds ten items back.")
    private let size: Int
    init(config: Config, context: ComponentContext) { size = config.size }
    var answersOnIntake: Bool { false }

    func run(intake: any Intake, output: any Consumer) async {
      var held: [(Batch, Completion)] = []
      while case .delivery(let delivery) = await intake.next(before: nil) {
        held.append((delivery.batch, delivery.completion))
        if held.reduce(0, { $0 + $1.0.itemCount }) < size { continue }
        for (batch, completion) in held { await output.send(Delivery(batch, completion: completion)) }
        held = []
      }
      for (batch, completion) in held { await output.send(Delivery(batch, completion: completion)) }
    }
  }

  static let catalog = Catalog.testing(processors: [HoldingProcessor.self])

  @Test func `an exporter is exchanged under load, and nothing else is touched`() async throws {
    let (front, a, b) = (Probe("rl-front"), Probe("rl-a"), Probe("rl-b"))
    let collector = try TestCollector(
      Self.yaml("rl-front", [("probe", "probe: rl-a")]), catalog: Self.catalog)
    let balances = try await collector.run { collector in
      await front.started.wait()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<200 { #expect(await front.send(.spans(3)) == .accepted) }
          }
        }
        group.addTask {
          while a.exportedItems < 300 { await Task.yield() }
          let summary = try await collector.reload(Self.yaml("rl-front", [("probe", "probe: rl-b")]))
          #expect(summary.replaced == ["exporter probe"] && summary.kept == ["receiver probe"])
        }
        try await group.waitForAll()
      }
    }
    #expect(front.events == ["receiver start", "receiver stop"])
    #expect(a.exportedItems > 0 && a.exportedItems + b.exportedItems == 2400)
    #expect(a.events == ["exporter start", "exporter stop"] && b.events == a.events)
    #expect(balances[0].items(.delivered) == 2400 && balances[0].unaccounted == 0)
  }

  @Test func `the same configuration changes nothing`() async throws {
    let front = Probe("rs")
    let yaml = Self.yaml("rs", [("probe", "probe: rs, timeout: 3s")], processors: ["holding", "thinning"])
    let same = yaml.replacing("probe: rs, timeout: 3s", with: "timeout: 3s, probe: rs")
    _ = try await TestCollector(yaml, catalog: Self.catalog).run { collector in
      await front.started.wait()
      let summary = try await collector.reload("\n\n" + same)
      #expect(summary.replaced + summary.added + summary.removed == [])
      #expect(summary.kept.count == 4)
    }
    #expect(front.events == ["exporter start", "receiver start", "receiver stop", "exporter stop"])
  }

  @Test func `what an exporter has queued, or tries in vain, goes to its successor`() async throws {
    let (down, up) = (Probe("rq-down") { _ in .refused(reason: "down", after: nil) }, Probe("rq-up"))
    let front = Probe("rq")
    let settings =
      "sending_queue: {num_consumers: 2}, retry_on_failure: {initial_interval: 1h, max_elapsed_time: 0s}"
    let collector = try TestCollector(
      Self.yaml("rq", [("probe", "probe: rq-down, \(settings)")]), catalog: Self.catalog)
    let balances = try await collector.run { collector in
      await front.started.wait()
      for count in 1...10 { #expect(await front.send(.spans(count)) == .accepted) }
      while down.attempts < 2 { await Task.yield() }
      // A smaller queue, which takes what there was all the same.
      try await collector.reload(
        Self.yaml("rq", [("probe", "probe: rq-up, sending_queue: {queue_size: 1}")]))
      while up.exportedItems < 55 { await Task.yield() }
    }
    #expect(down.attempts == 2 && up.exportedItems == 55)
    #expect(balances[0].items(.delivered) == 55 && balances[0].unaccounted == 0)
  }

  @Test
  func `a reload does not wait for the backend of a removed exporter, which drains or is dropped in time`()
    async throws
  {
    let clock = TestClock()
    let (down, front) = (Probe("rr-down") { _ in .refused(reason: "down", after: nil) }, Probe("rr"))
    let retry = "retry_on_failure: {initial_interval: 1h, max_elapsed_time: 0s}"
    let collector = try TestCollector(
      Self.yaml("rr", [("probe", "probe: rr"), ("probe/down", "probe: rr-down, \(retry)")]),
      catalog: Self.catalog, clock: clock)
    let balances = try await collector.run(drainTimeout: .seconds(30)) { collector in
      await front.started.wait()
      #expect(await front.send(.spans(4)) == .accepted)
      while down.attempts < 1 { await Task.yield() }
      let summary = try await collector.reload(Self.yaml("rr", [("probe", "probe: rr")]))
      #expect(summary.removed == ["exporter probe/down"])
      #expect(await front.send(.spans(2)) == .accepted)
      // What is being taken is booked a moment before it is out of flight.
      while collector.balances()[0].unaccounted != 0 { await Task.yield() }
      clock.advance(by: .seconds(30))
      while !down.events.contains("exporter stop") { await Task.yield() }
      while collector.metric("otelcol_exporter_queue_capacity") > 1000 { await Task.yield() }
    }
    #expect(front.exportedItems == 6)
    #expect(balances[0].items(.dropped) == 4 && balances[0].unaccounted == 0)
  }

  @Test func `an exporter that comes back has what it left`() async throws {
    let (down, front) = (Probe("rb-down") { _ in .refused(reason: "down", after: nil) }, Probe("rb"))
    let back = Probe("rb-back")
    let retry = "retry_on_failure: {initial_interval: 1h, max_elapsed_time: 0s}"
    let alone = Self.yaml("rb", [("probe", "probe: rb")])
    let collector = try TestCollector(
      Self.yaml("rb", [("probe", "probe: rb"), ("probe/down", "probe: rb-down, \(retry)")]),
      catalog: Self.catalog)
    let balances = try await collector.run { collector in
      await front.started.wait()
      #expect(await front.send(.spans(4)) == .accepted)
      while down.attempts < 1 { await Task.yield() }
      try await collector.reload(alone)
      try await collector.reload(
        Self.yaml("rb", [("probe", "probe: rb"), ("probe/down", "probe: rb-back")]))
      while back.exportedItems < 4 { await Task.yield() }
    }
    #expect(balances[0].items(.delivered) == 8 && balances[0].unaccounted == 0)
  }

  @Test func `a processor that goes drains into what runs now`() async throws {
    let (front, a, b) = (Probe("rp"), Probe("rp-a"), Probe("rp-b"))
    let collector = try TestCollector(
      Self.yaml("rp", [("probe", "probe: rp-a")], processors: ["holding"]), catalog: Self.catalog)
    let outcome = OutcomeProbe()
    let balances = try await collector.run { collector in
      await front.started.wait()
      front.offer(.spans(5), handler: outcome)
      while collector.metric("otelcol_processor_incoming_items") < 5 { await Task.yield() }
      let summary = try await collector.reload(Self.yaml("rp", [("probe", "probe: rp-b")]))
      #expect(summary.removed == ["processor holding of traces"])
      while b.exportedItems < 5 { await Task.yield() }
    }
    #expect(a.exported.isEmpty && outcome.outcome == .accepted)
    #expect(balances[0].items(.delivered) == 5 && balances[0].unaccounted == 0)
  }

  @Test func `when a new part cannot start, everything goes on as it was`() async throws {
    let (front, broken) = (Probe("rf"), Probe("rf-broken", startError: "no such host"))
    let back = Probe("rf-b")
    let collector = try TestCollector(
      Self.yaml("rf", [("probe", "probe: rf")], processors: ["thinning"]), catalog: Self.catalog)
    let balances = try await collector.run { collector in
      await front.started.wait()
      let wrong = Self.yaml(
        "rf", [("probe", "probe: rf-b"), ("probe/new", "probe: rf-b")], processors: ["holding"],
        more: "    traces/2: {receivers: [probe/2], exporters: [probe]}"
      ).replacing("rf-2", with: "rf-broken")
      let error = await #expect(throws: ComponentFailure.self) { try await collector.reload(wrong) }
      let found = try #require(error)
      #expect("\(found)" == "receiver probe/2 (test.yaml:3): no such host")
      #expect(await front.send(.spans(3)) == .accepted)
      while front.exportedItems < 3 { await Task.yield() }
      while back.events.filter({ $0 == "exporter stop" }).count < 2 { await Task.yield() }
    }
    #expect(broken.events == [] && back.exported.isEmpty)
    #expect(front.events == ["exporter start", "receiver start", "receiver stop", "exporter stop"])
    #expect(balances[0].items(.delivered) == 3 && balances[0].unaccounted == 0)
  }

  @Test func `a reload after the end is refused`() async throws {
    let front = Probe("re")
    let collector = try TestCollector(Self.yaml("re", [("probe", "probe: re")]), catalog: Self.catalog)
    _ = try await collector.run { _ in await front.started.wait() }
    await #expect(throws: ReloadRefused.self) {
      try await collector.reload(Self.yaml("re", [("probe", "probe: re, timeout: 1s")]))
    }
  }

  /// A random configuration: any of three exporters with changing settings, processors in any number.
  static func anyYAML(_ name: String, _ random: inout some RandomNumberGenerator) -> String {
    let sinks = ["probe", "probe/a", "probe/b"].filter { _ in Bool.random(using: &random) }
    let queues = [
      "", ", sending_queue: {enabled: false}", ", sending_queue: {queue_size: 3, block_on_overflow: true}",
    ]
    let exporters = (sinks.isEmpty ? ["probe"] : sinks).map { id in
      let timeout = Int.random(in: 1...3, using: &random)
      let queue = queues[Int.random(in: queues.indices, using: &random)]
      return (id, "probe: \(name), timeout: \(timeout)s\(queue)")
    }
    let processors = ["holding", "thinning", "thinning/2"].filter { _ in Bool.random(using: &random) }
    return yaml(name, exporters, processors: processors.shuffled(using: &random))
  }

  @Test func `200 random reloads under load lose, repeat and forget nothing`() async throws {
    let name = "rx"
    let front = Probe(name)
    var random = SeededGenerator(20_261_125)
    // The last one holds nothing back: at the end, when the other senders have left, the items of those that wait for
    // an answer would not become ten any more.
    let plans =
      (0..<200).map { _ in Self.anyYAML(name, &random) } + [Self.yaml(name, [("probe", "probe: \(name)")])]
    let collector = try TestCollector(
      Self.yaml(name, [("probe", "probe: \(name)")], processors: ["thinning"]), catalog: Self.catalog)
    let isOver = Milestone()
    let answers = Answers()
    let balances = try await collector.run { collector in
      await front.started.wait()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for lane in 0..<4 {
          group.addTask {
            while !isOver.isReached {
              let items = lane + 1
              answers.sent(items)
              if lane.isMultiple(of: 2) {
                answers.heard(await front.send(.spans(items)), items)
              } else {
                front.offer(.spans(items), handler: answers.handler(items))
                await Task.yield()
              }
            }
          }
        }
        group.addTask {
          defer { isOver.reach() }
          for yaml in plans { try await collector.reload(yaml) }
        }
        try await group.waitForAll()
      }
    }
    let traces = balances[0]
    #expect(front.events.filter { $0.hasPrefix("receiver") } == ["receiver start", "receiver stop"])
    #expect(traces.items(.received) == answers.total && answers.heardTotal == answers.total)
    #expect(traces.items(.dropped) == 0 && traces.items(.leaked) == 0, "\(traces.lines)")
    #expect(traces.items(.delivered) == front.exportedItems)
    #expect(traces.unaccounted == 0 && traces.inFlight == 0)
    #expect(
      front.events.filter { $0 == "exporter start" }.count
        == front.events.filter { $0 == "exporter stop" }.count)
  }
}

/// What senders sent and heard, to be compared with the account.
private final class Answers: Sendable {
  private let state = Mutex((sent: 0, heard: 0))

  var total: Int { state.withLock { $0.sent } }
  var heardTotal: Int { state.withLock { $0.heard } }

  func sent(_ items: Int) { state.withLock { $0.sent += items } }
  func heard(_ outcome: Outcome, _ items: Int) { state.withLock { $0.heard += items } }
  func handler(_ items: Int) -> any OutcomeHandler { Handler(answers: self, items: items) }

  private final class Handler: OutcomeHandler {
    let answers: Answers
    let items: Int
    init(answers: Answers, items: Int) {
      self.answers = answers
      self.items = items
    }
    func resolved(_ outcome: Outcome) { answers.heard(outcome, items) }
  }
}
