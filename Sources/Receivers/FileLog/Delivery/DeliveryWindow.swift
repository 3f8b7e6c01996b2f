internal import PipelineKit
internal import TelemetryData

/// How far a file has been read, up to some batch.
struct FileMark {
  let file: TailedFile
  let position: FilePosition
}

/// The batches that were read and not yet accepted, in their order.
///
/// What a refusal gives back is offered again until it is taken. A file counts as read up to a place once every batch up to
/// the one that ends there has been taken.
struct DeliveryWindow {
  private struct Entry {
    enum State {
      case underWay
      /// Refused; to be offered again at this time.
      case waiting(MonotonicInstant)
      case done
    }
    let number: Int
    let batch: Batch?
    let marks: [FileMark]
    var state: State
    var pause: Duration
  }

  /// The most bytes that are read ahead of what has been accepted.
  static let capacity = 4 << 20

  private var entries: [Entry] = []
  private var next = 0
  private(set) var bytes = 0
  var retry: LogRetryConfig

  init(_ retry: LogRetryConfig) { self.retry = retry }

  var isEmpty: Bool { entries.isEmpty }

  /// Whether another batch may be read.
  var hasRoom: Bool { entries.isEmpty || bytes < Self.capacity && !isRefused }

  /// Whether something waits to be offered again: what comes behind it then waits too.
  private var isRefused: Bool {
    entries.contains { if case .waiting = $0.state { true } else { false } }
  }

  /// Whether some batch has no outcome yet.
  var isUnderWay: Bool {
    entries.contains { if case .underWay = $0.state { true } else { false } }
  }

  /// Takes a batch in, nil where there are positions only; its number, under which its outcome comes.
  mutating func add(_ batch: Batch?, _ marks: [FileMark]) -> Int {
    next += 1
    bytes += batch?.byteCount ?? 0
    entries.append(
      Entry(
        number: next, batch: batch, marks: marks, state: batch == nil ? .done : .underWay,
        pause: retry.initialInterval))
    return next
  }

  /// How many records a batch has.
  func items(of number: Int) -> Int {
    entries.first { $0.number == number }?.batch?.itemCount ?? 0
  }

  /// Books an outcome.
  mutating func resolve(_ number: Int, _ outcome: Outcome, now: MonotonicInstant) {
    guard let index = entries.firstIndex(where: { $0.number == number }) else { return }
    guard case .refused(_, let after) = outcome else {
      entries[index].state = .done
      return
    }
    let pause = entries[index].pause
    entries[index].state = .waiting(now + max(pause, after ?? .zero))
    entries[index].pause = min(pause * 3 / 2, max(retry.maxInterval, retry.initialInterval))
  }

  /// The positions of what has been accepted in order since the last time.
  mutating func takeAccepted() -> [FileMark] {
    var marks: [FileMark] = []
    while let first = entries.first, case .done = first.state {
      marks += first.marks
      bytes -= first.batch?.byteCount ?? 0
      entries.removeFirst()
    }
    return marks
  }

  /// What is to be offered again by now.
  mutating func takeDue(_ now: MonotonicInstant) -> [(number: Int, batch: Batch)] {
    var due: [(number: Int, batch: Batch)] = []
    for index in entries.indices {
      guard case .waiting(let time) = entries[index].state, time <= now, let batch = entries[index].batch
      else { continue }
      entries[index].state = .underWay
      due.append((entries[index].number, batch))
    }
    return due
  }

  /// When something is to be offered again; nil when nothing is.
  var nextOffer: MonotonicInstant? {
    entries.compactMap { if case .waiting(let time) = $0.state { time } else { nil } }.min()
  }
}

/// Brings the outcome of one batch to the reading thread.
final class BatchAnswer: OutcomeHandler {
  private let number: Int
  private let mailbox: TailMailbox

  init(_ number: Int, _ mailbox: TailMailbox) {
    self.number = number
    self.mailbox = mailbox
  }

  func resolved(_ outcome: Outcome) { mailbox.post(.outcome(number, outcome)) }
}
