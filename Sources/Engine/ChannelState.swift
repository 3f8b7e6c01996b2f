import DequeModule
import PipelineKit
import TelemetryData

/// The state machine of a ``Channel``: what waits, who waits, and who may go on.
///
/// Methods change the state and say what is to be done once the lock is released; nothing is called from in here.
struct ChannelState {
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
  enum Wake: Sendable {
    case entry(Entry)
    case deadline
    case closed
  }

  /// A delivery that waits for room for a bounded time.
  struct Offer {
    let id: UInt64
    let entry: Entry
    let deadline: MonotonicInstant
  }

  /// A delivery whose sender is suspended until there is room.
  struct Sender {
    let id: UInt64
    let entry: Entry
    let continuation: CheckedContinuation<Void, Never>
  }

  struct Reader {
    let id: UInt64
    let continuation: CheckedContinuation<Wake, Never>
    /// How many items should wait before it is woken.
    let threshold: Int
    /// When it must be woken; it holds something that it would like to add to.
    let deadline: MonotonicInstant?
  }

  /// What to do once the lock is released.
  struct Actions {
    var accepted: [Completion] = []
    var senders: [CheckedContinuation<Void, Never>] = []
    var readers: [(continuation: CheckedContinuation<Wake, Never>, wake: Wake)] = []

    func perform() {
      for completion in accepted { completion.resolve(.accepted) }
      for sender in senders { sender.resume() }
      for reader in readers { reader.continuation.resume(returning: reader.wake) }
    }
  }

  enum Admission {
    case queued(Actions)
    /// It waits; where no timer is under way yet, one has to be set.
    case parked(Actions, timer: MonotonicInstant?)
    case refused(String)
  }

  enum Take {
    case entry(Entry, Actions)
    case closed
    case empty
  }

  /// How many bytes of offers may wait for room; the next one is refused at once. Independent of the capacity: it
  /// bounds how much concurrent senders may be kept waiting with.
  private static let maxOfferedBytes = 16 << 20

  /// Why nothing is taken any more.
  static let closedReason = "shutting_down"

  let limits: ChannelLimits
  /// Whose state this is, for completions that tell it when a paced delivery is done.
  weak var channel: Channel?

  private(set) var queue = Deque<Entry>()
  private var offers = Deque<Offer>()
  private var senders = Deque<Sender>()
  private var readers = Deque<Reader>()
  private(set) var size = 0
  private var bytes = 0
  private var items = 0
  private var offeredBytes = 0
  private var parkedBytes = 0
  private var parkedItems = 0
  /// Bytes that came from senders which can wait, and whose outcome is not known.
  private var pacedBytes = 0
  /// Readers that wait for a backend which takes nothing: while there are any, nobody is paced.
  private var stalls = 0
  /// Bytes that readers took and have not done with, where those count.
  private var takenBytes = 0
  /// Whether an offer has waited in vain since a reader took something.
  private var isStuck = false
  private var isClosed = false
  /// When the timer for readers that is under way fires; one is enough for all deadlines.
  private var readerTimer: MonotonicInstant?
  /// Whether a timer for offers is under way: all are equally patient, so the first to come is the first to go.
  private var isOfferTimerSet = false
  private var lastID: UInt64 = 0

  init(_ limits: ChannelLimits) { self.limits = limits }

  /// Size as far as it takes up room; items and bytes as far as they wait.
  var load: (size: Int, items: Int, bytes: Int) {
    (limits.sizer == .bytes ? size + takenBytes : size, items + parkedItems, bytes + parkedBytes)
  }

  private mutating func makeID() -> UInt64 {
    lastID += 1
    return lastID
  }

  // MARK: Room

  private func hasRoom(for batch: Batch) -> Bool {
    if queue.isEmpty, takenBytes == 0 { return true }
    let taken = limits.sizer == .bytes ? takenBytes : 0
    if !(queue.isEmpty && taken == 0), size + taken + limits.size(of: batch) > limits.capacity {
      return false
    }
    if let maxBytes = limits.maxBytes, bytes + takenBytes + batch.footprint > maxBytes { return false }
    return true
  }

  /// Whether a sender that can wait need not: readers that gather, or a backend that is down, want the queue to fill.
  private func keepsPace(_ batch: Batch) -> Bool {
    guard let pace = limits.paceBytes, !isClosed, stalls == 0, pacedBytes > 0 else { return true }
    return pacedBytes + batch.footprint <= pace || readers.first?.deadline != nil
  }

