import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

/// Reloads that replace the storage of receivers: only one instance has the place open, and its users have to close what
/// they keep there first, and open it again in the new one.
@Suite(.timeLimit(.minutes(1))) struct StorageReplacementTests {
  static let catalog = Catalog.testing(receivers: [KeepingReceiver.self], extensions: [DrawerExtension.self])

  /// - Parameter broken: whether there is a receiver too that cannot start.
  private static func yaml(_ drawer: Drawer, _ holder: String, broken: Bool = false) -> String {
    """
    receivers:
      keeping: {storage: drawer}
      keeping/2: {storage: drawer}
      probe: {probe: \(drawer.name)}
      probe/2: {probe: \(drawer.name)-broken}
    exporters:
      probe: {probe: \(drawer.name)}
    extensions:
      drawer: {drawer: \(drawer.name), \(holder)}
    service:
      extensions: [drawer]
      pipelines:
        traces: {receivers: [keeping, keeping/2, probe\(broken ? ", probe/2" : "")], exporters: [probe]}
    """
  }

  private func start(_ name: String) throws -> (Drawer, Probe, TestCollector, Probe) {
    let broken = Probe("\(name)-broken", startError: "no such host")
    let (drawer, front) = (Drawer(name), Probe(name))
    return (drawer, front, try TestCollector(Self.yaml(drawer, "as: a"), catalog: Self.catalog), broken)
  }

  @Test func `receivers close what they keep, and go on in the new place`() async throws {
    let (drawer, front, collector, _) = try start("sr")
    let balances = try await collector.run { collector in
      await front.started.wait()
      #expect(drawer.users == ["keeping of a", "keeping/2 of a"])
      let summary = try await collector.reload(Self.yaml(drawer, "as: b"))
      #expect(summary.replaced == ["extension drawer", "receiver keeping", "receiver keeping/2"])
      #expect(summary.kept == ["exporter probe", "receiver probe"])
      #expect(drawer.users == ["keeping of b", "keeping/2 of b"])
      #expect(drawer.defects == [])
      #expect(await front.send(.spans(2)) == .accepted)
    }
    #expect(drawer.users == [] && drawer.owner == nil && drawer.defects == [])
    #expect(
      drawer.openings == ["a", "keeping of a", "keeping/2 of a", "b", "keeping of b", "keeping/2 of b"])
    #expect(front.events.filter { $0 == "receiver start" }.count == 1)
    #expect(balances[0].items(.delivered) == 2 && balances[0].unaccounted == 0)
  }

  @Test func `storage that cannot be opened is left for what there was, and receivers go on there`()
    async throws
  {
    let (drawer, front, collector, _) = try start("ss")
    _ = try await collector.run { collector in
      await front.started.wait()
      let error = await #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(drawer, "as: b, fails: true"))
      }
      let found = try #require(error)
      #expect("\(found)" == "extension drawer (test.yaml:9): b cannot start")
      #expect(drawer.users == ["keeping of a", "keeping/2 of a"] && drawer.owner == "a")
      #expect(await front.send(.spans(2)) == .accepted)
    }
    #expect(drawer.users == [] && drawer.owner == nil && drawer.defects == [])
  }

  @Test func `a reload that fails later goes back to the old place as well`() async throws {
    let (drawer, front, collector, _) = try start("st")
    _ = try await collector.run { collector in
      await front.started.wait()
      await #expect(throws: ComponentFailure.self) {
        try await collector.reload(Self.yaml(drawer, "as: b", broken: true))
      }
      #expect(drawer.users == ["keeping of a", "keeping/2 of a"] && drawer.owner == "a")
      try await collector.reload(Self.yaml(drawer, "as: c"))
      #expect(drawer.users == ["keeping of c", "keeping/2 of c"])
    }
    #expect(drawer.openings.contains("b") && drawer.openings.contains("keeping of b"))
    #expect(drawer.users == [] && drawer.owner == nil && drawer.defects == [])
  }
}

