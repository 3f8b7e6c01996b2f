import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

/// Reloads that fail halfway, when old nodes have made room already, or that the end of the collector overtakes.
///
/// Where the end must not wait for what was never started, the time for draining is far longer than the test may take.
@Suite(.timeLimit(.minutes(2))) struct ReloadFailureTests {
  static let catalog = Catalog.testing(
    exporters: [SlotExporter.self], extensions: [SlotExtension.self, DeliveryGuaranteeTests.MemoryShelf.self])

  /// A pipeline into an exporter and beside an extension that one instance at a time can have open. `probe/2`, which is
  /// made with the name `broken`, can never start.
  private static func yaml(
    _ slot: Slot, exporter: String, extension holder: String, broken: Bool = false
  ) -> String {
    """
    receivers:
      probe: {probe: \(slot.name)}
      probe/2: {probe: \(slot.name)-broken}
    exporters:
      slot: {slot: \(slot.name), uses: slot, \(exporter)}
    extensions:
      slot: {slot: \(slot.name), \(holder)}
    service:
      extensions: [slot]
      pipelines:
        traces: {receivers: [probe], exporters: [slot]}
    \(broken ? "    traces/2: {receivers: [probe/2], exporters: [slot]}" : "")
    """
  }

  private func start(_ name: String) throws -> (Slot, Probe, TestCollector, Probe) {
    let slot = Slot(name)
    let broken = Probe("\(name)-broken", startError: "no such host")
    let front = Probe(name)
    let yaml = Self.yaml(slot, exporter: "as: A", extension: "as: a")
    return (slot, front, try TestCollector(yaml, catalog: Self.catalog), broken)
  }

  @Test func `an exporter that made room is renewed, with what came meanwhile`() async throws {
    let (slot, front, collector, _) = try start("fx")
    let balances = try await collector.run { collector in
      await front.started.wait()
      #expect(await front.send(.spans(1)) == .accepted)
      while slot.items(of: "A") < 1 { await Task.yield() }
      slot.holdStart(of: "B")
      async let failed = #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(slot, exporter: "as: B", extension: "as: a", broken: true))
      }
      while !slot.events.contains("B starts") { await Task.yield() }
      #expect(await front.send(.spans(2)) == .accepted)
      slot.letStart("B")
      _ = await failed
      #expect(await front.send(.spans(4)) == .accepted)
      while slot.items(of: "A") + slot.items(of: "B") < 7 { await Task.yield() }
      // What is being taken is booked a moment before it is out of flight.
      while collector.balances()[0].unaccounted != 0 { await Task.yield() }
    }
    #expect(
      slot.events == [
        "a starts", "A starts", "A stops", "B starts", "B stops", "A starts", "A stops", "a stops",
      ])
    #expect(slot.items(of: "A") >= 5)
    #expect(balances[0].items(.delivered) == 7 && balances[0].unaccounted == 0)
  }

  @Test func `what waits for an exporter that cannot start goes to the one that is renewed`() async throws {
    let (slot, front, collector, _) = try start("fy")
    let balances = try await collector.run { collector in
      await front.started.wait()
      slot.holdStart(of: "B")
      async let failed = #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(slot, exporter: "as: B, fails: true", extension: "as: a"))
      }
      while !slot.events.contains("B starts") { await Task.yield() }
      #expect(await front.send(.spans(2)) == .accepted)
      slot.letStart("B")
      _ = await failed
      while slot.items(of: "A") < 2 { await Task.yield() }
      #expect(await front.send(.spans(3)) == .accepted)
    }
    #expect(slot.events == ["a starts", "A starts", "A stops", "B starts", "A starts", "A stops", "a stops"])
    #expect(slot.items(of: "A") == 5 && slot.items(of: "B") == 0)
    #expect(balances[0].items(.delivered) == 5 && balances[0].unaccounted == 0)
  }

  @Test func `an extension that made room is renewed, and the exporters that use it`() async throws {
    let (slot, front, collector, _) = try start("fz")
    let balances = try await collector.run { collector in
      await front.started.wait()
      #expect(await front.send(.spans(1)) == .accepted)
      let error = await #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(slot, exporter: "as: B", extension: "as: b", broken: true))
      }
      let found = try #require(error)
      #expect("\(found)" == "receiver probe/2 (test.yaml:3): no such host")
      #expect(await front.send(.spans(2)) == .accepted)
      while slot.items(of: "A") + slot.items(of: "B") < 3 { await Task.yield() }
      // And the same again, this time to the end.
      try await collector.reload(Self.yaml(slot, exporter: "as: C", extension: "as: c"))
      #expect(await front.send(.spans(4)) == .accepted)
    }
    #expect(slot.items(of: "C") == 4)
    #expect(slot.openings == ["a", "A", "b", "B", "a", "A", "c", "C"].sorted())
    #expect(slot.owners.isEmpty)
    #expect(balances[0].items(.delivered) == 7 && balances[0].unaccounted == 0)
  }

  @Test func `an extension that cannot start leaves its predecessor renewed`() async throws {
    let (slot, front, collector, _) = try start("fw")
    let balances = try await collector.run { collector in
      await front.started.wait()
      let error = await #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(slot, exporter: "as: A", extension: "as: b, fails: true"))
      }
      let found = try #require(error)
      #expect("\(found)" == "extension slot (test.yaml:7): b cannot start")
      #expect(await front.send(.spans(2)) == .accepted)
      while slot.items(of: "A") < 2 { await Task.yield() }
    }
    #expect(slot.owners.isEmpty)
    #expect(balances[0].items(.delivered) == 2 && balances[0].unaccounted == 0)
  }

  @Test func `a collector that can go neither on nor back ends with the error`() async throws {
    let (slot, front, collector, _) = try start("fv")
    do {
      _ = try await collector.run(drainTimeout: .seconds(3600)) { collector in
        await front.started.wait()
        slot.breakStart(of: "A")
        await #expect(throws: ComponentFailure.self) {
          try await collector.reload(Self.yaml(slot, exporter: "as: B, fails: true", extension: "as: a"))
        }
      }
      Issue.record("it ended without an error")
    } catch {
      #expect("\(error)" == "exporter slot (test.yaml:5): A cannot start")
    }
    #expect(collector.balances()[0].unaccounted == 0)
    #expect(slot.owners.isEmpty)
  }

  @Test func `a shutdown waits for the reload that is under way, and refuses the next`() async throws {
    let (slot, front, collector, _) = try start("fs")
    let balances = try await collector.run { collector in
      await front.started.wait()
      slot.holdStart(of: "B")
      async let first = collector.reload(Self.yaml(slot, exporter: "as: B", extension: "as: a"))
      while !slot.events.contains("B starts") { await Task.yield() }
      collector.stop()
      async let second = #expect(throws: ReloadRefused.self) {
        try await collector.reload(Self.yaml(slot, exporter: "as: C", extension: "as: a"))
      }
      #expect(await front.send(.spans(2)) == .accepted)
      slot.letStart("B")
      let summary = try await first
      #expect(summary.replaced == ["exporter slot"])
      _ = await second
    }
    #expect(slot.events == ["a starts", "A starts", "A stops", "B starts", "B stops", "a stops"])
    #expect(slot.items(of: "B") == 2)
    #expect(balances[0].items(.delivered) == 2 && balances[0].unaccounted == 0)
  }

  /// Also when the successor no longer tries again and again, but waits for its predecessor's end.
  @Test(arguments: [Duration.zero, .milliseconds(1200)])
  func `a shutdown does not wait for what a successor waits for`(_ pause: Duration) async throws {
    let (slot, front, collector, _) = try start("ft \(pause)")
    let balances = try await collector.run(drainTimeout: .seconds(3600)) { collector in
      await front.started.wait()
      #expect(await front.send(.spans(2)) == .accepted)
      slot.holdStop(of: "a")
      async let failed = #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(slot, exporter: "as: B", extension: "as: b"))
      }
      while !slot.events.contains("a stops") { await Task.yield() }
      try await Task.sleep(for: pause)
      collector.stop()
      _ = await failed
      slot.letStop("a")
    }
    #expect(slot.items(of: "A") == 2 && slot.owners.isEmpty)
    #expect(slot.openings == ["A", "a"])
    #expect(balances[0].items(.delivered) == 2 && balances[0].unaccounted == 0)
  }

  /// An exporter whose queue is to be in a place that takes none.
  private static func shelved(_ name: String) -> String {
    """
    receivers: {probe: {probe: \(name)}}
    exporters: {probe: {probe: \(name), sending_queue: {storage: shelf}}}
    extensions: {shelf: {}}
    service: {extensions: [shelf], pipelines: {traces: {receivers: [probe], exporters: [probe]}}}
    """
  }

  @Test func `a queue that cannot be opened ends the start at once`() async throws {
    let front = Probe("fq")
    let collector = try TestCollector(Self.shelved("fq"), catalog: Self.catalog)
    let error = await #expect(throws: ComponentFailure.self) {
      try await collector.run(drainTimeout: .seconds(3600)) { _ in }
    }
    let found = try #require(error)
    #expect("\(found)" == "exporter probe (test.yaml:2): nothing is opened in plans")
    #expect(front.events == ["exporter start", "exporter stop"])
  }

  @Test func `a queue that a reload cannot open leaves nothing behind`() async throws {
    let front = Probe("fr")
    let yaml =
      "receivers: {probe: {probe: fr}}\nexporters: {probe: {probe: fr}}\n"
      + "service: {pipelines: {traces: {receivers: [probe], exporters: [probe]}}}"
    let collector = try TestCollector(yaml, catalog: Self.catalog)
    let balances = try await collector.run(drainTimeout: .seconds(3600)) { collector in
      await front.started.wait()
      await #expect(throws: ComponentFailure.self) { try await collector.reload(Self.shelved("fr")) }
      #expect(await front.send(.spans(2)) == .accepted)
    }
    #expect(front.exportedItems == 2 && balances[0].unaccounted == 0)
    #expect(front.events.filter { $0 == "exporter start" }.count == 2)
    #expect(front.events.filter { $0 == "exporter stop" }.count == 2)
  }
}

