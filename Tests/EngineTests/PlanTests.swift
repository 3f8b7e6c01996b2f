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
}
