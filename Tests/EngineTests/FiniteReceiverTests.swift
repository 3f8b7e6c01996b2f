import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

/// A collector whose receivers come to an end, as `stdin` does.
///
/// Where it must end by itself, the body of the run waits for that and asks for nothing.
@Suite(.timeLimit(.minutes(1))) struct FiniteReceiverTests {
  static let catalog = Catalog.testing(receivers: [FiniteReceiver.self])

  private static func yaml(_ name: String, receivers: [String]) -> String {
    """
    receivers:
      finite: {source: \(name)}
      finite/2: {source: \(name)-2}
      probe: {probe: \(name)}
    exporters:
      probe: {probe: \(name)}
    service:
      pipelines:
        traces: {receivers: [\(receivers.joined(separator: ", "))], exporters: [probe]}
    """
  }

  @Test func `a pipeline whose receiver is done ends by itself, with all of it delivered`() async throws {
    let (source, back) = (FiniteSource("fn"), Probe("fn"))
    let collector = try TestCollector(Self.yaml("fn", receivers: ["finite"]), catalog: Self.catalog)
    let balances = try await collector.run { _ in
      await source.started.wait()
      source.end(with: [.spans(3), .spans(4)])
      await source.stopped.wait()
    }
    #expect(back.exportedItems == 7)
    #expect(back.events == ["exporter start", "exporter stop"])
    #expect(balances[0].items(.delivered) == 7 && balances[0].unaccounted == 0)
  }

  @Test func `it goes on for as long as another receiver may receive something`() async throws {
    let (source, front) = (FiniteSource("fo"), Probe("fo"))
    let collector = try TestCollector(Self.yaml("fo", receivers: ["finite", "probe"]), catalog: Self.catalog)
    let balances = try await collector.run { _ in
      await front.started.wait()
      source.end(with: [.spans(1)])
      await source.ended.wait()
      while front.exportedItems < 1 { await Task.yield() }
      #expect(await front.send(.spans(2)) == .accepted)
    }
    #expect(front.exportedItems == 3 && balances[0].unaccounted == 0)
    #expect(front.events.contains("receiver stop"))
  }

  @Test func `of two that are finite, the last one ends it`() async throws {
    let (first, second, back) = (FiniteSource("fp"), FiniteSource("fp-2"), Probe("fp"))
    let collector = try TestCollector(
      Self.yaml("fp", receivers: ["finite", "finite/2"]), catalog: Self.catalog)
    let balances = try await collector.run { _ in
      await second.started.wait()
      first.end(with: [.spans(1)])
      await first.ended.wait()
      #expect(!first.stopped.isReached && !second.stopped.isReached)
      second.end(with: [.spans(2)])
      await second.stopped.wait()
      await first.stopped.wait()
    }
    #expect(back.exportedItems == 3 && balances[0].unaccounted == 0)
  }

  @Test func `one that a reload takes away is not the end of all`() async throws {
    let (source, front) = (FiniteSource("fr-end"), Probe("fr-end"))
    let yaml = Self.yaml("fr-end", receivers: ["finite", "probe"])
    let collector = try TestCollector(yaml, catalog: Self.catalog)
    let balances = try await collector.run { collector in
      await front.started.wait()
      try await collector.reload(Self.yaml("fr-end", receivers: ["probe"]))
      await source.stopped.wait()
      #expect(await front.send(.spans(2)) == .accepted)
      // The one that stays is left alone with one that is done at once.
      FiniteSource("fr-end-2").end(with: [])
      try await collector.reload(Self.yaml("fr-end", receivers: ["probe", "finite/2"]))
      #expect(await front.send(.spans(3)) == .accepted)
    }
    #expect(front.exportedItems == 5 && balances[0].unaccounted == 0)
  }

  @Test func `one that fails is told, and ends the collector`() async throws {
    let (source, _) = (FiniteSource("ff"), Probe("ff"))
    let collector = try TestCollector(Self.yaml("ff", receivers: ["finite", "probe"]), catalog: Self.catalog)
    let error = await #expect(throws: ComponentFailure.self) {
      try await collector.run { _ in
        await source.started.wait()
        source.end(with: [.spans(1)], failing: "the pipe is broken")
        await source.stopped.wait()
      }
    }
    let found = try #require(error)
    #expect("\(found)" == "receiver finite (test.yaml:2): the pipe is broken")
  }
}

/// What a test gives to one ``FiniteReceiver``.
private final class FiniteSource: Sendable {
  private static let registry = Mutex<[String: FiniteSource]>([:])
  private let content = Mutex<(batches: [Batch], failure: String?)>(([], nil))
  private let isComplete = Milestone()
  /// The receiver works; has delivered everything; has been stopped.
  let (started, ended, stopped) = (Milestone(), Milestone(), Milestone())

  init(_ name: String) { Self.registry.withLock { $0[name] = self } }

  static func named(_ name: String) throws -> FiniteSource {
    guard let source = registry.withLock({ $0[name] }) else { throw StartError("there is no source \(name)") }
    return source
  }

  /// That is all there is to receive.
  func end(with batches: [Batch], failing failure: String? = nil) {
    content.withLock { $0 = (batches, failure) }
    isComplete.reach()
  }

  func deliver(to outputs: ReceiverOutputs) async throws {
    await isComplete.wait()
    let (batches, failure) = content.withLock { $0 }
    for batch in batches { _ = await outputs[batch.signal]?.deliver(batch) }
    ended.reach()
    if let failure { throw StartError(failure) }
  }

  func stop() {
    isComplete.reach()
    stopped.reach()
  }
}

/// A receiver that is done when a test says so.
private final class FiniteReceiver: Receiver {
  struct Config: ConfigGroup {
    var source = ""
    init() {}
    static let fields: [Field<Self>] = [Field("source", \.source, "Name of the source.", check: .nonEmpty)]
  }
  static let descriptor = ComponentDescriptor(type: "finite", summary: "Delivers what a test gives it.")
  static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.isFinite = true
    return traits
  }

  private let source: FiniteSource
  private let outputs = Mutex(ReceiverOutputs())

  init(config: Config, context: ComponentContext) throws { source = try FiniteSource.named(config.source) }

  func start(_ outputs: ReceiverOutputs) async throws {
    self.outputs.withLock { $0 = outputs }
    source.started.reach()
  }

  func run() async throws {
    let outputs = outputs.withLock { $0 }
    try await source.deliver(to: outputs)
  }

  func stop() async { source.stop() }
}
