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
  /// How many bytes may be in the channel or taken from it and not finished, before a sender that can wait does:
  /// it then goes no faster than its readers. Nil does not pace.
  package var paceBytes: Int?
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
    sizer: .requests, capacity: 256, maxBytes: 4 << 20, patience: .seconds(2))

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
    /// How many items should wait before it is woken.
    let threshold: Int
    let deadline: MonotonicInstant?
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
    /// Bytes that readers have taken and not finished; only counted where the channel paces.
    var takenBytes = 0
    var isPacing = true
    var isClosed = false
    /// When the timer that is under way fires; one is enough for all deadlines.
    var timer: MonotonicInstant?
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

  /// How many bytes of offered deliveries may wait for room; the next one is refused at once.
  private static let parkedBytes = 16 << 20

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

  private func hasRoom(_ state: borrowing State, for batch: Batch, isPaced: Bool) -> Bool {
    if isPaced, state.isPacing, let pace = limits.paceBytes {
      let outstanding = state.bytes + state.takenBytes
      if outstanding > 0, outstanding + batch.byteCount > pace { return false }
    }
    if state.queue.isEmpty { return true }
    if state.size + limits.size(of: batch) > limits.capacity { return false }
    if let maxBytes = limits.maxBytes, state.bytes + batch.byteCount > maxBytes { return false }
    return true
  }

  /// What to do for senders and readers once the lock is released.
  private struct Release {
    var accepted: [Completion] = []
    var senders: [CheckedContinuation<Void, Never>] = []
    var reader: (continuation: CheckedContinuation<Wake, Never>, wake: Wake)?

    func perform() {
      for completion in accepted { completion.resolve(.accepted) }
      for sender in senders { sender.resume() }
      if let reader { reader.continuation.resume(returning: reader.wake) }
    }
  }

  private func enqueue(_ state: inout State, _ delivered: Entry, _ release: inout Release) {
    var entry = delivered
    if limits.answer == .onIntake, entry.completion.isAwaited {
      release.accepted.append(entry.completion)
      entry.completion = .detached()
    }
    state.queue.append(entry)
    state.size += limits.size(of: entry.batch)
    state.bytes += entry.batch.byteCount
    state.items += entry.batch.itemCount
  }

  private func dequeue(_ state: inout State, _ release: inout Release) -> Entry? {
    guard let entry = state.queue.popFirst() else { return nil }
    state.size -= limits.size(of: entry.batch)
    state.bytes -= entry.batch.byteCount
    state.items -= entry.batch.itemCount
    if limits.paceBytes != nil { state.takenBytes += entry.batch.byteCount }
    moveUp(&state, &release)
    return entry
  }

  /// Lets parked deliveries in for which there is room now, in their order.
  private func moveUp(_ state: inout State, _ release: inout Release) {
    while let first = state.parked.first, hasRoom(state, for: first.entry.batch, isPaced: first.sender != nil)
    {
      state.parked.removeFirst()
      state.parkedBytes -= first.entry.batch.byteCount
      state.parkedItems -= first.entry.batch.itemCount
      enqueue(&state, first.entry, &release)
      if let sender = first.sender { release.senders.append(sender) }
    }
  }

  /// Gives the head of the queue to a waiting reader, if what is there is enough for it.
  private func serveReader(_ state: inout State, _ release: inout Release) {
    guard release.reader == nil, let reader = state.readers.first, !state.queue.isEmpty else { return }
    let isFull = !state.parked.isEmpty || state.size * 2 >= limits.capacity
    guard state.items >= reader.threshold || isFull || isHalfFull(state) else { return }
    state.readers.removeFirst()
    if let entry = dequeue(&state, &release) { release.reader = (reader.continuation, .entry(entry)) }
  }

  private func isHalfFull(_ state: borrowing State) -> Bool {
    limits.maxBytes.map { state.bytes * 2 >= $0 } ?? false
  }

  // MARK: Senders

  private enum Admission {
    case queued(Release)
    case parked(UInt64)
    case refused(String)
  }

  private func admit(
    _ entry: Entry, parks: Bool, sender: CheckedContinuation<Void, Never>?
  ) -> Admission {
    state.withLock { state in
      if state.isClosed { return .refused("shutting_down") }
      if state.parked.isEmpty, hasRoom(state, for: entry.batch, isPaced: sender != nil) {
        var release = Release()
        enqueue(&state, entry, &release)
        serveReader(&state, &release)
        return .queued(release)
      }
      // A sender that can suspend holds its own batch, so it may always wait; offers are bounded by bytes.
      guard parks, sender != nil || state.parkedBytes + entry.batch.byteCount <= Self.parkedBytes else {
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
    case .queued(let release): release.perform()
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
      case .queued(let release): release.perform()
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

  // MARK: Pace

  /// A reader is done with a delivery it took: senders that keep its pace may go on.
  package func finished(_ batch: Batch) {
    change { state in state.takenBytes = max(0, state.takenBytes - batch.byteCount) }
  }

  /// Whether senders that can wait are held to the pace of the readers; off while the backend is down, so that the
  /// queue takes what it can hold.
  package func setPacing(_ isPacing: Bool) {
    change { state in state.isPacing = isPacing }
  }

  private func change(_ body: (inout State) -> Void) {
    guard limits.paceBytes != nil else { return }
    let release = state.withLock { state in
      body(&state)
      var release = Release()
      moveUp(&state, &release)
      serveReader(&state, &release)
      return release
    }
    release.perform()
  }

  // MARK: Readers

  private enum Take {
    case entry(Entry, Release)
    case closed
    case empty
  }

  private func take(_ state: inout State) -> Take {
    var release = Release()
    if let entry = dequeue(&state, &release) {
      // What moved up may be for another reader.
      serveReader(&state, &release)
      return .entry(entry, release)
    }
    return state.isClosed ? .closed : .empty
  }

  package func poll() -> Delivery? {
    guard case .entry(let entry, let release) = state.withLock({ take(&$0) }) else { return nil }
    release.perform()
    return entry.delivery
  }

  package func next(before deadline: MonotonicInstant?, gathering items: Int) async -> IntakeEvent {
    switch state.withLock({ take(&$0) }) {
    case .entry(let entry, let release):
      release.perform()
      return .delivery(entry.delivery)
    case .closed: return .closed
    case .empty: break
    }
    if let deadline, deadline <= clock.now { return .deadline }
    switch await wait(before: deadline, threshold: deadline == nil ? 1 : items) {
    case .entry(let entry): return .delivery(entry.delivery)
    case .deadline: return .deadline
    case .closed: return .closed
    }
  }

  private func wait(before deadline: MonotonicInstant?, threshold: Int) async -> Wake {
    await withCheckedContinuation { continuation in
      let (taken, armed): (Take, Bool) = state.withLock { state in
        let taken = take(&state)
        guard case .empty = taken else { return (taken, false) }
        state.readers.append(
          Reader(id: state.makeID(), continuation: continuation, threshold: threshold, deadline: deadline))
        guard let deadline, state.timer.map({ deadline < $0 }) ?? true else { return (.empty, false) }
        state.timer = deadline
        return (.empty, true)
      }
      switch taken {
      case .entry(let entry, let release):
        release.perform()
        continuation.resume(returning: .entry(entry))
      case .closed: continuation.resume(returning: .closed)
      case .empty:
        guard armed, let deadline else { return }
        clock.schedule(at: deadline) { [weak self] in self?.timerFired(deadline) }
      }
    }
  }

  /// Wakes the readers whose deadline has come, and sets the timer for the next one.
  private func timerFired(_ instant: MonotonicInstant) {
    let now = max(clock.now, instant)
    let (due, next) = state.withLock { state -> ([Reader], MonotonicInstant?) in
      guard state.timer == instant else { return ([], nil) }
      let due = Array(state.readers.filter { $0.deadline.map { $0 <= now } ?? false })
      state.readers.removeAll { reader in due.contains { $0.id == reader.id } }
      state.timer = state.readers.compactMap(\.deadline).min()
      return (due, state.timer)
    }
    for reader in due { reader.continuation.resume(returning: .deadline) }
    if let next { clock.schedule(at: next) { [weak self] in self?.timerFired(next) } }
  }

  // MARK: Ending

  /// No more will be sent; readers get what is left, then `closed`.
  package func close() {
    let (release, wakes) = state.withLock { state in
      state.isClosed = true
      var release = Release()
      let wakes = state.readers.map { reader in
        (reader.continuation, dequeue(&state, &release).map { Wake.entry($0) } ?? .closed)
      }
      state.readers = []
      return (release, wakes)
    }
    release.perform()
    for (reader, wake) in wakes { reader.resume(returning: wake) }
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