  private mutating func enqueue(_ delivered: Entry, isPaced: Bool, _ actions: inout Actions) {
    var entry = delivered
    if limits.answer == .onIntake, entry.completion.isAwaited {
      actions.accepted.append(entry.completion)
      entry.completion = .detached()
    }
    if isPaced, limits.paceBytes != nil, let channel {
      pacedBytes += entry.batch.footprint
      entry.completion = Completion(
        PacedOutcome(upstream: entry.completion, bytes: entry.batch.footprint, channel: channel),
        isAwaited: entry.completion.isAwaited)
    }
    queue.append(entry)
    size += limits.size(of: entry.batch)
    bytes += entry.batch.footprint
    items += entry.batch.itemCount
  }

  private mutating func dequeue(_ actions: inout Actions) -> Entry? {
    guard let entry = queue.popFirst() else { return nil }
    size -= limits.size(of: entry.batch)
    bytes -= entry.batch.footprint
    items -= entry.batch.itemCount
    if limits.countsTaken { takenBytes += entry.batch.footprint }
    isStuck = false
    moveUp(&actions)
    return entry
  }

  /// Lets waiting deliveries in for which there is room now, in the order they came; offers pass by senders that only
  /// keep the readers' pace.
  private mutating func moveUp(_ actions: inout Actions) {
    while true {
      let sender = senders.first.flatMap { keepsPace($0.entry.batch) ? $0 : nil }
      if let sender, sender.id < offers.first?.id ?? .max {
        guard hasRoom(for: sender.entry.batch) else { return }
        senders.removeFirst()
        unpark(sender.entry)
        enqueue(sender.entry, isPaced: true, &actions)
        actions.senders.append(sender.continuation)
      } else if let offer = offers.first {
        guard hasRoom(for: offer.entry.batch) else { return }
        removeFirstOffer()
        enqueue(offer.entry, isPaced: false, &actions)
      } else {
        return
      }
    }
  }

  private mutating func park(_ entry: Entry) {
    parkedBytes += entry.batch.footprint
    parkedItems += entry.batch.itemCount
  }

  private mutating func unpark(_ entry: Entry) {
    parkedBytes -= entry.batch.footprint
    parkedItems -= entry.batch.itemCount
  }

  private mutating func removeFirstOffer() {
    guard let offer = offers.popFirst() else { return }
    unpark(offer.entry)
    offeredBytes -= offer.entry.batch.footprint
  }

  /// Gives waiting readers what there is, if it is enough for them.
  private mutating func serveReaders(_ actions: inout Actions) {
    while !queue.isEmpty, let reader = readers.first, items >= reader.threshold || isFilling {
      readers.removeFirst()
      guard let entry = dequeue(&actions) else { return }
      actions.readers.append((reader.continuation, .entry(entry)))
    }
  }

  /// Whether waiting for more would keep senders waiting.
  private var isFilling: Bool {
    !offers.isEmpty || !senders.isEmpty || size * 2 >= limits.capacity
      || limits.maxBytes.map { bytes * 2 >= $0 } ?? false
  }

  // MARK: Senders

  /// Takes a delivery that came at `now` and may wait for as long as the limits say.
  mutating func offer(_ entry: Entry, at now: MonotonicInstant) -> Admission {
    if isClosed { return .refused(Self.closedReason) }
    var actions = Actions()
    let isFirst = offers.isEmpty && senders.first.map { hasRoom(for: $0.entry.batch) } ?? true
    if isFirst, hasRoom(for: entry.batch) {
      enqueue(entry, isPaced: false, &actions)
      serveReaders(&actions)
      return .queued(actions)
    }
    guard limits.patience > .zero, !isStuck, offeredBytes + entry.batch.footprint <= Self.maxOfferedBytes
    else {
      return .refused("queue_full")
    }
    let deadline = now + limits.patience
    offers.append(Offer(id: makeID(), entry: entry, deadline: deadline))
    park(entry)
    offeredBytes += entry.batch.footprint
    serveReaders(&actions)
    let timer = isOfferTimerSet || offers.isEmpty ? nil : deadline
    if timer != nil { isOfferTimerSet = true }
    return .parked(actions, timer: timer)
  }

  /// Takes a delivery whatever the limits say; nil when nothing is taken any more.
  mutating func inherit(_ entry: Entry) -> Actions? {
    if isClosed { return nil }
    var actions = Actions()
    enqueue(entry, isPaced: false, &actions)
    serveReaders(&actions)
    return actions
  }

  /// Takes a delivery whose sender waits for room: it holds its own batch, so that memory stays bounded.
  mutating func send(_ entry: Entry, _ continuation: CheckedContinuation<Void, Never>) -> Admission {
    if isClosed { return .refused(Self.closedReason) }
    var actions = Actions()
    if senders.isEmpty, offers.isEmpty, keepsPace(entry.batch), hasRoom(for: entry.batch) {
      enqueue(entry, isPaced: true, &actions)
      serveReaders(&actions)
      return .queued(actions)
    }
    senders.append(Sender(id: makeID(), entry: entry, continuation: continuation))
    park(entry)
    serveReaders(&actions)
    return .parked(actions, timer: nil)
  }

