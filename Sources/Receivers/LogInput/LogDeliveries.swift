internal import Logging
internal import PipelineKit
internal import Synchronization
internal import TelemetryData

/// The batches of a receiver that have been read and not yet been taken.
///
/// What a refusal gives back is offered again, with growing waits, until it is taken; what comes behind it waits for its
/// turn, so that the order stays. Whoever reads is told to pause meanwhile, and when much is under way.
final class LogDeliveries: Sendable {
  /// Told to pause (true) and to go on (false), in this order, on any thread; must not block or deliver.
  typealias Pacing = @Sendable (_ isPaused: Bool) -> Void

  private struct Entry {
    let batch: Batch
    /// What is settled with it; see ``LogDeliveries/settled``.
    let mark: Int
    var isUnderWay: Bool
  }

  private struct State {
    /// By number; all that is not settled.
    var entries: [Int: Entry] = [:]
    /// The numbers of those that wait to be offered, in order.
    var waiting: [Int] = []
    var next = 0
    /// Numbers below are settled.
    var first = 0
    /// The marks of those that are settled behind an open one.
    var marks: [Int: Int] = [:]
    var bytes = 0
    var pause: Duration
    var isTimerSet = false
    var isPaused = false
    /// Whether refused batches are given up.
    var isOver = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let output: any Consumer
  private let retry: LogRetryConfig
  private let capacity: Int
  private let context: ComponentContext
  private let pacing: Pacing
  /// Told of the mark of a batch when it and all before it are settled: taken, or rejected for good.
  private let settled: (@Sendable (_ mark: Int) -> Void)?
  private let refusals: RateLimitedLog
  private let rejections: RateLimitedLog
  private let state: Mutex<State>

  /// - Parameter capacity: bytes under way above which reading pauses.
  init(
    output: any Consumer, retry: LogRetryConfig, capacity: Int, context: ComponentContext,
    pacing: @escaping Pacing, settled: (@Sendable (_ mark: Int) -> Void)? = nil
  ) {
    self.output = output
    self.retry = retry
    self.capacity = capacity
    self.context = context
    self.pacing = pacing
    self.settled = settled
    refusals = RateLimitedLog(context.logger, clock: context.clock)
    rejections = RateLimitedLog(context.logger, clock: context.clock)
    state = Mutex(State(pause: retry.initialInterval))
  }

  /// Bytes that have not been taken yet.
  var heldBytes: Int { state.withLock { $0.bytes } }

  /// Whether as much is held as may be.
  var isFull: Bool { heldBytes >= capacity }

  /// Delivers a batch, now or later. One without records stands for its mark only.
  func deliver(_ batch: Batch, mark: Int = 0) {
    if batch.isEmpty, settled == nil { return }
    let number: Int? = state.withLock { state in
      let number = state.next
      state.next += 1
      let waits = !state.waiting.isEmpty
      state.entries[number] = Entry(batch: batch, mark: mark, isUnderWay: !waits)
      state.bytes += batch.byteCount
      if waits { state.waiting.append(number) }
      setPace(&state)
      return waits ? nil : number
    }
    if let number { offer(batch, number) }
  }

  private func offer(_ batch: Batch, _ number: Int) {
    if batch.isEmpty { return resolved(number, .accepted) }
    output.offer(Delivery(batch, handler: Answer(self, number)))
  }

  private func resolved(_ number: Int, _ outcome: Outcome) {
    var waiters: [CheckedContinuation<Void, Never>] = []
    var mark: Int?
    var lost = 0
    state.withLock { state in
      guard let entry = state.entries[number] else { return }
      if case .refused(_, let after) = outcome, !state.isOver {
        state.entries[number]?.isUnderWay = false
        let place = state.waiting.firstIndex { $0 > number } ?? state.waiting.endIndex
        state.waiting.insert(number, at: place)
        setTimer(&state, after)
      } else {
        if case .refused = outcome { lost = entry.batch.itemCount }
        if outcome.isAccepted { state.pause = retry.initialInterval }
        mark = settle(number, &state)
        waiters = takeWaiters(&state)
      }
      setPace(&state)
    }
    if lost > 0 { giveUp(lost) }
    log(outcome)
    if let mark { settled?(mark) }
    for waiter in waiters { waiter.resume() }
  }

