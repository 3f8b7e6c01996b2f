import PipelineKit
import Synchronization
import TelemetryData

/// Counts what a processor refused, as the Collector does (`otelcol_processor_refused_spans`), and books it.
final class StageRefusals: Sendable {
  /// How long senders are asked to wait.
  static let delay = Duration.seconds(1)

  private let id: ComponentID
  private let parts: EngineParts
  /// Made with the first refusal: most processors never refuse anything.
  private let cells = Mutex<[Signal: SelfMetricCell]>([:])

  init(_ id: ComponentID, parts: EngineParts) {
    self.id = id
    self.parts = parts
  }

  /// Books a batch as refused, or as dropped where its sender has been answered before.
  func refused(_ batch: Batch, isAwaited: Bool) {
    cell(batch.signal).add(batch.itemCount)
    parts.ledger.record(
      isAwaited ? .refused : .dropped, batch.itemCount, signal: batch.signal, reason: id.description)
  }

  private func cell(_ signal: Signal) -> SelfMetricCell {
    cells.withLock { cells in
      if let cell = cells[signal] { return cell }
      let cell = parts.counter(
        "otelcol_processor_refused_\(signal.itemNoun)", "Items that the processor did not take.", "processor",
        id)
      cells[signal] = cell
      return cell
    }
  }
}
