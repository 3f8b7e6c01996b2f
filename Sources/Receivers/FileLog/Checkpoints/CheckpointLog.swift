internal import PipelineKit

/// Changes to what is stored: values by key, nil for those that are removed.
typealias CheckpointChanges = [String: [UInt8]?]

/// Takes what the reading thread wants stored. Whoever takes it says in the mailbox whether that was done, each time.
protocol CheckpointSink: Sendable {
  /// Must not block.
  func post(_ changes: CheckpointChanges)
}

/// Changes to what is stored, on their way from the reading thread to the storage extension.
///
/// The thread posts them and goes on; a task of the receiver writes them, one after the other.
final class CheckpointLog: CheckpointSink {
  private let stream: AsyncStream<CheckpointChanges>
  private let continuation: AsyncStream<CheckpointChanges>.Continuation
  private let store: any Checkpoints

  init(_ store: any Checkpoints) {
    self.store = store
    (stream, continuation) = AsyncStream.makeStream()
  }

  func post(_ changes: CheckpointChanges) { continuation.yield(changes) }

  /// Lets ``run(_:)`` return once everything has been written.
  func finish() { continuation.finish() }

  /// Writes what is posted, and tells the thread of each time.
  func run(_ mailbox: TailMailbox) async {
    for await changes in stream { mailbox.post(.saved(await write(changes))) }
  }

  /// Writes changes; why that failed, or nil.
  func write(_ changes: CheckpointChanges) async -> String? {
    if changes.isEmpty { return nil }
    do {
      try await store.set(changes)
      return nil
    } catch {
      return "\(error)"
    }
  }

  func close() async { await store.close() }
}
