import PipelineKit
import Synchronization
import TelemetryData

/// Counts how exporting ended, in the Collector's self-metrics and in the ledger.
final class ExporterBooks: Sendable {
  private struct Cells: Sendable {
    let sent: SelfMetricCell
    let failed: SelfMetricCell
    let enqueueFailed: SelfMetricCell
    let delivered: SelfMetricCell
  }
  private let id: ComponentID
  private let ledger: Ledger
  private let traces: Cells
  private let metrics: Cells
  private let logs: Cells

  init(_ id: ComponentID, parts: EngineParts) {
    self.id = id
    ledger = parts.ledger
    func cells(_ signal: Signal) -> Cells {
      let noun = signal.itemNoun
      return Cells(
        sent: parts.counter("otelcol_exporter_sent_\(noun)", "Items the backend took.", "exporter", id),
        failed: parts.counter(
          "otelcol_exporter_send_failed_\(noun)", "Items that could not be delivered.", "exporter", id),
        enqueueFailed: parts.counter(
          "otelcol_exporter_enqueue_failed_\(noun)", "Items that found the queue full.", "exporter", id),
        delivered: parts.ledger.cell(.delivered, signal: signal, reason: id.description))
    }
    traces = cells(.traces)
    metrics = cells(.metrics)
    logs = cells(.logs)
  }

  private func cells(_ signal: Signal) -> Cells {
    switch signal {
    case .traces: traces
    case .metrics: metrics
    case .logs: logs
    }
  }

  /// Books the final outcome of `batch`; `awaited` says whether a sender still answers for it, and `except` which items
  /// ended otherwise.
  func ended(
    _ batch: Batch, _ outcome: Outcome, awaited: Bool, giveUpReason: String, except: [EndedItems] = []
  ) {
    let cells = cells(batch.signal)
    var items = batch.itemCount
    var failed = 0
    for part in except {
      let count = min(max(0, part.items), items)
      items -= count
      if part.state == .delivered {
        cells.sent.add(count)
        cells.delivered.add(count)
      } else {
        failed += count
        cells.failed.add(count)
        let reason = part.reason.isEmpty ? id.description : part.reason
        ledger.record(part.state, count, signal: batch.signal, reason: reason)
      }
    }
    switch outcome {
    case .accepted:
      cells.sent.add(items)
      cells.delivered.add(items)
    case .partial(let rejected, _):
      let rejected = min(max(0, rejected - failed), items)
      cells.sent.add(items - rejected)
      cells.delivered.add(items - rejected)
      cells.failed.add(rejected)
      ledger.record(.rejected, rejected, signal: batch.signal, reason: id.description)
    case .rejected:
      cells.failed.add(items)
      ledger.record(.rejected, items, signal: batch.signal, reason: id.description)
    case .refused:
      cells.failed.add(items)
      ledger.record(awaited ? .refused : .dropped, items, signal: batch.signal, reason: giveUpReason)
    }
  }

  /// Books a batch that did not get into the queue.
  func notEnqueued(_ batch: Batch, _ state: LedgerState, _ reason: String) {
    cells(batch.signal).enqueueFailed.add(batch.itemCount)
    ledger.record(state, batch.itemCount, signal: batch.signal, reason: reason)
  }
}

/// Items under way, per signal.
final class SignalCounts: Sendable {
  private let traces = Atomic<Int>(0)
  private let metrics = Atomic<Int>(0)
  private let logs = Atomic<Int>(0)

  func add(_ batch: Batch) { change(batch.signal, by: batch.itemCount) }
  func subtract(_ batch: Batch) { change(batch.signal, by: -batch.itemCount) }
  func add(_ items: Int, of signal: Signal) { change(signal, by: items) }

  func items(of signal: Signal) -> Int {
    switch signal {
    case .traces: traces.load(ordering: .relaxed)
    case .metrics: metrics.load(ordering: .relaxed)
    case .logs: logs.load(ordering: .relaxed)
    }
  }

  private func change(_ signal: Signal, by amount: Int) {
    switch signal {
    case .traces: traces.wrappingAdd(amount, ordering: .relaxed)
    case .metrics: metrics.wrappingAdd(amount, ordering: .relaxed)
    case .logs: logs.wrappingAdd(amount, ordering: .relaxed)
    }
  }
}
