import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

/// Receivers are told what those behind them want to know of clients, and plans say what no receiver knows.
@Suite(.timeLimit(.minutes(1))) struct RequestInterestTests {
  static let catalog = Catalog.testing(
    receivers: [CuriousReceiver.self],
    processors: [AskingProcessor.self, DeliveryGuaranteeTests.Gatherer.self],
    extensions: [KnowingExtension.self])

  private static func yaml(
    _ name: String, processors: String, receivers: String = "curious", auth: String = ""
  ) -> String {
    """
    receivers:
      curious: {name: \(name)\(auth)}
      probe: {probe: \(name)}
    processors:
      asking: {keys: [":client.address"]}
      asking/user: {keys: [":auth.user", x-tenant]}
      thinning: {}
      gatherer: {}
    exporters: {probe: {probe: \(name)}}
    extensions: {knowing: {}}
    service:
      extensions: [knowing]
      pipelines: {traces: {receivers: [\(receivers)], processors: [\(processors)], exporters: [probe]}}
    """
  }

  @Test func `a receiver that stays is told anew when what is behind it changes`() async throws {
    let probe = Probe("ri")
    let collector = try TestCollector(Self.yaml("ri", processors: "thinning"), catalog: Self.catalog)
    _ = try await collector.run { collector in
      while !probe.events.contains("exporter start") { await Task.yield() }
      let interest = try await CuriousReceiver.interest(of: "ri")
      #expect(interest.isEmpty && !interest.wantsAddress && !interest.wantsIdentity)
      let summary = try await collector.reload(Self.yaml("ri", processors: "thinning, asking"))
      #expect(summary.kept.contains("receiver curious"))
      #expect(interest.wantsAddress && !interest.wantsIdentity)
      try await collector.reload(Self.yaml("ri", processors: "asking/user, asking"))
      #expect(interest.wantsAddress && interest.wantsIdentity)
      try await collector.reload(Self.yaml("ri", processors: ""))
      #expect(interest.isEmpty)
    }
  }

  private func warnings(_ yaml: String) -> String {
    let (plan, diagnostics) = TestCollector.plan(yaml, catalog: Self.catalog)
    #expect(plan != nil, "\(diagnostics.render())")
    return diagnostics.all.filter { $0.code == "missing-metadata" }.map { "\($0.message); \($0.help ?? "")" }
      .joined(separator: "\n")
  }

  @Test func `what no receiver knows is warned of`() {
    let auth = ", auth: knowing"
    _ = Probe("rw")
    #expect(warnings(Self.yaml("rw", processors: "asking")) == "")
    #expect(warnings(Self.yaml("rw", processors: "asking/user", auth: auth)) == "")
    #expect(warnings(Self.yaml("rw", processors: "asking, gatherer", auth: auth)) == "")
    #expect(
      warnings(Self.yaml("rw", processors: "asking/user")).hasPrefix(
        "asking/user works with auth.user of the client, which receiver curious does not know; set auth"))
    #expect(
      warnings(Self.yaml("rw", processors: "asking", receivers: "probe")).hasPrefix(
        "asking works with the address of the client, which receiver probe does not know; only receivers"))
    // Of several receivers one is enough.
    #expect(warnings(Self.yaml("rw", processors: "asking", receivers: "probe, curious")) == "")
  }
}

/// A receiver that knows the address of clients, and users if an extension does.
private final class CuriousReceiver: Receiver {
  struct Config: ConfigGroup {
    var name = ""
    var auth: ExtensionReference<KnowingRole>?
    init() {}
    static let fields: [Field<Self>] = [
      Field("name", \.name, "Name."), Field("auth", \.auth, "Who decides."),
    ]
  }
  static let descriptor = ComponentDescriptor(type: "curious", summary: "Keeps what it was told.")
  static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.toldMetadata = [":client.address"]
    return traits
  }
  private static let told = Mutex<[String: RequestInterest]>([:])

  static func interest(of name: String) async throws -> RequestInterest {
    while true {
      if let interest = told.withLock({ $0[name] }) { return interest }
      await Task.yield()
    }
  }

  private let name: String
  private let interest: RequestInterest

  init(config: Config, context: ComponentContext) {
    name = config.name
    interest = context.interest
  }

  func start(_ outputs: ReceiverOutputs) async throws {
    Self.told.withLock { $0[name] = interest }
  }
  func stop() async {}
}

private enum KnowingRole: ExtensionRole {
  static let name = "knowing"
}

private final class KnowingExtension: ServiceExtension {
  struct Config: ConfigGroup {
    init() {}
    static let fields: [Field<Self>] = []
  }
  static let descriptor = ComponentDescriptor(type: "knowing", signals: [], summary: "Knows users.")
  static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(roles: [KnowingRole.name])
    traits.toldMetadata = [":auth.user"]
    return traits
  }
  init(config: Config, context: ComponentContext) {}
  func start() async throws {}
  func stop() async {}
}

/// A processor that works with metadata.
private struct AskingProcessor: InlineProcessor {
  struct Config: ConfigGroup {
    var keys: [String] = []
    init() {}
    static let fields: [Field<Self>] = [Field("keys", \.keys, "What it works with.")]
  }
  static let descriptor = ComponentDescriptor(type: "asking", summary: "Works with metadata.")
  static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits()
    traits.wantedMetadata = config.keys
    return traits
  }
  init(config: Config, context: ComponentContext) {}
  func process(_ batch: Batch) -> Batch? { batch }
}