  /// Forgets a batch; the mark of the last one before which nothing is open, when there is a new one.
  private func settle(_ number: Int, _ state: inout State) -> Int? {
    guard let entry = state.entries.removeValue(forKey: number) else { return nil }
    state.bytes -= entry.batch.byteCount
    if settled == nil { return nil }
    // What is settled behind an open one is kept as its mark only.
    state.marks[number] = entry.mark
    var mark: Int?
    while let passed = state.marks.removeValue(forKey: state.first) {
      mark = passed
      state.first += 1
    }
    return mark
  }

  private func setPace(_ state: inout State) {
    let pauses =
      state.isPaused
      ? state.bytes > capacity / 2 || !state.waiting.isEmpty
      : state.bytes >= capacity || !state.waiting.isEmpty
    guard pauses != state.isPaused else { return }
    state.isPaused = pauses
    pacing(pauses)
  }

  private func setTimer(_ state: inout State, _ after: Duration?) {
    guard !state.isTimerSet else { return }
    state.isTimerSet = true
    let spread = 0.75 + context.randomness.unit() / 2
    let wait = max(state.pause * spread, after ?? .zero)
    state.pause = min(state.pause * 3 / 2, max(retry.maxInterval, retry.initialInterval))
    context.clock.schedule(at: context.clock.now + wait) { [weak self] in self?.offerWaiting() }
  }

  private func offerWaiting() {
    let due = state.withLock { state in
      state.isTimerSet = false
      defer { state.waiting = [] }
      return state.waiting.compactMap { number -> (Int, Batch)? in
        state.entries[number]?.isUnderWay = true
        return state.entries[number].map { (number, $0.batch) }
      }
    }
    for (number, batch) in due { offer(batch, number) }
    state.withLock { setPace(&$0) }
  }

  private func log(_ outcome: Outcome) {
    switch outcome {
    case .accepted: break
    case .refused(let reason, _):
      refusals.log(
        .warning, "log records are not taken; they are offered again, and reading waits",
        metadata: ["reason": "\(reason)"])
    case .partial(let rejected, let message):
      rejections.log(
        .error, "log records were rejected", metadata: ["records": "\(rejected)", "reason": "\(message)"])
    case .rejected(let reason):
      rejections.log(.error, "log records were rejected", metadata: ["reason": "\(reason)"])
    }
  }

  // The end.

  /// Returns when everything is taken, or what is refused has been offered for some time, or the task is cancelled.
  ///
  /// - Parameter patience: nil waits for as long as it takes.
  ///
  /// What is given up then is booked as dropped, since whoever sent it cannot send it again.
  func drain(within patience: Duration?) async {
    offerWaiting()
    if let patience {
      context.clock.schedule(at: context.clock.now + patience) { [weak self] in self?.end() }
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDone = state.withLock { state in
          if state.entries.isEmpty { return true }
          state.waiters.append(continuation)
          return false
        }
        if isDone { continuation.resume() }
      }
    } onCancel: {
      end()
    }
  }

  private func end() {
    let (lost, waiters) = state.withLock { state in
      state.isOver = true
      let lost = state.waiting.reduce(0) { $0 + (state.entries[$1]?.batch.itemCount ?? 0) }
      for number in state.waiting { state.entries[number] = nil }
      state.waiting = []
      return (lost, takeWaiters(&state))
    }
    if lost > 0 { giveUp(lost) }
    for waiter in waiters { waiter.resume() }
  }

  private func takeWaiters(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
    guard state.entries.isEmpty || state.isOver else { return [] }
    defer { state.waiters = [] }
    return state.waiters
  }

  /// Books records that no one will offer again. The refusal itself has closed their account, so it is opened anew.
  private func giveUp(_ records: Int) {
    context.ledger.record(.received, records, signal: .logs, reason: context.id.description)
    context.ledger.record(.dropped, records, signal: .logs, reason: "shutdown")
    context.logger.error(
      "log records were refused until the end and are lost", metadata: ["records": "\(records)"])
  }

  private final class Answer: OutcomeHandler {
    let deliveries: LogDeliveries
    let number: Int
    init(_ deliveries: LogDeliveries, _ number: Int) {
      self.deliveries = deliveries
      self.number = number
    }
    func resolved(_ outcome: Outcome) { deliveries.resolved(number, outcome) }
  }
}