/// What one exporter and one extension at a time can have open.
private final class Slot: Sendable {
  private struct State {
    var owners: Set<String> = []
    var openings: [String] = []
    var events: [String] = []
    var items: [String: Int] = [:]
    var broken: Set<String> = []
    var gates: [String: Milestone] = [:]
  }
  private static let registry = Mutex<[String: Slot]>([:])
  private let state = Mutex(State())
  let name: String

  init(_ name: String) {
    self.name = name
    Self.registry.withLock { $0[name] = self }
  }

  static func named(_ name: String) throws -> Slot {
    guard let slot = registry.withLock({ $0[name] }) else { throw StartError("there is no slot \(name)") }
    return slot
  }

  var events: [String] { state.withLock { $0.events } }
  var openings: [String] { state.withLock { $0.openings.sorted() } }
  var owners: Set<String> { state.withLock { $0.owners } }
  func items(of owner: String) -> Int { state.withLock { $0.items[owner] ?? 0 } }

  func holdStart(of owner: String) { state.withLock { $0.gates["\(owner) starts"] = Milestone() } }
  func letStart(_ owner: String) { state.withLock { $0.gates["\(owner) starts"] }?.reach() }
  func holdStop(of owner: String) { state.withLock { $0.gates["\(owner) stops"] = Milestone() } }
  func letStop(_ owner: String) { state.withLock { $0.gates["\(owner) stops"] }?.reach() }
  func breakStart(of owner: String) { state.withLock { _ = $0.broken.insert(owner) } }

