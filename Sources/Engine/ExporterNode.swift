import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// An exporter with what surrounds it: queue, workers, retries and timeout.
///
/// With a memory queue the sender is answered once the batch is in the queue; with a durable one once it is committed;
/// without one, with `wait_for_result`, or where delivery at least once is asked for, once the backend has answered.
final class ExporterNode: Consumer {
  let id: ComponentID
  private let settings: DeliverySettings
  /// The memory queue; behind a durable one, what the workers have at hand.
  private let queue: Channel
  private let batches: Channel?
  private let stored: StoredIntake?
  private let tries: ExportTries
  private let books: ExporterBooks
  private let parts: EngineParts
  private let logger: Logger
  private let underWay = SignalCounts()
  private let live: Mutex<Int>
  /// Set where the exporter was never started and never will be.
  private let isGivenUp = Atomic<Bool>(false)
  private let workersEnded = Milestone()
  let finished = Milestone()

  /// How many bytes of senders that can wait are queued or under way while the backend keeps answering: enough to keep
  /// it busy.
  private static let paceBytes = 8 << 20

  /// - Parameters:
  ///   - storage: where the queue is kept; nil keeps it in memory.
  ///   - holdsCompletions: whether senders' answers wait for the backend where the queue is memory only.
  init(
    _ id: ComponentID, _ exporter: any Exporter, _ settings: DeliverySettings, logger: Logger,
    parts: EngineParts, storage: (any StorageProvider)? = nil, holdsCompletions: Bool = false
  ) {
    self.id = id
    self.parts = parts
    self.logger = logger
    self.settings = settings
    tries = ExportTries(id, exporter, settings, logger: logger, parts: parts)
    let books = ExporterBooks(id, parts: parts)
    self.books = books
    let queueing = settings.queue.flatMap { $0.enabled ? $0 : nil }
    let workers = queueing?.numConsumers ?? settings.concurrency
    let limits: ChannelLimits
    if let queueing, let storage {
      stored = StoredIntake(
        id, queueing, provider: storage, books: books, logger: logger, parts: parts)
      limits = ChannelLimits(sizer: .requests, capacity: workers, maxBytes: 4 << 20)
    } else {
      stored = nil
      limits = Self.limits(
        queueing, ceiling: parts.memory.queueCeiling, holdsCompletions: holdsCompletions)
    }
    let ended: @Sendable (Batch, LedgerState, String) -> Void
    if stored == nil {
      let underWay = underWay
      let refusals = RateLimitedLog(logger, clock: parts.clock)
      ended = { batch, state, reason in
        underWay.subtract(batch)
        books.notEnqueued(batch, state, reason)
        refusals.log(
          .warning, "the sending queue takes no more",
          metadata: ["reason": "\(reason)", "items": "\(batch.itemCount)", "outcome": "\(state.rawValue)"])
      }
    } else {
      // What ends in front of the workers stays stored.
      ended = { _, _, _ in }
    }
    queue = Channel(limits: limits, clock: parts.clock, memory: parts.memory, ended: ended)
    batches = queueing?.batch.map { _ in
      Channel(
        limits: ChannelLimits(sizer: .requests, capacity: workers), clock: parts.clock, memory: parts.memory,
        ended: ended)
    }
    live = Mutex(workers + (batches == nil ? 0 : 1) + (stored == nil ? 0 : 1))
  }

  private static func limits(
    _ queueing: QueueSettings?, ceiling: Int, holdsCompletions: Bool
  ) -> ChannelLimits {
    var limits =
      queueing.map {
        ChannelLimits(
          sizer: $0.sizer, capacity: $0.queueSize,
          maxBytes: $0.sizer == .bytes ? nil : ceiling,
          patience: $0.blockOnOverflow ? .seconds(60) : .zero,
          answer: $0.waitForResult || holdsCompletions ? .byReader : .onIntake)
      } ?? .stage
    limits.paceBytes = paceBytes
    limits.countsTaken = true
    return limits
  }

