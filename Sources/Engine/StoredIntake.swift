import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// The durable queue in front of an exporter's workers: senders are answered once their batch is committed.
///
/// What it hands out stays stored until its outcome is known, so that a kill at any moment brings it back.
final class StoredIntake: Sendable {
  private enum Phase {
    /// What was offered waits until the predecessor has given the queue up.
    case unopened([ChannelState.Entry])
    case open(any DurableBatchQueue)
    case closed
  }
  private let id: ComponentID
  private let provider: any StorageProvider
  private let limits: StoredQueueLimits
  private let sizer: QueueSizer
  private let patience: Duration
  private let books: ExporterBooks
  private let parts: EngineParts
  private let logger: Logger
  private let refusals: RateLimitedLog
  private let underWay = SignalCounts()
  private let phase = Mutex<Phase>(.unopened([]))
  /// Who takes what still comes once the queue is closed.
  private let heir = Mutex<(any Consumer)?>(nil)
  private let opened = Milestone()
  /// Ends the waits of senders that have nobody to refuse to, once nothing more is taken.
  private let stopping = StopSignal()

  /// How long a batch may wait for room before its sender is told to try again later, unless it blocks on overflow.
  private static let shortPatience = Duration.seconds(1)

  /// How many bytes may be offered before the queue is open.
  private static let mostUnopened = 16 << 20

  init(
    _ id: ComponentID, _ settings: QueueSettings, provider: any StorageProvider, books: ExporterBooks,
    logger: Logger, parts: EngineParts
  ) {
    self.id = id
    self.provider = provider
    self.books = books
    self.parts = parts
    self.logger = logger
    sizer = settings.sizer
    limits = StoredQueueLimits(settings.queueSize, settings.sizer)
    patience = settings.blockOnOverflow ? .seconds(60) : Self.shortPatience
    refusals = RateLimitedLog(logger, clock: parts.clock)
  }

  private var queue: (any DurableBatchQueue)? {
    phase.withLock { if case .open(let queue) = $0 { queue } else { nil } }
  }

  /// What is stored, by the queue's sizer.
  var size: Int {
    guard let load = queue?.load else { return 0 }
    return switch sizer {
    case .requests: load.batches
    case .items: load.items.values.reduce(0, +)
    case .bytes: load.bytes
    }
  }

  /// Items that are stored, or about to be.
  func itemsInFlight(of signal: Signal) -> Int { underWay.items(of: signal) }

  // MARK: Life

  /// Opens the queue; what it holds from before is booked as restored.
  func open() async throws {
    let queue = try await provider.openQueue(for: id, limits: limits)
    for (signal, items) in queue.load.items where items > 0 {
      parts.ledger.record(.restored, items, signal: signal, reason: id.description)
      underWay.add(items, of: signal)
    }
    let waiting = leaveUnopened(for: .open(queue))
    opened.reach()
    for entry in waiting { append(entry, to: queue) }
  }

  /// The next phase; gives back what waited for the queue to be opened.
  private func leaveUnopened(for next: Phase) -> [ChannelState.Entry] {
    phase.withLock { phase in
      defer { phase = next }
      if case .unopened(let waiting) = phase { return waiting }
      return []
    }
  }

  /// Lets `successor` take what still comes once the queue is closed.
  func forward(to successor: any Consumer) { heir.withLock { $0 = successor } }

  /// Hands out no more; what is handed out can still be acknowledged, and appending goes on.
  ///
  /// A queue that was never opened is not opened any more.
  func stopReading() {
    if let queue { return queue.stopReading() }
    for entry in leaveUnopened(for: .closed) { passOn(entry.batch, entry.metadata, entry.completion) }
    opened.reach()
  }

  /// Commits what is pending and closes the queue; what stays in it is booked as stored.
  func close() async {
    stopping.stop()
    stopReading()
    guard let queue else { return }
    await queue.close()
    phase.withLock { $0 = .closed }
    let stored = queue.load.items
    for signal in Signal.allCases {
      let held = underWay.items(of: signal)
      let kept = min(stored[signal] ?? 0, held)
      parts.ledger.record(.stored, kept, signal: signal, reason: id.description)
      // What was committed and is not there any more was in a database that got damaged.
      parts.ledger.record(.dropped, held - kept, signal: signal, reason: "damaged_storage")
      underWay.add(-held, of: signal)
    }
  }

  // MARK: Senders

  /// Takes the delivery without suspending; it may wait for room for a bounded time.
  func offer(_ delivery: consuming Delivery) {
    let batch = delivery.batch
    let completion = delivery.completion
    underWay.add(batch)
    let entry = ChannelState.Entry(Delivery(batch, metadata: delivery.metadata, completion: completion))
    switch place(for: entry) {
    case .queue(let queue): append(entry, to: queue)
    case .parked: break
    case .none(let refusal): refuse(batch, completion, refusal)
    case .nowhere: passOn(batch, entry.metadata, completion)
    }
  }

