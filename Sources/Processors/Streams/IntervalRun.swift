internal import Logging
internal import PipelineKit
internal import TelemetryData

/// What a processor that sends at intervals has gathered since the last time.
protocol IntervalStore {
  /// Takes what it gathers of a batch.
  ///
  /// - Parameter unixTime: now, in nanoseconds since the Unix epoch.
  mutating func take(_ batch: Batch, unixTime: UInt64) -> IntervalIntake
  var isEmpty: Bool { get }
  /// The bytes that it takes, about.
  var byteCount: Int { get }
  /// Gives out what it has gathered, and begins anew; nil when there is nothing.
  mutating func flush(unixTime: UInt64) -> Batch?
}

/// What was made of a batch.
struct IntervalIntake {
  /// What goes on at once.
  var rest: Batch
  /// Items that became part of others, and do not go on themselves.
  var merged: Int
}

/// Runs a processor that gathers items, makes one of several, and sends them at intervals.
///
/// Intervals are counted from the start. A sender is answered on intake, or where ``ComponentContext/holdsCompletions``
/// is set once what it brought was taken by what follows. What goes on at once does not wait. When too much has
/// gathered it goes early; nothing is dropped.
struct IntervalRun {
  let interval: Duration
  let context: ComponentContext
  private let log: RateLimitedLog

  /// So many senders wait at the most.
  private static let mostHeld = 10_000
  /// A batch that is sent has so many bytes, about, within what gRPC servers take by default.
  private static let sentBytes = 4_000_000

  init(interval: Duration, context: ComponentContext) {
    self.interval = interval
    self.context = context
    log = RateLimitedLog(context.logger, clock: context.clock)
  }

  func run(_ store: some IntervalStore, intake: any Intake, output: any Consumer) async {
    var store = store
    let clock = context.clock
    let start = clock.now
    var due: MonotonicInstant?
    var held: [(completion: Completion, items: Int)] = []
    while true {
      var isClosed = false
      switch await intake.next(before: due) {
      case .delivery(let delivery): await take(delivery, into: &store, held: &held, output: output)
      case .deadline: break
      case .closed: isClosed = true
      }
      let isFull = store.byteCount > context.streamBytes || held.count >= Self.mostHeld
      let now = clock.now
      if isClosed || isFull || due.map({ $0 <= now }) ?? false {
        if isFull { log.log(.warning, "what has gathered goes before its time: it takes too much memory") }
        await flush(&store, held: &held, output: output)
        due = nil
      } else if due == nil, !store.isEmpty {
        due = tick(after: now, start: start)
      }
      if isClosed { return }
    }
  }

  /// The next of the times at which is sent.
  private func tick(after now: MonotonicInstant, start: MonotonicInstant) -> MonotonicInstant {
    let length = max(1, interval.wholeNanoseconds)
    let passed = (now - start).wholeNanoseconds / length
    return start + .nanoseconds((passed + 1) * length)
  }

  private func take(
    _ delivery: consuming Delivery, into store: inout some IntervalStore,
    held: inout [(completion: Completion, items: Int)], output: any Consumer
  ) async {
    let batch = delivery.batch
    if batch.isEmpty {
      delivery.resolve(.accepted)
      return
    }
    let intake = store.take(batch, unixTime: context.clock.unixNanoseconds)
    context.ledger.record(
      .filtered, intake.merged, signal: batch.signal, reason: context.id.description)
    let (passing, gathered) = (intake.rest.itemCount, batch.itemCount - intake.rest.itemCount)
    let completion = delivery.completion
    guard context.holdsCompletions else {
      // From here on the processor answers for the items.
      completion.resolve(.accepted)
      if passing > 0 { await output.send(Delivery(intake.rest, completion: .detached())) }
      return
    }
    if passing == 0 {
      held.append((completion, gathered))
    } else if gathered == 0 {
      await output.send(Delivery(intake.rest, completion: completion))
    } else {
      let parts = completion.splitting([passing, gathered])
      held.append((parts[1], gathered))
      await output.send(Delivery(intake.rest, completion: parts[0]))
    }
  }

  private func flush(
    _ store: inout some IntervalStore, held: inout [(completion: Completion, items: Int)],
    output: any Consumer
  ) async {
    let waiting = held
    held.removeAll()
    guard let batch = store.flush(unixTime: context.clock.unixNanoseconds), !batch.isEmpty else {
      for part in waiting { part.completion.resolve(.accepted) }
      return
    }
    let whole = waiting.isEmpty ? Completion.detached() : Completion.merging(waiting)
    let most = max(1, batch.itemCount * Self.sentBytes / max(1, batch.byteCount))
    let parts = batch.split(maxItems: most)
    if parts.count == 1 {
      await output.send(Delivery(batch, completion: whole))
      return
    }
    let completions = waiting.isEmpty ? [] : whole.splitting(parts.map(\.itemCount))
    for (position, part) in parts.enumerated() {
      let completion = waiting.isEmpty ? Completion.detached() : completions[position]
      await output.send(Delivery(part, completion: completion))
    }
  }
}