/// A place that one extension at a time can have open, and in which receivers open something.
private final class Drawer: Sendable {
  private struct State {
    var owner: String?
    var users: Set<String> = []
    var openings: [String] = []
    var defects: [String] = []
  }
  private static let registry = Mutex<[String: Drawer]>([:])
  private let state = Mutex(State())
  let name: String

  init(_ name: String) {
    self.name = name
    Self.registry.withLock { $0[name] = self }
  }

  static func named(_ name: String) throws -> Drawer {
    guard let drawer = registry.withLock({ $0[name] }) else { throw StartError("there is no drawer \(name)") }
    return drawer
  }

  var owner: String? { state.withLock { $0.owner } }
  var users: Set<String> { state.withLock { $0.users } }
  /// Who opened something, in order.
  var openings: [String] { state.withLock { $0.openings } }
  /// What should not have happened.
  var defects: [String] { state.withLock { $0.defects } }

  func open(_ owner: String) throws {
    try state.withLock { state in
      if state.owner != nil { throw StartError("the drawer is in use", isInUse: true) }
      state.owner = owner
      state.openings.append(owner)
    }
  }

  func close(_ owner: String) {
    state.withLock { state in
      let left = state.users.filter { $0.hasSuffix(" of \(owner)") }
      if !left.isEmpty { state.defects.append("\(owner) closes before \(left.sorted())") }
      if state.owner == owner { state.owner = nil }
    }
  }

  func use(_ owner: String, by user: String) throws {
    try state.withLock { state in
      if state.owner != owner { throw StartError("\(owner) is not open") }
      state.users.insert("\(user) of \(owner)")
      state.openings.append("\(user) of \(owner)")
    }
  }

  func leave(_ owner: String, by user: String) {
    state.withLock { state in
      if state.users.remove("\(user) of \(owner)") == nil { state.defects.append("\(user) had nothing open") }
    }
  }
}

private enum DrawerRole: ExtensionRole {
  static let name = "drawer"
}

/// Storage that one instance at a time can have open.
private final class DrawerExtension: ServiceExtension {
  struct Config: ConfigGroup {
    var drawer = ""
    var name = ""
    var fails = false
    init() {}
    static let fields: [Field<Self>] = [
      Field("drawer", \.drawer, "Name of the drawer.", check: .nonEmpty),
      Field("as", \.name, "Who has it.", check: .nonEmpty),
      Field("fails", \.fails, "Whether it cannot start."),
    ]
  }
  static let descriptor = ComponentDescriptor(type: "drawer", signals: [], summary: "Has a drawer.")
  static func traits(of config: Config) -> ComponentTraits { ComponentTraits(roles: [DrawerRole.name]) }

  let drawer: Drawer
  let config: Config

  init(config: Config, context: ComponentContext) throws {
    self.config = config
    drawer = try Drawer.named(config.drawer)
  }

  func start() async throws {
    try drawer.open(config.name)
    if config.fails {
      drawer.close(config.name)
      throw StartError("\(config.name) cannot start")
    }
  }

  func stop() async { drawer.close(config.name) }
}

/// A receiver that keeps something in a drawer for as long as it runs.
private final class KeepingReceiver: Receiver {
  struct Config: ConfigGroup {
    var storage: ExtensionReference<DrawerRole>?
    init() {}
    static let fields: [Field<Self>] = [Field("storage", \.storage, "Where.", required: true)]
  }
  static let descriptor = ComponentDescriptor(type: "keeping", summary: "Keeps something.")

  private let id: String
  private let storage: DrawerExtension

  init(config: Config, context: ComponentContext) throws {
    guard let reference = config.storage else { throw StartError("there is no storage") }
    id = context.id.description
    storage = try context.extensions.find(reference, as: DrawerExtension.self)
  }

  func start(_ outputs: ReceiverOutputs) async throws {
    try storage.drawer.use(storage.config.name, by: id)
  }

  func stop() async { storage.drawer.leave(storage.config.name, by: id) }
}