  /// The offers whose patience has ended by `now`, and when the next one's will.
  mutating func expire(by now: MonotonicInstant) -> (
    expired: [Entry], actions: Actions, next: MonotonicInstant?
  ) {
    var expired: [Entry] = []
    var actions = Actions()
    while let offer = offers.first, offer.deadline <= now {
      removeFirstOffer()
      expired.append(offer.entry)
    }
    if !expired.isEmpty { isStuck = limits.refusesWhenStuck }
    moveUp(&actions)
    serveReaders(&actions)
    isOfferTimerSet = !offers.isEmpty
    return (expired, actions, offers.first?.deadline)
  }

  // MARK: Pace

  /// A paced delivery of so many bytes is done.
  mutating func finish(pacedBytes finished: Int) -> Actions {
    pacedBytes -= finished
    return settle()
  }

  /// So many bytes that a reader took are gone.
  mutating func release(_ released: Int) -> Actions {
    takenBytes -= released
    return settle()
  }

  /// A reader begins (1) or ends (-1) to wait for its backend.
  mutating func stall(by change: Int) -> Actions {
    stalls += change
    return settle()
  }

  private mutating func settle() -> Actions {
    var actions = Actions()
    moveUp(&actions)
    serveReaders(&actions)
    return actions
  }

  // MARK: Readers

  mutating func take() -> Take {
    var actions = Actions()
    if let entry = dequeue(&actions) {
      // What moved up may be for another reader.
      serveReaders(&actions)
      return .entry(entry, actions)
    }
    return isClosed ? .closed : .empty
  }

  /// Lets a reader wait; gives back the instant at which a timer has to be set, if one has to.
  mutating func wait(
    _ continuation: CheckedContinuation<Wake, Never>, threshold: Int, deadline: MonotonicInstant?
  ) -> (actions: Actions, timer: MonotonicInstant?) {
    readers.append(
      Reader(id: makeID(), continuation: continuation, threshold: threshold, deadline: deadline))
    // A reader that gathers lets senders in that keep the pace otherwise.
    let actions = settle()
    guard let deadline, readerTimer.map({ deadline < $0 }) ?? true else { return (actions, nil) }
    readerTimer = deadline
    return (actions, deadline)
  }

  /// Wakes the readers that are due now that the timer set for `instant` has fired.
  mutating func wakeDue(_ instant: MonotonicInstant, now: MonotonicInstant) -> (
    Actions, next: MonotonicInstant?
  ) {
    var actions = Actions()
    guard readerTimer == instant else { return (actions, nil) }
    for reader in readers where reader.deadline.map({ $0 <= now }) ?? false {
      actions.readers.append((reader.continuation, .deadline))
    }
    readers.removeAll { $0.deadline.map { $0 <= now } ?? false }
    readerTimer = readers.compactMap(\.deadline).min()
    return (actions, readerTimer)
  }

  // MARK: Ending

  /// No more comes in; readers get what is left, then `closed`.
  mutating func close() -> Actions {
    isClosed = true
    var actions = Actions()
    moveUp(&actions)
    while let reader = readers.popFirst() {
      actions.readers.append((reader.continuation, dequeue(&actions).map { .entry($0) } ?? .closed))
    }
    return actions
  }

  /// Takes out everything that waits; senders and readers are to be resumed.
  mutating func abort() -> (entries: [Entry], actions: Actions) {
    isClosed = true
    let entries = Array(queue) + senders.map(\.entry) + offers.map(\.entry)
    var actions = Actions()
    actions.senders = senders.map(\.continuation)
    actions.readers = readers.map { ($0.continuation, .closed) }
    queue = []
    offers = []
    senders = []
    readers = []
    (size, bytes, items, offeredBytes, parkedBytes, parkedItems) = (0, 0, 0, 0, 0, 0)
    return (entries, actions)
  }
}

/// Tells the channel, besides whoever waits, that a paced delivery is done.
private final class PacedOutcome: OutcomeHandler {
  private let upstream: Completion
  private let bytes: Int
  private weak let channel: Channel?

  init(upstream: Completion, bytes: Int, channel: Channel) {
    self.upstream = upstream
    self.bytes = bytes
    self.channel = channel
  }

  func resolved(_ outcome: Outcome) {
    upstream.resolve(outcome)
    channel?.finished(pacedBytes: bytes)
  }
}
