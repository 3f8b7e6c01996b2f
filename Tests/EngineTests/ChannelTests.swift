import Engine
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

@Suite struct ChannelTests {
  final class Ends: Sendable {
    let all = Mutex<[String]>([])
    var list: [String] { all.withLock { $0 } }
  }

  final class Count: Sendable {
    private let number = Mutex(0)
    var value: Int { number.withLock { $0 } }
    func add() { number.withLock { $0 += 1 } }
  }

  func channel(_ limits: ChannelLimits, clock: TestClock = TestClock(), ends: Ends = Ends()) -> Channel {
    Channel(limits: limits, clock: clock) { batch, state, reason in
      ends.all.withLock { $0.append("\(batch.itemCount) \(state.rawValue) \(reason)") }
    }
  }

  @Test func `deliveries come out in the order they went in`() async {
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 8))
    for count in 1...5 { channel.offer(Delivery(.spans(count), completion: .detached())) }
    channel.close()
    var counts: [Int] = []
    while case .delivery(let delivery) = await channel.next(before: nil) {
      counts.append(delivery.batch.itemCount)
    }
    #expect(counts == [1, 2, 3, 4, 5])
  }

  @Test(arguments: [(QueueSizer.requests, 2), (.items, 20), (.bytes, 2 * Batch.spans(10).footprint)])
  func `a full channel refuses retryably`(sizer: QueueSizer, capacity: Int) {
    let ends = Ends()
    let channel = channel(ChannelLimits(sizer: sizer, capacity: capacity), ends: ends)
    let probes = (0..<3).map { _ in OutcomeProbe() }
    for probe in probes { channel.offer(Delivery(.spans(10), handler: probe)) }
    #expect(probes[0].outcome == nil && probes[1].outcome == nil)
    #expect(probes[2].outcome == .refused(reason: "the queue is full", after: .seconds(1)))
    #expect(ends.list == ["10 refused queue_full"])
    #expect(channel.load.items == 20)
    channel.abort()
  }

  @Test func `a delivery larger than the capacity passes when the channel is empty`() async {
    let channel = channel(ChannelLimits(sizer: .items, capacity: 5))
    channel.offer(Delivery(.spans(50), completion: .detached()))
    guard case .delivery(let delivery) = await channel.next(before: nil) else {
      Issue.record("nothing came out")
      return
    }
    #expect(delivery.batch.itemCount == 50)
  }

  @Test func `an offer waits for room and is refused when its patience ends`() async {
    let clock = TestClock()
    let ends = Ends()
    let channel = channel(
      ChannelLimits(sizer: .requests, capacity: 1, patience: .seconds(2)), clock: clock, ends: ends)
    channel.offer(Delivery(.spans(1), completion: .detached()))
    let (moved, expired) = (OutcomeProbe(), OutcomeProbe())
    channel.offer(Delivery(.spans(2), handler: moved))
    channel.offer(Delivery(.spans(3), handler: expired))
    _ = await channel.next(before: nil)
    clock.advance(by: .seconds(3))
    #expect(expired.outcome == .refused(reason: "the queue is full", after: .seconds(1)))
    #expect(moved.outcome == nil)
    if case .delivery(let delivery) = await channel.next(before: nil) {
      #expect(delivery.batch.itemCount == 2)
      delivery.resolve(.accepted)
    }
    #expect(moved.outcome == .accepted)
    #expect(ends.list == ["3 refused queue_full"])
  }

  @Test func `what an answered sender gave is dropped, not refused`() {
    let ends = Ends()
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 1), ends: ends)
    channel.offer(Delivery(.spans(1), completion: .detached()))
    channel.offer(Delivery(.spans(4), completion: .detached()))
    #expect(ends.list == ["4 dropped queue_full"])
  }

  @Test func `a channel that answers on intake accepts once and detaches`() async {
    let ends = Ends()
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 2, answer: .onIntake), ends: ends)
    let probe = OutcomeProbe()
    channel.offer(Delivery(.spans(1), handler: probe))
    #expect(probe.outcome == .accepted)
    if case .delivery(let delivery) = await channel.next(before: nil) {
      #expect(!delivery.completion.isAwaited)
      delivery.resolve(.rejected(reason: "late"))
    }
    #expect(probe.count == 1)
  }

  @Test func `a sender that can wait suspends until there is room`() async {
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 1))
    channel.offer(Delivery(.spans(1), completion: .detached()))
    await withTaskGroup(of: Int.self) { group in
      group.addTask {
        await channel.send(Delivery(.spans(2), completion: .detached()))
        return 0
      }
      group.addTask {
        var items = 0
        for _ in 0..<2 {
          if case .delivery(let delivery) = await channel.next(before: nil) {
            items += delivery.batch.itemCount
          }
        }
        return items
      }
      var total = 0
      for await items in group { total += items }
      #expect(total == 3)
    }
  }

  @Test func `a reader gets its deadline when nothing comes`() async {
    let clock = TestClock()
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 1), clock: clock)
    let deadline = clock.now + .milliseconds(200)
    async let event = isDeadline(channel, deadline)
    while clock.pendingTimers == 0 { await Task.yield() }
    clock.advance(by: .milliseconds(200))
    #expect(await event)
  }

  private func isDeadline(_ channel: Channel, _ deadline: MonotonicInstant) async -> Bool {
    if case .deadline = await channel.next(before: deadline) { return true }
    return false
  }

  @Test func `a gathering reader is woken by enough items, not by the first`() async {
    let clock = TestClock()
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 100), clock: clock)
    async let items = gathered(channel, 10, clock.now + .seconds(1))
    while clock.pendingTimers == 0 { await Task.yield() }
    for _ in 0..<3 { channel.offer(Delivery(.spans(3), completion: .detached())) }
    for _ in 0..<50 { await Task.yield() }
    #expect(channel.load.items == 9, "nobody has read yet")
    channel.offer(Delivery(.spans(3), completion: .detached()))
    #expect(await items == 12)
    clock.advance(by: .seconds(2))
  }

  @Test func `a full channel or its end wakes a gathering reader`() async {
    for ending in ["full", "close"] {
      let clock = TestClock()
      let channel = channel(ChannelLimits(sizer: .requests, capacity: 4), clock: clock)
      async let items = gathered(channel, 1000, clock.now + .seconds(1))
      while clock.pendingTimers == 0 { await Task.yield() }
      channel.offer(Delivery(.spans(1), completion: .detached()))
      if ending == "full" {
        channel.offer(Delivery(.spans(1), completion: .detached()))
        #expect(await items == 2)
      } else {
        channel.close()
        #expect(await items == 1)
      }
    }
  }

  /// Waits once with a threshold, then takes what there is.
  private func gathered(_ channel: Channel, _ threshold: Int, _ deadline: MonotonicInstant) async -> Int {
    guard case .delivery(let first) = await channel.next(before: deadline, gathering: threshold) else {
      return 0
    }
    var items = first.batch.itemCount
    while let delivery = channel.poll() { items += delivery.batch.itemCount }
    return items
  }

  private func taken(from channel: Channel) -> Completion? {
    guard let delivery = channel.poll() else { return nil }
    return delivery.completion
  }

  @Test func `a sender that can wait keeps the readers' pace, unless they wait themselves`() async {
    let size = Batch.spans(10).footprint
    var limits = ChannelLimits(sizer: .requests, capacity: 100)
    limits.paceBytes = 2 * size
    let channel = channel(limits)
    let sent = Count()
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for _ in 0..<6 {
          await channel.send(Delivery(.spans(10), completion: .detached()))
          sent.add()
        }
      }
      while channel.load.items < 30 { await Task.yield() }
      #expect(sent.value == 2, "the third waits")
      let taken = self.taken(from: channel)
      for _ in 0..<50 { await Task.yield() }
      #expect(sent.value == 2, "what is taken is still under way")
      taken?.resolve(.accepted)
      while sent.value < 3 { await Task.yield() }
      // The backend is down: the queue takes what it can.
      channel.beginStall()
      await group.waitForAll()
    }
    #expect(channel.load.size == 5)
    // Offers are not paced: their senders would have to be refused.
    let probe = OutcomeProbe()
    channel.endStall()
    channel.offer(Delivery(.spans(10), handler: probe))
    #expect(channel.load.size == 6 && probe.outcome == nil)
    channel.abort()
  }

  @Test func `an abort ends everything that waits`() async {
    let ends = Ends()
    let channel = channel(
      ChannelLimits(sizer: .requests, capacity: 1, patience: .seconds(9)), ends: ends)
    let (queued, parked) = (OutcomeProbe(), OutcomeProbe())
    channel.offer(Delivery(.spans(1), handler: queued))
    channel.offer(Delivery(.spans(2), handler: parked))
    channel.abort()
    #expect(queued.outcome?.severity == 3 && parked.outcome?.severity == 3)
    #expect(ends.list == ["1 refused shutdown_deadline", "2 refused shutdown_deadline"])
    if case .closed = await channel.next(before: nil) {} else { Issue.record("not closed") }
    let late = OutcomeProbe()
    channel.offer(Delivery(.spans(3), handler: late))
    #expect(late.outcome == .refused(reason: "the collector is shutting down", after: .seconds(1)))
  }

  @Test func `many senders and readers lose and repeat nothing`() async {
    let channel = channel(ChannelLimits(sizer: .requests, capacity: 3))
    let total = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          var items = 0
          while case .delivery(let delivery) = await channel.next(before: nil) {
            items += delivery.batch.itemCount
          }
          return items
        }
      }
      await withTaskGroup(of: Void.self) { senders in
        for _ in 0..<8 {
          senders.addTask {
            for _ in 0..<200 { await channel.send(Delivery(.spans(1), completion: .detached())) }
          }
        }
      }
      channel.close()
      return await group.reduce(0, +)
    }
    #expect(total == 1600)
  }
}
