internal import PipelineKit
internal import Synchronization

/// How far the journal has been read, and how far what was read has been taken.
final class JournalCursors: Sendable {
  private struct State {
    /// Of the last entry that was read.
    var latest: String?
    /// Of the last entry up to which all have been taken.
    var taken: String?
    /// How many records there were when an entry was the last that was read.
    var read: [(position: Int, cursor: String)] = []
    var isInvalid = false
  }
  private let state: Mutex<State>
  /// The cursors to be kept, the newest only.
  let toKeep: AsyncStream<String>
  private let keep: AsyncStream<String>.Continuation

  /// - Parameter cursor: where reading goes on.
  init(after cursor: String?) {
    state = Mutex(State(latest: cursor, taken: cursor))
    (toKeep, keep) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// The cursor of the last entry that was read; nil when there was none.
  var latest: String? { state.withLock { $0.latest } }

  /// The cursor of the last entry that was taken with all before it.
  var taken: String? { state.withLock { $0.taken } }

  /// An entry was read, as the last of so many records.
  func read(_ cursor: String, _ position: Int) {
    state.withLock { state in
      state.latest = cursor
      state.read.append((position, cursor))
    }
  }

  /// So many records have been taken.
  func settled(_ position: Int) {
    let cursor = state.withLock { state -> String? in
      var count = 0
      while count < state.read.count, state.read[count].position <= position { count += 1 }
      guard count > 0 else { return nil }
      state.taken = state.read[count - 1].cursor
      state.read.removeFirst(count)
      return state.taken
    }
    if let cursor { keep.yield(cursor) }
  }

  /// journalctl ended with a complaint before it had shown an entry: when it is about the cursor, reading begins anew.
  func doubt(_ complaint: String) {
    guard complaint.lowercased().contains("cursor") else { return }
    state.withLock { $0.latest = nil }
  }

  /// No more cursors come.
  func end() { keep.finish() }
}