  private enum Place {
    case queue(any DurableBatchQueue)
    case parked
    case none(StorageRefusal)
    case nowhere
  }

  private func place(for entry: ChannelState.Entry) -> Place {
    phase.withLock { phase in
      switch phase {
      case .open(let queue): return .queue(queue)
      case .closed: return .nowhere
      case .unopened(var waiting):
        let bytes = waiting.reduce(entry.batch.byteCount) { $0 + $1.batch.byteCount }
        if bytes > Self.mostUnopened { return .none(.full("the durable queue is not open yet")) }
        waiting.append(entry)
        phase = .unopened(waiting)
        return .parked
      }
    }
  }

  private func append(_ entry: ChannelState.Entry, to queue: any DurableBatchQueue) {
    queue.append(entry.batch, metadata: entry.metadata, patience: patience) { result in
      switch result {
      case .success: entry.completion.resolve(.accepted)
      case .failure(.closed): self.passOn(entry.batch, entry.metadata, entry.completion)
      case .failure(let refusal): self.refuse(entry.batch, entry.completion, refusal)
      }
    }
  }

  /// What came when the queue was closed: the successor's, if there is one.
  private func passOn(_ batch: Batch, _ metadata: RequestMetadata?, _ completion: Completion) {
    guard let heir = heir.withLock({ $0 }) else { return refuse(batch, completion, .closed) }
    heir.offer(Delivery(batch, metadata: metadata, completion: completion))
    underWay.subtract(batch)
  }

  /// Takes the delivery, waiting for room. A sender that can be told so is refused when there is none for long; one
  /// that has been answered waits for as long as it takes.
  func send(_ delivery: consuming Delivery) async {
    let batch = delivery.batch
    let completion = delivery.completion
    let metadata = delivery.metadata
    underWay.add(batch)
    await opened.wait()
    while true {
      guard let queue else { return await passOnWaiting(batch, metadata, completion) }
      switch await queue.append(batch, metadata: metadata, patience: .seconds(5)) {
      case .success: return completion.resolve(.accepted)
      case .failure(.closed): return await passOnWaiting(batch, metadata, completion)
      case .failure(let refusal):
        if !completion.isAwaited, refusal.isWorthWaiting, await stopping.wait(for: .seconds(1), parts.clock) {
          continue
        }
        return refuse(batch, completion, refusal)
      }
    }
  }

  private func passOnWaiting(_ batch: Batch, _ metadata: RequestMetadata?, _ completion: Completion) async {
    guard let heir = heir.withLock({ $0 }) else { return refuse(batch, completion, .closed) }
    await heir.send(Delivery(batch, metadata: metadata, completion: completion))
    underWay.subtract(batch)
  }

  private func refuse(_ batch: Batch, _ completion: Completion, _ refusal: StorageRefusal) {
    underWay.subtract(batch)
    let outcome = refusal.outcome
    let state: LedgerState =
      if case .rejected = outcome { .rejected } else { completion.isAwaited ? .refused : .dropped }
    books.notEnqueued(batch, state, refusal.reason)
    refusals.log(
      .warning, "the durable queue did not take a batch",
      metadata: ["error": "\(refusal)", "items": "\(batch.itemCount)", "outcome": "\(state.rawValue)"])
    completion.resolve(outcome)
  }

  // MARK: The reader

  /// Moves what is stored, in order, into the channel in front of the workers, until reading is stopped.
  func pump(into channel: Channel) async {
    await opened.wait()
    while let queue, let lease = await queue.next() {
      let handler = LeaseOutcome(lease, of: self, in: queue)
      await channel.send(
        Delivery(lease.batch, metadata: lease.metadata, completion: Completion(handler, isAwaited: false)))
    }
    channel.close()
  }

  /// Ends a lease once the outcome of its batch is known: only what is to be tried again stays stored.
  private final class LeaseOutcome: OutcomeHandler {
    private let lease: BatchLease
    private let intake: StoredIntake
    private let queue: any DurableBatchQueue

    init(_ lease: BatchLease, of intake: StoredIntake, in queue: any DurableBatchQueue) {
      self.lease = lease
      self.intake = intake
      self.queue = queue
    }

    func resolved(_ outcome: Outcome) {
      if case .refused = outcome { return queue.release(lease) }
      intake.underWay.subtract(lease.batch)
      queue.acknowledge(lease)
    }
  }
}

extension StorageRefusal {
  /// The reason as the ledger names it.
  fileprivate var reason: String {
    switch self {
    case .full: "queue_full"
    case .tooLarge: "too_large"
    case .failed: "storage_failed"
    case .closed: "queue_closed"
    }
  }

  /// Whether it can change without anybody doing something about the batch.
  fileprivate var isWorthWaiting: Bool {
    switch self {
    case .full, .failed: true
    case .tooLarge, .closed: false
    }
  }
}
