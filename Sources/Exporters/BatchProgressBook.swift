internal import Synchronization
internal import TelemetryData

/// How far the batches have come that are being sent in parts: the engine tries one again by handing it over again, the
/// very same.
final class BatchProgressBook<Progress: Sendable>: Sendable {
  private struct Entry: Sendable {
    /// Kept, so that it stands for no other batch.
    let index: BatchIndex
    let progress: Progress
  }
  private let entries = Mutex<[Entry]>([])
  /// More batches than are ever under way at once.
  private let most: Int

  init(most: Int = 16) { self.most = most }

  func put(_ progress: Progress, for batch: Batch) {
    entries.withLock { entries in
      entries.append(Entry(index: batch.index, progress: progress))
      if entries.count > most { entries.removeFirst() }
    }
  }

  /// The progress of a batch that was tried before, which leaves the book.
  func remove(_ batch: Batch) -> Progress? {
    entries.withLock { entries in
      guard let position = entries.firstIndex(where: { $0.index === batch.index }) else { return nil }
      return entries.remove(at: position).progress
    }
  }
}
