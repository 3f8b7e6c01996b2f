import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Engine

/// Senders that keep the readers' pace, next to offers and readers that want more.
@Suite struct ChannelPaceTests {
  private let size = Batch.spans(10).footprint

  private func channel(_ limits: ChannelLimits, clock: TestClock = TestClock()) -> Channel {
    Channel(limits: limits, clock: clock) { _, _, _ in }
  }

  private func paced(_ batches: Int, capacity: Int = 100) -> ChannelLimits {
    var limits = ChannelLimits(sizer: .requests, capacity: capacity)
    limits.paceBytes = batches * size
    return limits
  }

  private func taken(from channel: Channel) -> Completion? {
    guard let delivery = channel.poll() else { return nil }
    return delivery.completion
  }

  @Test func `an offer passes by a sender that only keeps the pace`() async {
    let channel = channel(paced(1))
    await channel.send(Delivery(.spans(10), completion: .detached()))
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await channel.send(Delivery(.spans(10), completion: .detached())) }
      while channel.load.items < 20 { await Task.yield() }
      let probe = OutcomeProbe()
      channel.offer(Delivery(.spans(1), handler: probe))
      #expect(probe.outcome == nil && channel.load.size == 2)
      channel.abort()
    }
  }

  @Test func `what was let in at once wakes as many readers`() async {
    let channel = channel(paced(4))
    await channel.send(Delivery(.spans(40), completion: .detached()))
    let large = taken(from: channel)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask { await channel.send(Delivery(.spans(10), completion: .detached())) }
      }
      while channel.load.items < 30 { await Task.yield() }
      let read = Milestone()
      for _ in 0..<3 {
        group.addTask {
          // Each reader holds what it took until all have something.
          guard case .delivery(let delivery) = await channel.next(before: nil) else { return }
          if channel.load.items == 0 { read.reach() }
          await read.wait()
          delivery.resolve(.accepted)
        }
      }
      for _ in 0..<50 { await Task.yield() }
      large?.resolve(.accepted)
    }
    #expect(channel.load.items == 0)
  }

  @Test func `a reader that gathers more than the pace allows is given more`() async {
    let clock = TestClock()
    let channel = channel(paced(2), clock: clock)
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        for _ in 0..<6 { await channel.send(Delivery(.spans(10), completion: .detached())) }
      }
      var completions: [Completion] = []
      while completions.count < 6 {
        guard
          case .delivery(let delivery) = await channel.next(before: clock.now + .seconds(1), gathering: 1)
        else { return }
        completions.append(delivery.completion)
      }
      for completion in completions { completion.resolve(.accepted) }
    }
    #expect(channel.load.items == 0)
  }

  @Test func `the end lets in those that kept the pace`() async {
    let channel = channel(paced(1))
    await channel.send(Delivery(.spans(10), completion: .detached()))
    let taken = taken(from: channel)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await channel.send(Delivery(.spans(10), completion: .detached())) }
      while channel.load.items < 10 { await Task.yield() }
      channel.close()
      guard case .delivery(let late) = await channel.next(before: nil) else {
        Issue.record("closed with a sender waiting")
        return channel.abort()
      }
      late.resolve(.accepted)
    }
    taken?.resolve(.accepted)
  }

  @Test func `offers that wait share one timer, and a large one that expires lets small ones in`() async {
    let clock = TestClock()
    var limits = ChannelLimits(sizer: .items, capacity: 10, patience: .seconds(2))
    limits.maxBytes = 1 << 20
    let channel = channel(limits, clock: clock)
    channel.offer(Delivery(.spans(6), completion: .detached()))
    let (large, small) = (OutcomeProbe(), OutcomeProbe())
    channel.offer(Delivery(.spans(9), handler: large))
    clock.advance(by: .seconds(1))
    channel.offer(Delivery(.spans(2), handler: small))
    for _ in 0..<100 { channel.offer(Delivery(.spans(1), completion: .detached())) }
    #expect(clock.pendingTimers == 1)
    clock.advance(by: .milliseconds(1500))
    #expect(large.outcome == .refused(reason: "the queue is full", after: .seconds(1)))
    #expect(small.outcome == nil && channel.load.size == 10)
    clock.advance(by: .seconds(1))
    #expect(channel.load.items == 10 && clock.pendingTimers == 0)
    channel.abort()
  }

  @Test func `a delivery that has to wait wakes a reader that gathers`() async {
    let clock = TestClock()
    var limits = ChannelLimits(sizer: .requests, capacity: 100, patience: .seconds(2))
    limits.maxBytes = 10 * size
    let channel = channel(limits, clock: clock)
    let deadline = clock.now + .seconds(600)
    async let items = Self.next(channel, deadline)
    while clock.pendingTimers == 0 { await Task.yield() }
    channel.offer(Delivery(.spans(20), completion: .detached()))
    channel.offer(Delivery(.spans(95), completion: .detached()))
    #expect(await items == 20)
    channel.abort()
  }

  private static func next(_ channel: Channel, _ deadline: MonotonicInstant) async -> Int {
    guard case .delivery(let delivery) = await channel.next(before: deadline, gathering: 1000) else {
      return 0
    }
    return delivery.batch.itemCount
  }

  @Test func `timeouts end in time, and those not needed leave nothing behind`() async {
    let clock = TestClock()
    let timeouts = Timeouts(after: .seconds(5), clock: clock)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<20 { group.addTask { await timeouts.wait() } }
      while clock.pendingTimers == 0 { await Task.yield() }
      group.cancelAll()
      for await hasPassed in group { #expect(!hasPassed) }
    }
    #expect(clock.pendingTimers == 1)
    async let last = timeouts.wait()
    for _ in 0..<50 { await Task.yield() }
    while clock.pendingTimers > 0 { clock.advance(by: .seconds(5)) }
    #expect(await last)
  }
}
