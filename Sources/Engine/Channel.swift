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
  /// How many bytes senders that can wait may have in the channel, or taken from it and without an outcome, before
  /// they do: they then go no faster than the readers. Nil does not pace.
  package var paceBytes: Int?
  /// How long an offered delivery may wait for room before it is refused; zero refuses at once.
  package var patience: Duration
  /// When the sender is told `accepted`.
  package var answer: Answer
  /// Whether bytes that a reader took go on to take up room until it says that they are gone: with
  /// ``Channel/release(_:)``. Only limits in bytes know them.
  package var countsTaken = false
  /// Whether offers are refused at once after the patience of one has ended, until a reader takes something again.
  package var refusesWhenStuck = false

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
  package static let stage = {
    var limits = ChannelLimits(sizer: .requests, capacity: 256, maxBytes: 4 << 20, patience: .seconds(2))
    limits.refusesWhenStuck = true
    return limits
  }()

  func size(of batch: Batch) -> Int {
    switch sizer {
    case .requests: 1
    case .items: batch.itemCount
    case .bytes: batch.footprint
    }
  }
}

/// The engine's bounded queue between two nodes: many senders, one or more readers.
///
/// A plain state machine, ``ChannelState``, behind a lock; continuations and completions run after it. A delivery that
/// is larger than the whole capacity passes when the channel is empty, so that nothing can get stuck.
package final class Channel: Sendable {
  private typealias Entry = ChannelState.Entry

  private let state: Mutex<ChannelState>
  private let limits: ChannelLimits
  private let clock: any PipelineClock
  private let heir = Mutex<(any Consumer)?>(nil)
  /// Where the bytes in the channel are booked.
  private let memory: ProcessMemory?
  /// Told of every delivery that ends here, so that the ledger books it: refused for want of room, or at an abort.
  private let ended: @Sendable (Batch, LedgerState, String) -> Void

  package init(
    limits: ChannelLimits, clock: any PipelineClock, memory: ProcessMemory? = nil,
    ended: @escaping @Sendable (Batch, LedgerState, String) -> Void
  ) {
    self.limits = limits
    self.clock = clock
    self.memory = memory
    self.ended = ended
    state = Mutex(ChannelState(limits))
    state.withLock { $0.channel = self }
  }

  /// What is in the channel now: size by its sizer, and items and bytes including deliveries waiting for room.
  package var load: (size: Int, items: Int, bytes: Int) { state.withLock { $0.load } }

  package var capacity: Int { limits.capacity }

  // MARK: Senders

  /// Takes the delivery, lets it wait for room for as long as `patience`, or refuses it retryably.
  package func offer(_ delivery: consuming Delivery) {
    let entry = Entry(delivery)
    memory?.queued(entry.batch.footprint)
    let now = clock.now
    switch state.withLock({ $0.offer(entry, at: now) }) {
    case .queued(let actions): actions.perform()
    case .refused(let reason):
      if reason == ChannelState.closedReason, let successor { return successor.offer(leaving(entry)) }
      refuse(entry, reason)
    case .parked(let actions, let timer):
      actions.perform()
      setOfferTimer(timer)
    }
  }

  /// Takes the delivery, suspending while there is no room.
  package func send(_ delivery: consuming Delivery) async {
    let entry = Entry(delivery)
    var heir: (any Consumer)?
    memory?.queued(entry.batch.footprint)
    await withCheckedContinuation { sender in
      switch state.withLock({ $0.send(entry, sender) }) {
      case .parked(let actions, _): return actions.perform()
      case .queued(let actions): actions.perform()
      case .refused(let reason):
        heir = successor
        if heir == nil { refuse(entry, reason) }
      }
      sender.resume()
    }
    if let heir { await heir.send(leaving(entry)) }
  }

  private func setOfferTimer(_ deadline: MonotonicInstant?) {
    guard let deadline else { return }
    clock.schedule(at: deadline) { [weak self] in self?.offersExpire(deadline) }
  }

  private func offersExpire(_ instant: MonotonicInstant) {
    let now = max(clock.now, instant)
    let (expired, actions, next) = state.withLock { $0.expire(by: now) }
    for entry in expired { refuse(entry, "queue_full") }
    actions.perform()
    setOfferTimer(next)
  }

  // MARK: Succession

  /// Whoever takes the deliveries that still come after ``close()``; nil refuses them.
  var successor: (any Consumer)? { heir.withLock { $0 } }

  /// Takes a delivery whether there is room or not.
  func inherit(_ delivery: consuming Delivery) {
    let entry = Entry(delivery)
    if let actions = state.withLock({ $0.inherit(entry) }) { return actions.perform() }
    if let successor { return successor.offer(entry.delivery) }
    refuse(entry, ChannelState.closedReason)
  }

  /// Lets `successor` take what still comes once the channel is closed.
  func forward(to successor: any Consumer) { heir.withLock { $0 = successor } }

  /// Ends a delivery that found no room: back to its sender, or dropped when the sender was answered before.
  private func refuse(_ entry: Entry, _ reason: String) {
    memory?.queued(-entry.batch.footprint)
    ended(entry.batch, entry.completion.isAwaited ? .refused : .dropped, reason)
    let text = reason == "queue_full" ? "the queue is full" : "the collector is shutting down"
    entry.completion.resolve(.refused(reason: text, after: .seconds(1)))
  }

  // MARK: Pace

  /// A delivery of a sender that keeps the readers' pace has its outcome.
  func finished(pacedBytes: Int) { state.withLock { $0.finish(pacedBytes: pacedBytes) }.perform() }

  /// A reader waits for a backend that takes nothing: until ``endStall()`` the queue takes what it can hold.
  package func beginStall() { state.withLock { $0.stall(by: 1) }.perform() }

  /// A reader goes on that had called ``beginStall()``.
  package func endStall() { state.withLock { $0.stall(by: -1) }.perform() }

  // MARK: Room

  /// What a reader took is gone, or with a negative number has become more.
  package func release(_ bytes: Int) {
    guard limits.countsTaken, bytes != 0 else { return }
    state.withLock { $0.release(bytes) }.perform()
  }

  // MARK: Readers

  package func poll() -> Delivery? {
    guard case .entry(let entry, let actions) = state.withLock({ $0.take() }) else { return nil }
    actions.perform()
    return leaving(entry)
  }

  /// The delivery of an entry that is read; from here on its reader answers for its memory.
  private func leaving(_ entry: Entry) -> Delivery {
    memory?.queued(-entry.batch.footprint)
    return entry.delivery
  }

  package func next(before deadline: MonotonicInstant?, gathering items: Int) async -> IntakeEvent {
    switch state.withLock({ $0.take() }) {
    case .entry(let entry, let actions):
      actions.perform()
      return .delivery(leaving(entry))
    case .closed: return .closed
    case .empty: break
    }
    if let deadline, deadline <= clock.now { return .deadline }
    switch await wait(before: deadline, threshold: deadline == nil ? 1 : items) {
    case .entry(let entry): return .delivery(leaving(entry))
    case .deadline: return .deadline
    case .closed: return .closed
    }
  }

  private enum Turn {
    case taken(ChannelState.Take)
    case waiting(ChannelState.Actions, timer: MonotonicInstant?)
  }

  private func wait(before deadline: MonotonicInstant?, threshold: Int) async -> ChannelState.Wake {
    await withCheckedContinuation { continuation in
      let turn: Turn = state.withLock { state in
        let taken = state.take()
        guard case .empty = taken else { return .taken(taken) }
        let (actions, timer) = state.wait(continuation, threshold: threshold, deadline: deadline)
        return .waiting(actions, timer: timer)
      }
      switch turn {
      case .taken(.entry(let entry, let actions)):
        actions.perform()
        continuation.resume(returning: .entry(entry))
      case .taken(.closed): continuation.resume(returning: .closed)
      case .taken(.empty): break
      case .waiting(let actions, let timer):
        actions.perform()
        setReaderTimer(timer)
      }
    }
  }

  private func setReaderTimer(_ deadline: MonotonicInstant?) {
    guard let deadline else { return }
    clock.schedule(at: deadline) { [weak self] in self?.readersAreDue(deadline) }
  }

  /// Wakes the readers whose deadline has come, and sets the timer for the next one.
  private func readersAreDue(_ instant: MonotonicInstant) {
    let now = max(clock.now, instant)
    let (actions, next) = state.withLock { $0.wakeDue(instant, now: now) }
    actions.perform()
    setReaderTimer(next)
  }

  // MARK: Ending

  /// No more will be sent; readers get what is left, then `closed`.
  package func close() { state.withLock { $0.close() }.perform() }

  /// Ends everything that still waits: the shutdown deadline has passed.
  package func abort() {
    let (entries, actions) = state.withLock { $0.abort() }
    for entry in entries { refuse(entry, "shutdown_deadline") }
    actions.perform()
  }
}

extension Channel: Intake {}
