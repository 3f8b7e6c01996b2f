import DequeModule
package import PipelineKit
import Synchronization
package import TelemetryData

/// How much a channel holds.
package struct ChannelLimits: Sendable {
  /// What `capacity` counts.
  package var sizer: QueueSizer
  package var capacity: Int
  /// Upper bound in bytes whatever the sizer; nil is none.
  package var maxBytes: Int?
  /// How long an offered delivery may wait for room before it is refused; zero refuses at once.
  package var patience: Duration
  /// When the sender is told `accepted`.
  package var answer: Answer

  /// When a channel's sender hears the outcome.
  package enum Answer: Sendable {
    /// From whoever reads the delivery.
    case byReader
    /// As soon as the delivery is in the channel; what is read from it is then nobody's to wait for.
    case onIntake
  }

  package init(
    sizer: QueueSizer, capacity: Int, maxBytes: Int? = nil, patience: Duration = .zero,
    answer: Answer = .byReader
  ) {
    self.sizer = sizer
    self.capacity = capacity
    self.maxBytes = maxBytes
    self.patience = patience
    self.answer = answer
  }

  /// The channel in front of a buffering processor: sixteen requests' worth of room beyond what is being merged.
  package static let stage = ChannelLimits(
    sizer: .requests, capacity: 256, maxBytes: 16 << 20, patience: .seconds(2))

  func size(of batch: Batch) -> Int {
    switch sizer {
    case .requests: 1
    case .items: batch.itemCount
    case .bytes: batch.byteCount
    }
  }
}

