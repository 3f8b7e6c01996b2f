import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

/// How a collector ends, and what its account says meanwhile.
@Suite struct DrainTests {
  /// A buffering processor that keeps everything until the end, but loses or filters some of it.
  final class HoardProcessor: BufferingProcessor {
    struct Config: ConfigGroup {
      var lose = false
      init() {}
      static let fields: [Field<Self>] = [Field("lose", \.lose, "Lose the first batch.")]
    }
    static let descriptor = ComponentDescriptor(type: "hoard", summary: "Keeps everything until the end.")
    private let config: Config
    private let context: ComponentContext
    init(config: Config, context: ComponentContext) {
      self.config = config
      self.context = context
    }
    var answersOnIntake: Bool { true }

    func run(intake: any Intake, output: any Consumer) async {
      var held: [Batch] = []
      while case .delivery(let delivery) = await intake.next(before: nil) {
        if delivery.batch.itemCount == 1 {
          context.ledger.record(.sampled, 1, signal: delivery.batch.signal, reason: "hoard")
        } else {
          held.append(delivery.batch)
        }
        delivery.resolve(.accepted)
      }
      for batch in held.dropFirst(config.lose ? 1 : 0) {
        await output.send(Delivery(batch, completion: .detached()))
      }
    }
  }

  private static func yaml(_ name: String, _ pipelines: String, exporters: String) -> String {
    """
    receivers: {probe: {probe: \(name)}, probe/2: {probe: \(name)-2}}
    processors: {hoard: {}, hoard/lossy: {lose: true}}
    exporters: {\(exporters)}
    service: {pipelines: {\(pipelines)}}
    """
  }

  private static let catalog = Catalog.testing(processors: [HoardProcessor.self])

  @Test func `what a processor holds is in flight, what it ended is not`() async throws {
    let probe = Probe("held")
    let yaml = Self.yaml(
      "held", "traces: {receivers: [probe], processors: [hoard], exporters: [probe]}",
      exporters: "probe: {probe: held}")
    let balances = try await TestCollector(yaml, catalog: Self.catalog).run { collector in
      await probe.started.wait()
      for count in [5, 1, 7] { #expect(await probe.send(.spans(count)) == .accepted) }
      while collector.metric("millrace_ledger_items", ["state": "sampled"]) == 0 { await Task.yield() }
      let traces = collector.balances()[0]
      #expect(traces.inFlight == 12 && traces.unaccounted == 0)
      #expect(collector.metric("millrace_ledger_in_flight", ["signal": "traces"]) == 12)
    }
    #expect(balances[0].items(.delivered) == 12 && balances[0].items(.sampled) == 1)
    #expect(balances[0].unaccounted == 0 && balances[0].inFlight == 0)
  }

  @Test func `what a processor loses is booked as leaked and shows as unaccounted`() async throws {
    let probe = Probe("lossy")
    let yaml = Self.yaml(
      "lossy", "traces: {receivers: [probe], processors: [hoard/lossy], exporters: [probe]}",
      exporters: "probe: {probe: lossy}")
    let balances = try await TestCollector(yaml, catalog: Self.catalog).run { _ in
      await probe.started.wait()
      for count in [5, 7] { #expect(await probe.send(.spans(count)) == .accepted) }
    }
    #expect(balances[0].unaccounted == 5 && balances[0].inFlight == 0)
    #expect(balances[0].items(.leaked) == 5)
  }

  @Test func `a backend that is down does not keep other pipelines from draining`() async throws {
    let clock = TestClock()
    let (down, good) = (Probe("down") { _ in .refused(reason: "down", after: nil) }, Probe("down-2"))
    let yaml = Self.yaml(
      "down",
      "traces: {receivers: [probe], processors: [hoard], exporters: [probe]}, "
        + "traces/2: {receivers: [probe/2], processors: [hoard], exporters: [probe/2]}",
      exporters:
        "probe: {probe: down, sending_queue: {queue_size: 1, num_consumers: 1}, retry_on_failure: "
        + "{initial_interval: 1h, max_interval: 1h, max_elapsed_time: 0s}}, "
        + "probe/2: {probe: down-2, sending_queue: {batch: {flush_timeout: 1h}}}")
    let collector = try TestCollector(yaml, catalog: Self.catalog, clock: clock)
    let ends = Milestone()
    async let balances = collector.run(drainTimeout: .seconds(30)) { _ in
      await down.started.wait()
      await good.started.wait()
      for _ in 0..<4 { #expect(await down.send(.spans(5)) == .accepted) }
      #expect(await good.send(.spans(8)) == .accepted)
      ends.reach()
    }
    await ends.wait()
    // Nothing moves the clock: the second pipeline drains while the first still tries.
    while !good.events.contains("exporter stop") { await Task.yield() }
    #expect(good.exportedItems == 8)
    clock.advance(by: .seconds(30))
    let traces = try await balances[0]
    #expect(traces.items(.delivered) == 8 && traces.items(.dropped) == 20)
    #expect(traces.unaccounted == 0 && traces.inFlight == 0)
  }

  @Test func `an export that ignores its cancellation is left behind, and its items are in flight`()
    async throws
  {
    let gate = Milestone()
    let probe = Probe("deaf") { _ in
      await gate.wait()
      return .accepted
    }
    let yaml = Self.yaml(
      "deaf", "traces: {receivers: [probe], exporters: [probe]}",
      exporters: "probe: {probe: deaf, timeout: 1ms}")
    let collector = try TestCollector(yaml, catalog: Self.catalog)
    let balances = try await collector.run(drainTimeout: .zero, grace: .milliseconds(1)) { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(3)) == .accepted)
      while probe.attempts == 0 { await Task.yield() }
    }
    #expect(balances[0].inFlight == 3 && balances[0].unaccounted == 0)
    // Taken late is taken: it is neither tried again nor dropped.
    gate.reach()
    while collector.balances()[0].inFlight > 0 { await Task.yield() }
    #expect(collector.balances()[0].items(.delivered) == 3 && probe.attempts == 1)
  }

  @Test func `a backend that rejects more than there is cannot unbalance the account`() async throws {
    let probe = Probe("odd") { .partial(rejected: $0.itemCount == 1 ? -4 : 100, message: "odd") }
    let yaml = Self.yaml(
      "odd", "traces: {receivers: [probe], exporters: [probe]}",
      exporters: "probe: {probe: odd, sending_queue: {enabled: false}}")
    let collector = try TestCollector(yaml, catalog: Self.catalog)
    let balances = try await collector.run { _ in
      await probe.started.wait()
      #expect(await probe.send(.spans(1)) == .accepted)
      #expect(await probe.send(.spans(3)) == .partial(rejected: 3, message: "odd"))
    }
    #expect(balances[0].items(.delivered) == 1 && balances[0].items(.rejected) == 3)
    #expect(balances[0].unaccounted == 0)
    #expect(collector.metric("otelcol_receiver_accepted_spans") == 1)
  }
}
