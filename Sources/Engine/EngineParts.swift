package import PipelineKit
import TelemetryData

/// What every node of the engine shares.
package struct EngineParts: Sendable {
  package let clock: any PipelineClock
  package let randomness: any Randomness
  package let metrics: SelfMetrics
  package let ledger: Ledger
  package let control: any CollectorControl
  package let memory: ProcessMemory

  package init(
    clock: any PipelineClock, randomness: any Randomness, metrics: SelfMetrics, ledger: Ledger,
    control: any CollectorControl = NoControl(), memory: ProcessMemory = ProcessMemory()
  ) {
    self.clock = clock
    self.randomness = randomness
    self.metrics = metrics
    self.ledger = ledger
    self.control = control
    self.memory = memory
  }

  func counter(_ name: String, _ help: String, _ label: String, _ id: ComponentID) -> SelfMetricCell {
    metrics.counter(name, help: help, labels: [(label, id.description)])
  }

  func processorItems(_ direction: String, id: ComponentID, signal: Signal) -> SelfMetricCell {
    metrics.counter(
      "otelcol_processor_\(direction)_items", help: "Items that came into or left a processor.",
      labels: [("processor", id.description), ("otel_signal", signal.rawValue)])
  }
}
