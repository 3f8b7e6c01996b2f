import PipelineKit
import TelemetryData

/// Gathers queued requests of each signal into larger ones, for `sending_queue.batch`.
struct Gatherer {
  private struct Held {
    var batches: [Batch] = []
    var completions: [(completion: Completion, items: Int)] = []
    var size = 0

    mutating func add(_ batch: Batch, _ completion: Completion, _ size: Int) {
      batches.append(batch)
      completions.append((completion, batch.itemCount))
      self.size += size
    }
  }
  private let settings: QueueBatchSettings
  private var held: [Signal: Held] = [:]

  init(_ settings: QueueBatchSettings) { self.settings = settings }

  var isEmpty: Bool { held.isEmpty }

  func isFull(_ signal: Signal) -> Bool { (held[signal]?.size ?? 0) >= max(1, settings.minSize) }

  /// What the requests held of `signal` take of memory.
  func footprint(of signal: Signal) -> Int { held[signal]?.batches.reduce(0) { $0 + $1.footprint } ?? 0 }

  mutating func add(_ delivery: consuming Delivery) {
    let batch = delivery.batch
    let size = size(batch)
    let completion = delivery.completion
    held[batch.signal, default: Held()].add(batch, completion, size)
  }

  /// What has gathered of `signal`, merged and cut to `max_size`, each piece with its own completion.
  mutating func take(_ signal: Signal) -> [(Batch, Completion)] {
    guard let of = held.removeValue(forKey: signal) else { return [] }
    let apart = Array(zip(of.batches, of.completions.map(\.completion)))
    if apart.count == 1 { return cut(apart[0].0, apart[0].1) }
    // What cannot be merged (more than four gigabytes) goes on as it came.
    guard let merged = try? Batch.merging(of.batches, signal: signal) else { return apart.flatMap(cut) }
    return cut(merged, .merging(of.completions))
  }

  private func cut(_ batch: Batch, _ completion: Completion) -> [(Batch, Completion)] {
    let pieces = cut(batch)
    if pieces.count == 1 { return [(batch, completion)] }
    return Array(zip(pieces, completion.splitting(pieces.map(\.itemCount))))
  }

  private func size(_ batch: Batch) -> Int { settings.sizer == .items ? batch.itemCount : batch.byteCount }

  private func cut(_ batch: Batch) -> [Batch] {
    guard settings.maxSize > 0, size(batch) > settings.maxSize else { return [batch] }
    switch settings.sizer {
    case .items: return batch.split(maxItems: settings.maxSize)
    case .bytes:
      // Items differ in size: halve until every piece fits or is a single item.
      guard batch.itemCount > 1 else { return [batch] }
      return batch.split(maxItems: (batch.itemCount + 1) / 2).flatMap(cut)
    }
  }
}