  /// Shows the queue's size and capacity among the collector's own metrics, in place of another instance's.
  func observe() {
    guard let settings = settings.queue, settings.enabled else { return }
    let (queue, stored) = (queue, stored)
    let labels = [(name: "exporter", value: id.description)]
    parts.metrics.observe(
      "otelcol_exporter_queue_size", help: "What the queue holds, counted by its sizer.", labels: labels
    ) { Double(stored?.size ?? queue.load.size) }
    parts.metrics.observe(
      "otelcol_exporter_queue_capacity", help: "What the queue can hold, counted by its sizer.",
      labels: labels
    ) { Double(settings.queueSize) }
  }

  // MARK: Life

  /// Opens the durable queue, if there is one.
  func open() async throws { try await stored?.open() }

  /// The tasks of this node; each returns once the queue is closed and empty.
  var tasks: [@Sendable () async -> Void] {
    let workers = settings.queue.flatMap { $0.enabled ? $0.numConsumers : nil } ?? settings.concurrency
    var tasks: [@Sendable () async -> Void] = (0..<workers).map { _ in { await self.work() } }
    if let gathering = settings.queue?.batch, let batches {
      tasks.append { await self.gather(gathering, into: batches) }
    }
    if let stored {
      tasks.append {
        await stored.pump(into: self.queue)
        self.taskEnded()
      }
    }
    tasks.append { await self.finish() }
    return tasks
  }

  /// Waits for the workers, and closes what is behind them.
  private func finish() async {
    await workersEnded.wait()
    await stored?.close()
    finished.reach()
  }

  /// Items in the queue and under way to the backend.
  func itemsInFlight(of signal: Signal) -> Int {
    stored?.itemsInFlight(of: signal) ?? underWay.items(of: signal)
  }

  /// Takes no more. What is in memory is still delivered; what is stored stays so, except for what is on its way.
  func close() {
    guard let stored else { return queue.close() }
    stored.stopReading()
    tries.stop()
  }

  /// Whether what it holds is in a durable queue, which only one node can have open.
  var isDurable: Bool { stored != nil }

  /// Moves what waits here, and what still comes, to the node that takes this one's place; returns once it has, and
  /// once nothing is under way from here. A durable queue is then opened again by the successor, which must not have
  /// been opened before; behind a memory queue it must have been.
  func handOver(to successor: ExporterNode) async {
    await bequeath(to: successor)
    while stored != nil {
      do { return try await successor.open() } catch {
        logger.error("the durable queue cannot be opened again", metadata: ["error": "\(error)"])
        if await !successor.tries.pause(for: .seconds(1)) { return }
      }
    }
  }

  /// The same without opening what was durable: the successor has it once it opens it.
  func bequeath(to successor: ExporterNode) async {
    if let stored {
      stored.forward(to: successor)
    } else {
      queue.forward(to: Heir(of: self, successor: successor))
    }
    close()
    tries.stop()
    await finished.wait()
  }

  /// Takes no more, and tries nothing: the exporter does not run.
  func giveUp() {
    isGivenUp.store(true, ordering: .relaxed)
    tries.stop()
    close()
  }

  /// Starts no more tries: what the workers still take goes to a successor.
  func stopTrying() { tries.stop() }

  func abort() {
    queue.abort()
    batches?.abort()
  }

  // MARK: Intake

  func offer(_ delivery: consuming Delivery) {
    if let stored { return stored.offer(delivery) }
    underWay.add(delivery.batch)
    queue.offer(delivery)
  }

  func send(_ delivery: consuming Delivery) async {
    if let stored { return await stored.send(delivery) }
    underWay.add(delivery.batch)
    await queue.send(delivery)
  }

  /// Takes what a predecessor leaves, also beyond the limits of the queue: it was within those of the predecessor's.
  private func inherit(_ delivery: consuming Delivery) {
    if let stored { return stored.offer(delivery) }
    underWay.add(delivery.batch)
    queue.inherit(delivery)
  }

  // MARK: Work

  private func taskEnded() {
    let left = live.withLock {
      $0 -= 1
      return $0
    }
    if left == 0 { workersEnded.reach() }
  }

