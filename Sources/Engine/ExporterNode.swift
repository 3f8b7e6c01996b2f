import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// An exporter with what surrounds it: queue, workers, retries and timeout.
///
/// With a memory queue the sender is answered once the batch is in the queue; without one, or with
/// `wait_for_result`, once the backend has answered.
final class ExporterNode: Consumer {
  let id: ComponentID
  let exporter: any Exporter
  private let settings: DeliverySettings
  private let queue: Channel
  private let batches: Channel?
  private let books: ExporterBooks
  private let parts: EngineParts
  private let logger: Logger
  private let underWay = SignalCounts()
  private let retries: RateLimitedLog
  /// The ends of the tries under way; nil without a timeout.
  private let timeouts: Timeouts?
  private let requests: SelfMetricCell
  private let live: Mutex<Int>
  let finished = Milestone()

  /// How many bytes of senders that can wait are queued or under way while the backend keeps answering: enough to keep
  /// it busy.
  private static let paceBytes = 8 << 20

  init(
    _ id: ComponentID, _ exporter: any Exporter, _ settings: DeliverySettings, logger: Logger,
    parts: EngineParts
  ) {
    self.id = id
    self.exporter = exporter
    self.parts = parts
    self.logger = logger
    self.settings = settings
    retries = RateLimitedLog(logger, clock: parts.clock)
    timeouts = settings.timeout.flatMap { $0 > .zero ? Timeouts(after: $0, clock: parts.clock) : nil }
    let books = ExporterBooks(id, parts: parts)
    self.books = books
    let queueing = settings.queue.flatMap { $0.enabled ? $0 : nil }
    var limits =
      queueing.map {
        ChannelLimits(
          sizer: $0.sizer, capacity: $0.queueSize,
          maxBytes: $0.sizer == .bytes ? nil : QueueSettings.byteCeiling,
          patience: $0.blockOnOverflow ? .seconds(60) : .zero,
          answer: $0.waitForResult ? .byReader : .onIntake)
      } ?? .stage
    limits.paceBytes = Self.paceBytes
    let underWay = underWay
    let refusals = RateLimitedLog(logger, clock: parts.clock)
    let ended: @Sendable (Batch, LedgerState, String) -> Void = { batch, state, reason in
      underWay.subtract(batch)
      books.notEnqueued(batch, state, reason)
      refusals.log(
        .warning, "the sending queue takes no more",
        metadata: ["reason": "\(reason)", "items": "\(batch.itemCount)", "outcome": "\(state.rawValue)"])
    }
    queue = Channel(limits: limits, clock: parts.clock, ended: ended)
    let workers = queueing?.numConsumers ?? settings.concurrency
    batches = queueing?.batch.map { _ in
      Channel(limits: ChannelLimits(sizer: .requests, capacity: workers), clock: parts.clock, ended: ended)
    }
    live = Mutex(workers + (batches == nil ? 0 : 1))
    requests = parts.metrics.gauge(
      "otelcol_exporter_in_flight_requests", help: "Requests under way to the backend.",
      labels: [("exporter", id.description)])
    if queueing != nil {
      let (queue, labels) = (queue, [(name: "exporter", value: id.description)])
      parts.metrics.observe(
        "otelcol_exporter_queue_size", help: "What the queue holds, counted by its sizer.", labels: labels
      ) { Double(queue.load.size) }
      parts.metrics.observe(
        "otelcol_exporter_queue_capacity", help: "What the queue can hold, counted by its sizer.",
        labels: labels
      ) { Double(queue.capacity) }
    }
  }

  /// The tasks of this node; each returns once the queue is closed and empty.
  var tasks: [@Sendable () async -> Void] {
    let workers = settings.queue.flatMap { $0.enabled ? $0.numConsumers : nil } ?? settings.concurrency
    var tasks: [@Sendable () async -> Void] = (0..<workers).map { _ in { await self.work() } }
    if let gathering = settings.queue?.batch, let batches {
      tasks.append { await self.gather(gathering, into: batches) }
    }
    return tasks
  }

  /// Items in the queue and under way to the backend.
  func itemsInFlight(of signal: Signal) -> Int { underWay.items(of: signal) }

  func close() { queue.close() }

