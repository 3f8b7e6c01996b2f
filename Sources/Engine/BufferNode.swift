import Logging
import PipelineKit
import Synchronization
import TelemetryData

/// A buffering processor behind its channel.
final class BufferNode: Consumer {
  let id: ComponentID
  let channel: Channel
  let signal: Signal
  private let processor: any BufferingProcessor
  /// Where its output goes.
  let output: SwitchPoint
  /// Open for as long as some route leads here.
  let doorway = Doorway()
  private let counted: CountedConsumer
  private let incoming: SelfMetricCell
  /// Items that came in and have not been handed on.
  private let held: HeldItems
  /// Items that the processor took and has not handed on.
  private let taken = HeldItems()
  /// What the processor ended, within the ledger of the whole.
  private let ledger: Ledger
  /// What the channel refused or dropped, likewise.
  private let unread: Ledger
  let finished = Milestone()

  /// - Parameter ledger: the one the processor books into, for it alone.
  init(
    _ id: ComponentID, _ processor: any BufferingProcessor, signal: Signal, ledger: Ledger,
    logger: Logger, parts: EngineParts
  ) {
    self.id = id
    self.signal = signal
    self.processor = processor
    self.ledger = ledger
    let held = HeldItems()
    self.held = held
    output = SwitchPoint(ledger: parts.ledger)
    counted = CountedConsumer(
      next: output, held: held, taken: taken, items: parts.processorItems("outgoing", id: id, signal: signal))
    incoming = parts.processorItems("incoming", id: id, signal: signal)
    let unread = Ledger(within: parts.ledger)
    self.unread = unread
    let refusals = RateLimitedLog(logger, clock: parts.clock)
    var limits = ChannelLimits.stage
    limits.answer = processor.answersOnIntake ? .onIntake : .byReader
    channel = Channel(limits: limits, clock: parts.clock, memory: parts.memory) { batch, state, reason in
      unread.record(state, batch.itemCount, signal: batch.signal, reason: reason)
      refusals.log(
        .warning, "the channel in front of the processor takes no more",
        metadata: ["reason": "\(reason)", "items": "\(batch.itemCount)", "outcome": "\(state.rawValue)"])
    }
  }

  func offer(_ delivery: consuming Delivery) {
    enter(delivery.batch)
    channel.offer(delivery)
  }

  func send(_ delivery: consuming Delivery) async {
    enter(delivery.batch)
    await channel.send(delivery)
  }

  private func enter(_ batch: Batch) {
    incoming.add(batch.itemCount)
    held.add(batch.itemCount)
  }

  func run() async {
    await processor.run(intake: CountedIntake(channel: channel, taken: taken), output: counted)
    // Where it came back early, nobody reads any more: whoever waits must not wait for ever.
    channel.abort()
    // What it took and neither handed on nor booked is lost: a defect, which the account must show. What the channel
    // still holds is none of it: a sender may just be handing something in, and learn that nobody takes it.
    ledger.record(.leaked, taken.count - ledger.ended(of: signal), signal: signal, reason: id.description)
    finished.reach()
  }

  /// Items in the channel and in the processor.
  var itemsInFlight: Int { held.count - ledger.ended(of: signal) - unread.ended(of: signal) }
}

/// Counts what a processor takes.
private struct CountedIntake: Intake {
  let channel: Channel
  let taken: HeldItems

  func next(before deadline: MonotonicInstant?, gathering items: Int) async -> IntakeEvent {
    switch await channel.next(before: deadline, gathering: items) {
    case .delivery(let delivery):
      taken.add(delivery.batch.itemCount)
      return .delivery(delivery)
    case .deadline: return .deadline
    case .closed: return .closed
    }
  }

  func poll() -> Delivery? {
    guard let delivery = channel.poll() else { return nil }
    taken.add(delivery.batch.itemCount)
    return delivery
  }
}

/// Items that a node answers for.
final class HeldItems: Sendable {
  private let items = Atomic<Int>(0)

  func add(_ count: Int) { items.wrappingAdd(count, ordering: .relaxed) }
  var count: Int { items.load(ordering: .relaxed) }
}

/// Counts what a node hands on.
private struct CountedConsumer: Consumer {
  let next: any Consumer
  let held: HeldItems
  let taken: HeldItems
  let items: SelfMetricCell

  private func leave(_ batch: Batch) {
    items.add(batch.itemCount)
    held.add(-batch.itemCount)
    taken.add(-batch.itemCount)
  }

  func offer(_ delivery: consuming Delivery) {
    leave(delivery.batch)
    next.offer(delivery)
  }

  func send(_ delivery: consuming Delivery) async {
    leave(delivery.batch)
    await next.send(delivery)
  }
}
