import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Testing

/// What a plan promises about its paths, and where it warns.
@Suite struct DeliveryGuaranteeTests {
  /// An extension that could keep queues; nothing is ever opened here.
  final class MemoryShelf: StorageProvider {
    struct Config: ConfigGroup {
      init() {}
      static let fields: [Field<Self>] = []
    }
    static let descriptor = ComponentDescriptor(type: "shelf", signals: [], summary: "Keeps nothing.")
    init(config: Config, context: ComponentContext) {}
    func start() async throws {}
    func stop() async {}
    func openQueue(for client: ComponentID, limits: StoredQueueLimits) async throws -> any DurableBatchQueue {
      throw StartError("nothing is opened in plans")
    }
    func openCheckpoints(for client: ComponentID) async throws -> any Checkpoints {
      throw StartError("nothing is opened in plans")
    }
  }

  /// A processor that holds items and answers for them, whatever follows.
  struct Holder: BufferingProcessor {
    struct Config: ConfigGroup {
      init() {}
      static let fields: [Field<Self>] = []
    }
    static let descriptor = ComponentDescriptor(type: "holder", summary: "Holds items.")
    static func traits(of config: Config) -> ComponentTraits { ComponentTraits(buffering: .answersEarly) }
    var answersOnIntake: Bool { true }
    init(config: Config, context: ComponentContext) {}
    func run(intake: any Intake, output: any Consumer) async {}
  }

  /// A processor that holds items, and answers when what follows has taken them.
  struct Gatherer: BufferingProcessor {
    struct Config: ConfigGroup {
      init() {}
      static let fields: [Field<Self>] = []
    }
    static let descriptor = ComponentDescriptor(type: "gatherer", summary: "Gathers items.")
    var answersOnIntake: Bool { false }
    init(config: Config, context: ComponentContext) {}
    func run(intake: any Intake, output: any Consumer) async {}
  }

  static let catalog = Catalog.testing(
    processors: [Holder.self, Gatherer.self], extensions: [MemoryShelf.self])

  func plan(
    _ exporters: String, processors: String = "", service: String = "", started: String = "shelf"
  ) -> (Plan?, Diagnostics) {
    TestCollector.plan(
      """
      receivers: {probe: {probe: a}}
      processors: {holder: {}, gatherer: {}}
      exporters: {\(exporters)}
      extensions: {shelf: {}}
      service:
        extensions: [\(started)]
        \(service)
        pipelines: {traces: {receivers: [probe], processors: [\(processors)], exporters: [\(
          exporters.contains("probe/2") ? "probe, probe/2" : "probe")]}}
      """, catalog: Self.catalog)
  }

  func path(_ exporters: String, processors: String = "", service: String = "") throws -> DeliveryPath {
    let (plan, diagnostics) = plan(exporters, processors: processors, service: service)
    return try #require(plan, "\(diagnostics.render())").deliveryPaths[0]
  }

  static let memory = "probe: {probe: a}"
  static let stored = "probe: {probe: a, sending_queue: {storage: shelf}}"

  @Test func `a memory queue answers for data that a crash loses`() throws {
    let path = try path(Self.memory)
    #expect(path.taken == .queued)
    #expect(!path.survivesCrash)
    #expect(path.outage.contains("1000 requests or 256 MiB"))
    #expect(path.outage.contains("given up after 5m"))
  }

  @Test func `a durable queue answers after the commit, also through a processor that gathers`() throws {
    let path = try path(Self.stored, processors: "gatherer")
    #expect(path.taken == .stored(by: "shelf"))
    #expect(path.guarantee == "at least once")
    #expect(path.outage.contains("tried until it is taken"))
  }

  @Test func `at_least_once waits for the backend`() throws {
    #expect(
      try path(Self.memory, processors: "gatherer").taken
        == .buffered(
          ComponentID(kind: .processor, type: "gatherer")))
    let path = try path(Self.memory, processors: "gatherer", service: "delivery: at_least_once")
    #expect(path.taken == .delivered)
    #expect(path.guarantee == "at least once")
  }

  @Test func `a processor that answers early weakens a durable queue, and check says so`() throws {
    let (plan, diagnostics) = plan(Self.stored, processors: "holder")
    #expect(plan?.deliveryPaths[0].survivesCrash == false)
    let warning = try #require(diagnostics.all.first { $0.code == "weak-delivery" })
    #expect(warning.message.contains("processor holder holds data in memory"))
    #expect(warning.location != nil)
  }

  @Test func `a memory queue beside a durable one is warned of`() {
    let (_, diagnostics) = plan(Self.stored + ", probe/2: {probe: a}")
    #expect(diagnostics.all.contains { $0.code == "weak-delivery" && $0.message.contains("probe/2") })
    let (_, clean) = plan(Self.stored + ", probe/2: {probe: a}", service: "delivery: at_least_once")
    #expect(!clean.all.contains { $0.code == "weak-delivery" })
  }

  @Test func `giving up stored data is warned of at the key`() throws {
    let (plan, diagnostics) = plan(
      "probe: {probe: a, sending_queue: {storage: shelf}, retry_on_failure: {max_elapsed_time: 10m}}")
    #expect(plan?.deliveryPaths[0].guarantee == "best effort")
    let warning = try #require(diagnostics.all.first { $0.code == "weak-delivery" })
    #expect(warning.path == "exporters.probe.retry_on_failure.max_elapsed_time")
    #expect(warning.message.contains("10m"))
    let (_, off) = self.plan(
      "probe: {probe: a, sending_queue: {storage: shelf}, retry_on_failure: {enabled: false}}")
    #expect(off.all.contains { $0.message.contains("at the first try") })
  }

  @Test func `wait_for_result behind a processor that answers is warned of`() {
    let (_, diagnostics) = plan(
      "probe: {probe: a, sending_queue: {wait_for_result: true}}", processors: "gatherer")
    #expect(diagnostics.all.contains { $0.code == "weak-delivery" && $0.message.contains("wait_for_result") })
  }

  @Test func `storage must be declared, started and able to store`() {
    func error(_ exporters: String, started: String = "shelf") -> Diagnostic? {
      plan(exporters, started: started).1.all.first { $0.severity == .error }
    }
    let missing = error("probe: {probe: a, sending_queue: {storage: shelve}}")
    #expect(missing?.help == "did you mean \"shelf\"?")
    #expect(missing?.path == "exporters.probe.sending_queue.storage")
    #expect(error(Self.stored, started: "")?.help == "add it to service.extensions")
    #expect(error("probe: {probe: a, sending_queue: {storage: shelf, wait_for_result: true}}") != nil)
    #expect(error("probe: {probe: a, sending_queue: {storage: shelf, enabled: false}}") != nil)
  }
}
