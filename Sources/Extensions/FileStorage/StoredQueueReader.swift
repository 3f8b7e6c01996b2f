package import PipelineKit
import Storage
import Synchronization

/// Reads what a stored queue holds and ends there, unlike a pipeline, which waits for more. For one task at a time.
package final class StoredQueueReader: Sendable {
  private let queue: DurableQueue
  /// Records that were taken and not acknowledged: they stay stored.
  private let kept = Mutex(0)

  /// What reading gives.
  package enum Step: Sendable {
    case batch(BatchLease)
    /// A record of so many items that is no batch; it stays stored.
    case unreadable(items: Int)
    case end
  }

  init(_ queue: DurableQueue) { self.queue = queue }

  /// Batches that are stored, taken ones included.
  package var batches: Int { queue.totals.records }
  /// Items that are stored, those of taken batches included.
  package var items: Int { queue.totals.items }

  /// The next one in order.
  package func next() async -> Step {
    // Nobody appends: what is stored and not taken will come.
    guard queue.totals.records > kept.withLock({ $0 }), let lease = await queue.next() else { return .end }
    kept.withLock { $0 += 1 }
    guard let batch = StoredBatches.batch(lease.record) else {
      return .unreadable(items: lease.record.itemCount)
    }
    return .batch(
      BatchLease(id: lease.id, batch: batch, metadata: MetadataCodec.decode(lease.record.metadata)))
  }

  /// Removes a batch for good.
  package func acknowledge(_ lease: BatchLease) {
    kept.withLock { $0 -= 1 }
    queue.acknowledge([lease.id])
  }

  /// Commits the removals and closes the file.
  package func close() async { await queue.close() }
}
