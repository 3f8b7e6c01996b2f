internal import Logging
package import PipelineKit
package import TelemetryData

/// Health that is always ready.
package struct SteadyHealth: HealthSource {
  package init() {}
  package var health: Health { .ready }
  package var startedAt: UInt64 { 0 }
}

extension ComponentContext {
  /// A context for a component under test, with a silent logger and a clock that the test moves.
  package static func testing(
    _ kind: ComponentKind, _ type: String, clock: any PipelineClock = TestClock(),
    metrics: SelfMetrics = SelfMetrics(),
    signals: [Signal] = Signal.allCases, holdsCompletions: Bool = false,
    memory: ProcessMemory = ProcessMemory(),
    extensions: ExtensionDirectory = ExtensionDirectory()
  ) -> ComponentContext {
    ComponentContext(
      id: ComponentID(kind: kind, type: type), declaredAt: "test.yaml:1", signals: signals,
      logger: Logger(label: type) { _ in SwiftLogNoOpLogHandler() }, clock: clock,
      randomness: FixedRandomness(), ledger: Ledger(metrics: metrics), metrics: metrics,
      health: SteadyHealth(),
      holdsCompletions: holdsCompletions, extensions: extensions, memory: memory)
  }
}
