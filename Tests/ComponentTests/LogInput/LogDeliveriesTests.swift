import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

@testable import Receivers

@Suite struct LogDeliveriesTests {
  /// Deliveries on a clock that the test moves, with all that was told.
  private final class Rig: Sendable {
    let clock = TestClock()
    let metrics = SelfMetrics()
    let outcome = Mutex<Outcome>(.accepted)
    let offered = Mutex<[Int]>([])
    let paces = Mutex<[Bool]>([])
    let marks = Mutex<[Int]>([])
    let context: ComponentContext

    init() { context = .testing(.receiver, "tcp_log", clock: clock, metrics: metrics, signals: [.logs]) }

    func deliveries(capacity: Int = 1 << 20) -> LogDeliveries {
      let consumer = CollectingConsumer { [self] batch in
        offered.withLock { $0.append(batch.itemCount) }
        return outcome.withLock { $0 }
      }
      return LogDeliveries(
        output: consumer, retry: LogRetryConfig(), capacity: capacity, context: context,
        pacing: { [self] isPaused in paces.withLock { $0.append(isPaused) } },
        settled: { [self] mark in marks.withLock { $0.append(mark) } })
    }

    func ledger(_ state: LedgerState) -> Int {
      context.ledger.balance(of: .logs, inFlight: 0).items(state)
    }
  }

  private static func batch(_ records: Int) -> Batch {
    var builder = BatchBuilder(.logs)
    for index in 0..<records { builder.add(LogRecordValue(body: .string("record \(index)"))) }
    return builder.finish()
  }

  @Test func `what is refused is offered again in its order, and reading waits meanwhile`() {
    let rig = Rig()
    let deliveries = rig.deliveries()
    rig.outcome.withLock { $0 = .refused(reason: "full", after: nil) }
    deliveries.deliver(Self.batch(1), mark: 1)
    // These wait for their turn.
    deliveries.deliver(Self.batch(2), mark: 3)
    deliveries.deliver(Self.batch(3), mark: 6)
    #expect(rig.offered.withLock { $0 } == [1])
    #expect(rig.paces.withLock { $0 } == [true])
    rig.clock.advance(by: .milliseconds(1300))
    #expect(rig.offered.withLock { $0 } == [1, 1, 2, 3])
    rig.outcome.withLock { $0 = .accepted }
    rig.clock.advance(by: .seconds(2))
    #expect(rig.offered.withLock { $0 } == [1, 1, 2, 3, 1, 2, 3])
    #expect(rig.paces.withLock { $0 } == [true, false])
    #expect(rig.marks.withLock { $0 } == [1, 3, 6])
    #expect(deliveries.heldBytes == 0)
  }

  @Test func `waits grow up to the longest, and are as long as was asked for`() {
    let rig = Rig()
    let deliveries = rig.deliveries()
    rig.outcome.withLock { $0 = .refused(reason: "full", after: nil) }
    deliveries.deliver(Self.batch(1))
    rig.clock.advance(by: .seconds(60))
    let soon = rig.offered.withLock { $0.count }
    #expect((6...12).contains(soon), "\(soon) offers in a minute")
    rig.clock.advance(by: .seconds(600))
    let later = rig.offered.withLock { $0.count } - soon
    #expect((15...28).contains(later), "\(later) offers in ten minutes")
    rig.outcome.withLock { $0 = .refused(reason: "full", after: .seconds(300)) }
    rig.clock.advance(by: .seconds(60))
    let before = rig.offered.withLock { $0.count }
    rig.clock.advance(by: .seconds(200))
    #expect(rig.offered.withLock { $0.count } == before)
  }

  @Test func `reading pauses when much is under way, and goes on when half of it is taken`() throws {
    let rig = Rig()
    let size = Self.batch(10).byteCount
    let consumer = CollectingConsumer(answering: nil)
    let deliveries = LogDeliveries(
      output: consumer, retry: LogRetryConfig(), capacity: 4 * size, context: rig.context,
      pacing: { isPaused in rig.paces.withLock { $0.append(isPaused) } })
    for _ in 0..<3 { deliveries.deliver(Self.batch(10)) }
    #expect(rig.paces.withLock { $0 } == [])
    #expect(!deliveries.isFull)
    deliveries.deliver(Self.batch(10))
    #expect(rig.paces.withLock { $0 } == [true])
    #expect(deliveries.isFull)
    consumer.arrivals[3].completion.resolve(.accepted)
    #expect(rig.paces.withLock { $0 } == [true])
    consumer.arrivals[1].completion.resolve(.rejected(reason: "no"))
    #expect(rig.paces.withLock { $0 } == [true, false])
    for arrival in consumer.arrivals { arrival.completion.resolve(.accepted) }
  }

  @Test func `marks are told in order, whatever order batches are taken in`() {
    let rig = Rig()
    let consumer = CollectingConsumer(answering: nil)
    let deliveries = LogDeliveries(
      output: consumer, retry: LogRetryConfig(), capacity: 1 << 20, context: rig.context, pacing: { _ in },
      settled: { mark in rig.marks.withLock { $0.append(mark) } })
    for mark in 1...4 { deliveries.deliver(Self.batch(1), mark: mark * 10) }
    deliveries.deliver(Batch(signal: .logs), mark: 50)
    consumer.arrivals[2].completion.resolve(.accepted)
    consumer.arrivals[1].completion.resolve(.partial(rejected: 1, message: "no"))
    #expect(rig.marks.withLock { $0 } == [])
    consumer.arrivals[0].completion.resolve(.accepted)
    #expect(rig.marks.withLock { $0 } == [30])
    consumer.arrivals[3].completion.resolve(.accepted)
    #expect(rig.marks.withLock { $0 } == [30, 50])
  }

  @Test func `at the end what is refused is given up after some time, and counted`() async {
    let rig = Rig()
    let deliveries = rig.deliveries()
    rig.outcome.withLock { $0 = .refused(reason: "full", after: nil) }
    deliveries.deliver(Self.batch(3))
    deliveries.deliver(Self.batch(4))
    async let drained: Void = deliveries.drain(within: .seconds(10))
    while rig.clock.pendingTimers < 2 { await Task.yield() }
    rig.clock.advance(by: .seconds(11))
    await drained
    #expect(rig.ledger(.dropped) == 7)
    #expect(rig.ledger(.received) == 7)
  }

  @Test func `a drain without end returns when all is taken`() async {
    let rig = Rig()
    let deliveries = rig.deliveries()
    await deliveries.drain(within: nil)
    rig.outcome.withLock { $0 = .refused(reason: "full", after: nil) }
    deliveries.deliver(Self.batch(3))
    async let drained: Void = deliveries.drain(within: nil)
    while rig.offered.withLock({ $0.count }) < 2 { await Task.yield() }
    rig.outcome.withLock { $0 = .accepted }
    while deliveries.heldBytes > 0 {
      rig.clock.advance(by: .seconds(1))
      await Task.yield()
    }
    await drained
    #expect(rig.ledger(.dropped) == 0)
  }
}