  func abort() {
    queue.abort()
    batches?.abort()
  }

  // MARK: Intake

  func offer(_ delivery: consuming Delivery) {
    underWay.add(delivery.batch)
    queue.offer(delivery)
  }

  func send(_ delivery: consuming Delivery) async {
    underWay.add(delivery.batch)
    await queue.send(delivery)
  }

  // MARK: Work

  private func taskEnded() {
    let left = live.withLock {
      $0 -= 1
      return $0
    }
    if left == 0 { finished.reach() }
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
    for (batch, completion) in gatherer.take(signal) {
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
    defer { underWay.subtract(batch) }
    let (outcome, reason) = await tryUntilDone(batch, metadata: delivery.metadata)
    books.ended(batch, outcome, awaited: delivery.completion.isAwaited, giveUpReason: reason)
    delivery.resolve(outcome)
  }

  /// Tries, waits and tries again until the outcome is final; a retryable outcome comes with why it was given up.
  private func tryUntilDone(_ batch: Batch, metadata: RequestMetadata?) async -> (Outcome, String) {
    let started = parts.clock.now
    var backoff = Backoff(settings.retry ?? RetrySettings())
    while true {
      let outcome = await tryOnce(batch, metadata: metadata)
      guard case .refused(let reason, let after) = outcome else {
        log(outcome, batch)
        return (outcome, "")
      }
      guard let retry = settings.retry, retry.enabled else {
        logGivenUp(batch, reason, "retries are off")
        return (outcome, "retries_disabled")
      }
      let wait = backoff.next(parts.randomness, atLeast: after)
      if retry.maxElapsedTime > .zero, parts.clock.now - started + wait > retry.maxElapsedTime {
        logGivenUp(batch, reason, "max_elapsed_time has passed")
        return (outcome, "retries_exhausted")
      }
      retries.log(
        .warning, "export failed, will try again",
        metadata: ["error": "\(reason)", "items": "\(batch.itemCount)", "retry_in": "\(wait)"])
      // While the backend is down the queue fills up; while it answers, senders that can wait keep its pace.
      queue.beginStall()
      defer { queue.endStall() }
      do { try await parts.clock.sleep(for: wait) } catch {
        logGivenUp(batch, reason, "the shutdown deadline has passed")
        return (outcome, "shutdown_deadline")
      }
    }
  }

  private func tryOnce(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    requests.add(1)
    defer { requests.add(-1) }
    let outcome = await exportInTime(batch, metadata: metadata)
    return outcome.bounded(to: batch.itemCount)
  }

  private enum TryEvent: Sendable {
    case answered(Outcome)
    case timedOut
    case notTimed
  }

  private func exportInTime(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    guard let timeouts else { return await exporter.export(batch, metadata: metadata) }
    let exporter = exporter
    return await withTaskGroup(of: TryEvent.self) { group in
      group.addTask { .answered(await exporter.export(batch, metadata: metadata)) }
      group.addTask { await timeouts.wait() ? .timedOut : .notTimed }
      defer { group.cancelAll() }
      var isLate = false
      for await event in group {
        switch event {
        case .timedOut:
          isLate = true
          group.cancelAll()
        case .notTimed: continue
        case .answered(.refused) where isLate: break
        // Also when it comes late: a batch that was taken must not be sent again.
        case .answered(let outcome): return outcome
        }
      }
      return .refused(reason: "no answer within \(timeouts.duration)", after: nil)
    }
  }

  private func log(_ outcome: Outcome, _ batch: Batch) {
    switch outcome {
    case .accepted, .refused: break
    case .partial(let rejected, let message):
      logger.warning(
        "the backend rejected part of a batch",
        metadata: ["rejected": "\(rejected)", "items": "\(batch.itemCount)", "message": "\(message)"])
    case .rejected(let reason):
      logger.error(
        "the backend rejected a batch, it is not tried again",
        metadata: ["error": "\(reason)", "items": "\(batch.itemCount)"])
    }
  }

  private func logGivenUp(_ batch: Batch, _ error: String, _ why: String) {
    logger.error(
      "export given up", metadata: ["error": "\(error)", "why": "\(why)", "items": "\(batch.itemCount)"])
  }
}