  private func note(_ event: String) async {
    let gate = state.withLock { state in
      state.events.append(event)
      return state.gates[event]
    }
    await gate?.wait()
  }

  /// Exporters have capital letters, extensions small ones; each kind has a place.
  func open(_ owner: String, fails: Bool) async throws {
    let isTaken = state.withLock { state in
      state.owners.contains { $0.first?.isUppercase == owner.first?.isUppercase }
    }
    if isTaken { throw StartError("the slot is in use", isInUse: true) }
    await note("\(owner) starts")
    try state.withLock { state in
      if fails || state.broken.contains(owner) { throw StartError("\(owner) cannot start") }
      state.owners.insert(owner)
      state.openings.append(owner)
    }
  }

  func close(_ owner: String) async {
    await note("\(owner) stops")
    state.withLock { _ = $0.owners.remove(owner) }
  }

  func take(_ items: Int, by owner: String) {
    state.withLock { state in
      precondition(state.owners.contains(owner))
      state.items[owner, default: 0] += items
    }
  }
}

private enum SlotRole: ExtensionRole {
  static let name = "slot"
}

private struct SlotConfig: ConfigGroup {
  var slot = ""
  var name = ""
  var fails = false
  var uses: ExtensionReference<SlotRole>?
  init() {}
  static let fields: [Field<Self>] = [
    Field("slot", \.slot, "Name of the slot.", check: .nonEmpty),
    Field("as", \.name, "Who has it.", check: .nonEmpty),
    Field("fails", \.fails, "Whether it cannot start."),
    Field("uses", \.uses, "An extension."),
  ]
}

/// An exporter of which only one instance can run.
private final class SlotExporter: Exporter {
  typealias Config = SlotConfig
  static let descriptor = ComponentDescriptor(type: "slot", summary: "Has a slot.")
  private let slot: Slot
  private let config: SlotConfig

  init(config: SlotConfig, context: ComponentContext) throws {
    self.config = config
    slot = try Slot.named(config.slot)
  }

  static func delivery(of config: SlotConfig) -> DeliverySettings {
    DeliverySettings(queue: QueueSettings(), retry: RetrySettings(), timeout: .seconds(5))
  }

  static func traits(of config: SlotConfig) -> ComponentTraits {
    var traits = ComponentTraits(delivery: delivery(of: config))
    traits.isExclusive = true
    return traits
  }

  func start() async throws { try await slot.open(config.name, fails: config.fails) }
  func stop() async { await slot.close(config.name) }
  func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    slot.take(batch.itemCount, by: config.name)
    return .accepted
  }
}

/// An extension of which only one instance can run.
private final class SlotExtension: ServiceExtension {
  typealias Config = SlotConfig
  static let descriptor = ComponentDescriptor(type: "slot", summary: "Has a slot.")
  private let slot: Slot
  private let config: SlotConfig

  init(config: SlotConfig, context: ComponentContext) throws {
    self.config = config
    slot = try Slot.named(config.slot)
  }

  static func traits(of config: SlotConfig) -> ComponentTraits { ComponentTraits(roles: [SlotRole.name]) }

  func start() async throws { try await slot.open(config.name, fails: config.fails) }
  func stop() async { await slot.close(config.name) }
}