/// The engine's bounded queue between two nodes: many senders, one or more readers.
///
/// A plain state machine behind a lock; continuations and completions run after it. A delivery that is larger than
/// the whole capacity passes when the channel is empty, so that nothing can get stuck.
package final class Channel: Sendable {
  struct Entry: Sendable {
    let batch: Batch
    let metadata: RequestMetadata?
    var completion: Completion

    init(_ delivery: consuming Delivery) {
      batch = delivery.batch
      metadata = delivery.metadata
      completion = delivery.completion
    }

    var delivery: Delivery { Delivery(batch, metadata: metadata, completion: completion) }
  }

  /// What a waiting reader is told.
  private enum Wake: Sendable {
    case entry(Entry)
    case deadline
    case closed
  }

  private struct Parked {
    let id: UInt64
    let entry: Entry
    let sender: CheckedContinuation<Void, Never>?
  }

  private struct Reader {
    let id: UInt64
    let continuation: CheckedContinuation<Wake, Never>
  }

  private struct State {
    var queue = Deque<Entry>()
    var parked = Deque<Parked>()
    var readers = Deque<Reader>()
    var size = 0
    var bytes = 0
    var items = 0
    var parkedBytes = 0
    var parkedItems = 0
    var isClosed = false
    var isAborted = false
    var nextID: UInt64 = 0

    mutating func makeID() -> UInt64 {
      nextID += 1
      return nextID
    }
  }

  private let state = Mutex(State())
  private let limits: ChannelLimits
  private let clock: any PipelineClock
  /// Told of every delivery that ends here, so that the ledger books it: refused for want of room, or at an abort.
  private let ended: @Sendable (Batch, LedgerState, String) -> Void

  package init(
    limits: ChannelLimits, clock: any PipelineClock,
    ended: @escaping @Sendable (Batch, LedgerState, String) -> Void
  ) {
    self.limits = limits
    self.clock = clock
    self.ended = ended
  }

  /// What is in the channel now: size by its sizer, and items and bytes including deliveries waiting for room.
  package var load: (size: Int, items: Int, bytes: Int) {
    state.withLock { ($0.size, $0.items + $0.parkedItems, $0.bytes + $0.parkedBytes) }
  }

  package var capacity: Int { limits.capacity }

  private func hasRoom(_ state: borrowing State, for batch: Batch) -> Bool {
    if state.queue.isEmpty { return true }
    if state.size + limits.size(of: batch) > limits.capacity { return false }
    if let maxBytes = limits.maxBytes, state.bytes + batch.byteCount > maxBytes { return false }
    return true
  }

  /// What to do for senders once the lock is released.
  private struct Release {
    var senders: [CheckedContinuation<Void, Never>] = []
    var accepted: [Completion] = []

    func perform() {
      for completion in accepted { completion.resolve(.accepted) }
      for sender in senders { sender.resume() }
    }
  }

  /// Takes the sender's completion out of an entry that is answered on intake.
  private func answer(_ entry: inout Entry) -> Completion? {
    guard limits.answer == .onIntake, entry.completion.isAwaited else { return nil }
    defer { entry.completion = .detached() }
    return entry.completion
  }

  private func enqueue(_ state: inout State, _ entry: Entry) {
    state.queue.append(entry)
    state.size += limits.size(of: entry.batch)
    state.bytes += entry.batch.byteCount
    state.items += entry.batch.itemCount
  }

  // MARK: Senders

  private enum Admission {
    case queued(Completion?)
    case handedTo(CheckedContinuation<Wake, Never>, Entry, Completion?)
    case parked(UInt64)
    case refused(String)
  }

  private func admit(
    _ delivered: Entry, parks: Bool, sender: CheckedContinuation<Void, Never>?
  ) -> Admission {
    state.withLock { state in
      var entry = delivered
      if state.isClosed { return .refused("shutting_down") }
      if let reader = state.readers.popFirst() {
        let completion = answer(&entry)
        return .handedTo(reader.continuation, entry, completion)
      }
      if state.parked.isEmpty, hasRoom(state, for: entry.batch) {
        let completion = answer(&entry)
        enqueue(&state, entry)
        return .queued(completion)
      }
      // A sender that can suspend holds its own batch, so it may always wait; offers are bounded by bytes.
      let room = limits.maxBytes ?? 64 << 20
      guard parks, sender != nil || state.parkedBytes + entry.batch.byteCount <= room else {
        return .refused("queue_full")
      }
      let id = state.makeID()
      state.parked.append(Parked(id: id, entry: entry, sender: sender))
      state.parkedBytes += entry.batch.byteCount
      state.parkedItems += entry.batch.itemCount
      return .parked(id)
    }
  }

  /// Takes the delivery, lets it wait for room for as long as `patience`, or refuses it retryably.
  package func offer(_ delivery: consuming Delivery) {
    let entry = Entry(delivery)
    switch admit(entry, parks: limits.patience > .zero, sender: nil) {
    case .queued(let completion): completion?.resolve(.accepted)
    case .handedTo(let reader, let entry, let completion):
      completion?.resolve(.accepted)
      reader.resume(returning: .entry(entry))
    case .refused(let reason): refuse(entry, reason)
    case .parked(let id):
      clock.schedule(at: clock.now + limits.patience) { [weak self] in self?.expire(id) }
    }
  }

  /// Takes the delivery, suspending while there is no room.
  package func send(_ delivery: consuming Delivery) async {
    let entry = Entry(delivery)
    await withCheckedContinuation { sender in
      switch admit(entry, parks: true, sender: sender) {
      case .parked: return
      case .queued(let completion): completion?.resolve(.accepted)
      case .handedTo(let reader, let entry, let completion):
        completion?.resolve(.accepted)
        reader.resume(returning: .entry(entry))
      case .refused(let reason): refuse(entry, reason)
      }
      sender.resume()
    }
  }

  private func expire(_ id: UInt64) {
    let entry: Entry? = state.withLock { state in
      guard let index = state.parked.firstIndex(where: { $0.id == id }) else { return nil }
      let parked = state.parked.remove(at: index)
      state.parkedBytes -= parked.entry.batch.byteCount
      state.parkedItems -= parked.entry.batch.itemCount
      return parked.entry
    }
    if let entry { refuse(entry, "queue_full") }
  }

  /// Ends a delivery that found no room: back to its sender, or dropped when the sender was answered before.
  private func refuse(_ entry: Entry, _ reason: String) {
    ended(entry.batch, entry.completion.isAwaited ? .refused : .dropped, reason)
    let text = reason == "queue_full" ? "the queue is full" : "the collector is shutting down"
    entry.completion.resolve(.refused(reason: text, after: .seconds(1)))
  }

  // MARK: Readers

  private enum Take {
    case entry(Entry, Release)
    case closed
    case empty
  }

  /// Removes the head of the queue and lets parked deliveries move up.
  private func take(_ state: inout State) -> Take {
    guard let entry = state.queue.popFirst() else { return state.isClosed ? .closed : .empty }
    state.size -= limits.size(of: entry.batch)
    state.bytes -= entry.batch.byteCount
    state.items -= entry.batch.itemCount
    var release = Release()
    while let first = state.parked.first, hasRoom(state, for: first.entry.batch) {
      state.parked.removeFirst()
      state.parkedBytes -= first.entry.batch.byteCount
      state.parkedItems -= first.entry.batch.itemCount
      var moved = first.entry
      if let completion = answer(&moved) { release.accepted.append(completion) }
      enqueue(&state, moved)
      if let sender = first.sender { release.senders.append(sender) }
    }
    return .entry(entry, release)
  }

  package func next(before deadline: MonotonicInstant?) async -> IntakeEvent {
    switch state.withLock({ take(&$0) }) {
    case .entry(let entry, let release):
      release.perform()
      return .delivery(entry.delivery)
    case .closed: return .closed
    case .empty: break
    }
    if let deadline, deadline <= clock.now { return .deadline }
    switch await wait(before: deadline) {
    case .entry(let entry): return .delivery(entry.delivery)
    case .deadline: return .deadline
    case .closed: return .closed
    }
  }

  private func wait(before deadline: MonotonicInstant?) async -> Wake {
    await withCheckedContinuation { continuation in
      let (taken, id): (Take, UInt64) = state.withLock { state in
        let taken = take(&state)
        guard case .empty = taken else { return (taken, 0) }
        let id = state.makeID()
        state.readers.append(Reader(id: id, continuation: continuation))
        return (.empty, id)
      }
      switch taken {
      case .entry(let entry, let release):
        release.perform()
        continuation.resume(returning: .entry(entry))
      case .closed: continuation.resume(returning: .closed)
      case .empty:
        guard let deadline else { return }
        clock.schedule(at: deadline) { [weak self] in self?.wake(id) }
      }
    }
  }

  /// The deadline of the reader `id` has come; nothing happens if it has been served meanwhile.
  private func wake(_ id: UInt64) {
    let reader: CheckedContinuation<Wake, Never>? = state.withLock { state in
      guard let index = state.readers.firstIndex(where: { $0.id == id }) else { return nil }
      return state.readers.remove(at: index).continuation
    }
    reader?.resume(returning: .deadline)
  }

  // MARK: Ending

  /// No more will be sent; readers get what is left, then `closed`.
  package func close() {
    let readers: Deque<Reader> = state.withLock { state in
      state.isClosed = true
      guard state.queue.isEmpty else { return [] }
      defer { state.readers = [] }
      return state.readers
    }
    for reader in readers { reader.continuation.resume(returning: .closed) }
  }

  /// Ends everything that still waits: the shutdown deadline has passed.
  package func abort() {
    let (entries, parked, readers) = state.withLock { state in
      defer {
        state.queue = []
        state.parked = []
        state.readers = []
        state.size = 0
        state.bytes = 0
        state.items = 0
        state.parkedBytes = 0
        state.parkedItems = 0
        state.isClosed = true
      }
      return (state.queue, state.parked, state.readers)
    }
    for entry in entries { refuse(entry, "shutdown_deadline") }
    for parked in parked {
      refuse(parked.entry, "shutdown_deadline")
      parked.sender?.resume()
    }
    for reader in readers { reader.continuation.resume(returning: .closed) }
  }
}

extension Channel: Intake {}
