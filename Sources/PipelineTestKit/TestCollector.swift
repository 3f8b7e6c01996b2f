package import ConfigSchema
package import Engine
internal import Logging
package import PipelineKit

/// A whole collector run in a test.
package final class TestCollector: Sendable {
  package let metrics = SelfMetrics()
  private let collector: Collector
  private let catalog: Catalog
  private let shutdown = Milestone()

  /// Plans and builds `yaml`; throws the rendered diagnostics when it is wrong.
  package init(
    _ yaml: String, catalog: Catalog = .testing(), clock: any PipelineClock = SystemClock(),
    memory: ProcessMemory = ProcessMemory()
  ) throws {
    self.catalog = catalog
    let (plan, diagnostics) = Self.plan(yaml, catalog: catalog)
    guard let plan else { throw StartError(diagnostics.render()) }
    let parts = EngineParts(
      clock: clock, randomness: FixedRandomness(), metrics: metrics, ledger: Ledger(metrics: metrics),
      memory: memory)
    collector = try Collector(
      plan: plan, parts: parts, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      status: CollectorStatus(clock: clock))
  }

  /// The plan of `yaml`, or what is wrong with it.
  package static func plan(_ yaml: String, catalog: Catalog = .testing()) -> (Plan?, Diagnostics) {
    var (root, diagnostics) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")])
    guard let root else { return (nil, diagnostics) }
    let plan = Plan.make(from: root, catalog: catalog, diagnostics: &diagnostics)
    return (diagnostics.hasErrors ? nil : plan, diagnostics)
  }

  /// Runs while `body` does its work, then drains; returns the account of every signal.
  package func run(
    drainTimeout: Duration = .seconds(300), grace: Duration = .seconds(5),
    while body: @escaping @Sendable (TestCollector) async throws -> Void
  ) async throws -> [Balance] {
    try await withThrowingTaskGroup(of: [Balance]?.self) { group in
      group.addTask {
        try await self.collector.run(until: self.shutdown, drainTimeout: drainTimeout, grace: grace)
      }
      group.addTask {
        defer { self.shutdown.reach() }
        try await body(self)
        return nil
      }
      var balances: [Balance] = []
      while let result = try await group.next() { balances = result ?? balances }
      return balances
    }
  }

  /// Goes over to another configuration.
  @discardableResult
  package func reload(_ yaml: String) async throws -> ReloadSummary {
    let (plan, diagnostics) = Self.plan(yaml, catalog: catalog)
    guard let plan else { throw StartError(diagnostics.render()) }
    return try await collector.reload(plan)
  }

  /// Asks for the end, for bodies that go on sending meanwhile.
  package func stop() { shutdown.reach() }
  package func balances() -> [Balance] { collector.balances() }

  /// The value of a counter or gauge, summed over the series whose labels include `labels`.
  package func metric(_ name: String, _ labels: [String: String] = [:]) -> Int {
    metrics.snapshot().filter { $0.name == name }.flatMap(\.series).reduce(0) { sum, series in
      guard
        labels.allSatisfy({ key, value in series.labels.contains { $0.name == key && $0.value == value } })
      else { return sum }
      if case .number(let value) = series.value { return sum + Int(value) }
      return sum
    }
  }
}
