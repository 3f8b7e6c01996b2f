import DequeModule
import Synchronization

/// Messages to one task, in order. Reading goes on when the task is cancelled: what was posted is always read.
final class Mailbox<Message: Sendable>: Sendable {
  private struct State {
    var messages = Deque<Message>()
    var reader: CheckedContinuation<Message?, Never>?
    var isClosed = false
  }
  private let state = Mutex(State())

  /// Posts a message; false when the mailbox is closed.
  @discardableResult
  func post(_ message: Message) -> Bool {
    let (isPosted, reader): (Bool, CheckedContinuation<Message?, Never>?) = state.withLock { state in
      if state.isClosed { return (false, nil) }
      guard let reader = state.reader else {
        state.messages.append(message)
        return (true, nil)
      }
      state.reader = nil
      return (true, reader)
    }
    reader?.resume(returning: message)
    return isPosted
  }

  /// The next message; nil once the mailbox is closed and empty. For one task.
  func next() async -> Message? {
    await withCheckedContinuation { continuation in
      let found: Message?? = state.withLock { state in
        if let message = state.messages.popFirst() { return .some(message) }
        if state.isClosed { return .some(nil) }
        state.reader = continuation
        return nil
      }
      if let found { continuation.resume(returning: found) }
    }
  }

  /// Takes no more; what was posted can still be read.
  func close() {
    let reader = state.withLock { state in
      state.isClosed = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: nil)
  }
}
