import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Testing

@Suite struct PlanTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    let yaml: String
    let expected: String
    var testDescription: String { expected }
  }

  static let base = "receivers: {probe: {probe: a}}\nexporters: {probe: {probe: a}}\n"

  static let mistakes = [
    Mistake(yaml: base, expected: "the configuration has no service section"),
    Mistake(yaml: base + "service: {pipelines: {}}", expected: "service.pipelines is empty"),
    Mistake(yaml: base + "recievers: {}\nservice: {pipelines: {}}", expected: "did you mean \"receivers\"?"),
    Mistake(
      yaml: "receivers: {prob: {probe: a}}\nexporters: {probe: {probe: a}}\n"
        + "service: {pipelines: {traces: {receivers: [prob], exporters: [probe]}}}",
      expected: "unknown receiver type \"prob\""),
    Mistake(
      yaml: "receivers: {thinning: {}}\nexporters: {probe: {probe: a}}\n"
        + "service: {pipelines: {traces: {receivers: [thinning], exporters: [probe]}}}",
      expected: "declare it under \"processors\""),
    Mistake(
      yaml: base + "service: {pipelines: {trace: {receivers: [probe], exporters: [probe]}}}",
      expected: "did you mean \"traces\"?"),
    Mistake(
      yaml: base + "service: {pipelines: {traces: {receivers: [probe/2], exporters: [probe]}}}",
      expected: "receiver \"probe/2\" is not declared"),
    Mistake(
      yaml: base + "service: {pipelines: {traces: {receivers: [probe], exporters: [probe, probe]}}}",
      expected: "exporter \"probe\" is listed twice"),
    Mistake(
      yaml: base + "service: {pipelines: {traces: {receivers: [probe]}}}",
      expected: "pipeline \"traces\" has no exporters"),
    Mistake(
      yaml: base
        + "service: {pipelines: {traces: {receivers: [probe], exporters: [probe]}}, telemetry: {metrics: {level: noisy}}}",
      expected: "service.telemetry.metrics.level"),
    Mistake(
      yaml: "receivers: {probe: {probe: a}}\nexporters: {probe: {probe: a}, old_probe: {probe: a}}\n"
        + "service: {pipelines: {traces: {receivers: [probe], exporters: [probe]}}}",
      expected: "exporter probe is declared twice, under both spellings"),
    Mistake(
      yaml: base + "service: {extensions: [nothing], pipelines: {}}",
      expected: "extension \"nothing\" is not declared"),
    Mistake(yaml: "receivers: {/x: {}}\nservice: {pipelines: {}}", expected: "is no component id"),
  ]

  @Test(arguments: mistakes)
  func `a mistake in the graph is explained with its place`(mistake: Mistake) {
    let (plan, diagnostics) = TestCollector.plan(mistake.yaml)
    #expect(plan == nil)
    let text = diagnostics.render()
    #expect(text.contains(mistake.expected), "\(text)")
    #expect(text.contains("test.yaml:"), "\(text)")
  }

  @Test func `all mistakes are reported at once`() {
    let (_, diagnostics) = TestCollector.plan(
      "receivers: {probe: {prob: a}}\nexporters: {probe: {probe: a, timeout: 5d}}\n"
        + "service: {pipelines: {traces: {receivers: [nope], exporters: [probe]}}}")
    #expect(diagnostics.count(.error) >= 3)
  }

  @Test func `an old spelling works, with a note, and is found by either name`() throws {
    let (plan, diagnostics) = TestCollector.plan(
      "receivers: {probe: {probe: a}}\nexporters: {old_probe/x: {probe: a}}\n"
        + "service: {pipelines: {traces: {receivers: [probe], exporters: [probe/x]}}}")
    let pipeline = try #require(plan?.pipelines.first)
    #expect(pipeline.exporters.map(\.description) == ["probe/x"])
    #expect(diagnostics.render().contains("is now called \"probe\""))
  }

  @Test func `a component that nobody names is warned of`() {
    let (plan, diagnostics) = TestCollector.plan(
      Self.base + "processors: {thinning: {}}\n"
        + "service: {pipelines: {logs: {receivers: [probe], exporters: [probe]}}}")
    #expect(plan != nil && diagnostics.count(.warning) == 1)
    #expect(diagnostics.render().contains("processor \"thinning\" is declared, but no pipeline names it"))
  }

  private static func extensions(_ settings: String, started: String) -> (Plan?, Diagnostics) {
    TestCollector.plan(
      base + "extensions: {\(settings)}\n"
        + "service: {extensions: [\(started)], pipelines: {traces: {receivers: [probe], exporters: [probe]}}}",
      catalog: .testing(extensions: [LinkedExtension.self]))
  }

  @Test func `extensions come after those that they work with`() throws {
    let (plan, diagnostics) = Self.extensions(
      "linked: {next: linked/b}, linked/b: {next: linked/c}, linked/c: {}, linked/d: {next: linked/c}",
      started: "linked, linked/d, linked/b, linked/c")
    let ids = try #require(plan, "\(diagnostics.render())").extensions.map(\.description)
    #expect(ids == ["linked/c", "linked/b", "linked", "linked/d"])
  }

  @Test(arguments: [
    ("linked: {next: linked}", "linked", "linked → linked"),
    (
      "linked: {next: linked/b}, linked/b: {next: linked/c}, linked/c: {next: linked/b}",
      "linked, linked/b, linked/c", "linked/b → linked/c → linked/b"
    ),
  ])
  func `extensions that need each other are an error`(settings: String, started: String, circle: String) {
    let (plan, diagnostics) = Self.extensions(settings, started: started)
    #expect(plan == nil)
    #expect(diagnostics.render().contains("in a circle: \(circle)"), "\(diagnostics.render())")
  }
}

/// What ``LinkedExtension`` is for.
enum LinkRole: ExtensionRole {
  static var name: String { "links" }
}

/// An extension that works with another one of its kind.
final class LinkedExtension: ServiceExtension {
  struct Config: ConfigGroup {
    var next: ExtensionReference<LinkRole>?
    static let fields: [Field<Self>] = [Field("next", \.next, "The other one.")]
  }
  static let descriptor = ComponentDescriptor(type: "linked", signals: [], summary: "Works with another one.")
  static func traits(of config: Config) -> ComponentTraits { ComponentTraits(roles: [LinkRole.name]) }

  init(config: Config, context: ComponentContext) throws {
    if let next = config.next { _ = try context.extensions.find(next, as: LinkedExtension.self) }
  }
  func start() async throws {}
  func stop() async {}
}
