internal import NativeCodecs
internal import PipelineKit
internal import Synchronization

/// What other threads tell the one that reads files.
final class TailMailbox: Sendable {
  enum Message: Sendable {
    case outcome(Int, Outcome)
    /// Changes were stored, or could not be for a reason.
    case saved(String?)
    /// Take nothing new, and end once what is under way has its outcomes, or at once when a successor takes over.
    case stop
    /// End now.
    case abandon
    /// Look at the time.
    case alarm
  }

  private let messages = Mutex<[Message]>([])
  private let event: WakeEvent

  init(_ event: WakeEvent) { self.event = event }

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    event.wake()
  }

  /// All messages since the last time.
  func take() -> [Message] {
    messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