  private func gather(_ settings: QueueBatchSettings, into output: Channel) async {
    var gatherer = Gatherer(settings)
    var deadline: MonotonicInstant?
    loop: while true {
      switch await queue.next(before: deadline) {
      case .delivery(let delivery):
        let signal = delivery.batch.signal
        gatherer.add(delivery)
        if gatherer.isFull(signal) { await flush(&gatherer, signal, into: output) }
        let now = parts.clock.now
        // A busy signal must not keep another one waiting.
        if let deadline, deadline <= now {
          for signal in Signal.allCases { await flush(&gatherer, signal, into: output) }
        }
        deadline = gatherer.isEmpty ? nil : deadline ?? now + settings.flushTimeout
      case .deadline:
        for signal in Signal.allCases { await flush(&gatherer, signal, into: output) }
        deadline = nil
      case .closed:
        for signal in Signal.allCases { await flush(&gatherer, signal, into: output) }
        break loop
      }
    }
    output.close()
    taskEnded()
  }

  private func flush(_ gatherer: inout Gatherer, _ signal: Signal, into output: Channel) async {
    let held = gatherer.footprint(of: signal)
    let pieces = gatherer.take(signal)
    // In the place of what was gathered stands what it became.
    queue.release(held - pieces.reduce(0) { $0 + $1.0.footprint })
    for (batch, completion) in pieces {
      await output.send(Delivery(batch, completion: completion))
    }
  }

  private func work() async {
    let source = batches ?? queue
    while case .delivery(let delivery) = await source.next(before: nil) { await process(delivery) }
    taskEnded()
  }

  private func process(_ delivery: consuming Delivery) async {
    let batch = delivery.batch
    parts.memory.queued(batch.footprint)
    defer {
      parts.memory.queued(-batch.footprint)
      queue.release(batch.footprint)
    }
    var end = ExportTries.End.stopped(.refused(reason: "the exporter stops", after: nil))
    if !tries.isStopped {
      // While the backend is down the queue fills up; while it answers, senders that can wait keep its pace.
      end = await tries.untilDone(batch, metadata: delivery.metadata) { isWaiting in
        if isWaiting { queue.beginStall() } else { queue.endStall() }
      }
    }
    switch end {
    case .final(let outcome, let reason, let ended):
      books.ended(
        batch, outcome, awaited: delivery.completion.isAwaited, giveUpReason: reason, except: ended)
      leave(batch)
      if stored != nil, case .refused(let text, _) = outcome {
        // Given up, so it must not come back.
        delivery.resolve(.rejected(reason: text))
      } else {
        delivery.resolve(outcome)
      }
    case .stopped(let outcome):
      if stored != nil { return delivery.resolve(outcome) }
      if let successor = queue.successor { return await successor.send(delivery) }
      let isGivenUp = isGivenUp.load(ordering: .relaxed)
      if case .refused(let text, _) = outcome {
        let why = isGivenUp ? "it cannot be started again" : "the shutdown deadline has passed"
        tries.logGivenUp(batch, text, why)
      }
      books.ended(
        batch, outcome, awaited: delivery.completion.isAwaited,
        giveUpReason: isGivenUp ? "exporter_not_started" : "shutdown_deadline",
        except: tries.endedItems(of: batch))
      leave(batch)
      delivery.resolve(outcome)
    }
  }

  /// The batch is this node's no more; what is stored counts until its lease ends.
  private func leave(_ batch: Batch) { if stored == nil { underWay.subtract(batch) } }

  /// Passes what a node has left to its successor.
  private final class Heir: Consumer {
    private let node: ExporterNode
    private let successor: ExporterNode

    init(of node: ExporterNode, successor: ExporterNode) {
      self.node = node
      self.successor = successor
    }

    func offer(_ delivery: consuming Delivery) {
      let batch = delivery.batch
      successor.inherit(delivery)
      node.leave(batch)
    }

    func send(_ delivery: consuming Delivery) async {
      let batch = delivery.batch
      // What is to be stored waits until that has happened.
      if successor.isDurable { await successor.send(delivery) } else { successor.inherit(delivery) }
      node.leave(batch)
    }
  }
}
