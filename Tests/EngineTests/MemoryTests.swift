import Engine
import Foundation
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

private let mebibyte = 1 << 20

/// A tree of files as the kernel shows them.
private final class SystemTree {
  let root = FileManager.default.temporaryDirectory.appending(path: "millrace-memory-\(UUID())")

  init(_ files: [String: String]) throws {
    for (path, text) in files {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  var memory: SystemMemory { SystemMemory(root: root.path(), giveBack: {}) }
}

@Suite struct MemoryTests {
  static let machine = ["proc/meminfo": "MemTotal:        4096000 kB\nMemFree:          100 kB\n"]

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let files: [String: String]
    let mebibytes: Int
    let origin: String
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "no group at all", files: [:], mebibytes: 4000, origin: "machine"),
    Case(
      name: "version 2, in a container of its own",
      files: ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "134217728\n"],
      mebibytes: 128, origin: "cgroup v2 /"),
    Case(
      name: "version 2, a limit on the way up binds",
      files: [
        "proc/self/cgroup": "0::/system.slice/millrace.service\n",
        "sys/fs/cgroup/system.slice/millrace.service/memory.max": "536870912\n",
        "sys/fs/cgroup/system.slice/memory.max": "268435456\n",
      ], mebibytes: 256, origin: "cgroup v2 /system.slice"),
    Case(
      name: "version 2, no limit",
      files: ["proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"], mebibytes: 4000,
      origin: "machine"),
    Case(
      name: "version 2, the path is one of the host",
      files: [
        "proc/self/cgroup": "0::/kubepods/pod1/c1\n", "sys/fs/cgroup/memory.max": "67108864\n",
      ], mebibytes: 64, origin: "cgroup v2 /"),
    Case(
      name: "version 1",
      files: [
        "proc/self/cgroup": "5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n",
        "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "209715200\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      ], mebibytes: 200, origin: "cgroup v1 /docker/x"),
    Case(
      name: "version 1, no limit",
      files: [
        "proc/self/cgroup": "4:memory:/\n0::/\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      ], mebibytes: 4000, origin: "machine"),
    Case(
      name: "both, hybrid",
      files: [
        "proc/self/cgroup": "4:memory:/m\n0::/u\n",
        "sys/fs/cgroup/memory/m/memory.limit_in_bytes": "314572800\n",
        "sys/fs/cgroup/unified/u/memory.max": "104857600\n",
      ], mebibytes: 100, origin: "cgroup v2 /u"),
    Case(
      name: "a limit beyond the machine",
      files: ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1099511627776\n"], mebibytes: 4000,
      origin: "machine"),
    Case(
      name: "nonsense in the files",
      files: ["proc/self/cgroup": "garbage\n::\n0::/\n", "sys/fs/cgroup/memory.max": "lots\n"],
      mebibytes: 4000, origin: "machine"),
  ]

  @Test(arguments: cases)
  func `the least limit of group and machine is found`(example: Case) throws {
    let tree = try SystemTree(example.files.merging(Self.machine) { first, _ in first })
    let capacity = tree.memory.capacity()
    #expect(capacity.bytes == example.mebibytes * mebibyte)
    #expect(capacity.origin == example.origin)
  }

  @Test func `without any file nothing is known`() throws {
    let tree = try SystemTree([:])
    #expect(tree.memory.capacity().bytes == nil)
    #expect(tree.memory.residentBytes() == nil)
  }

  @Test func `resident memory is read in pages`() throws {
    let tree = try SystemTree(["proc/self/statm": "9000 2500 700 1 0 800 0\n"])
    #expect(tree.memory.residentBytes() == 2500 * Int(sysconf(Int32(_SC_PAGESIZE))))
    let own = try #require(SystemMemory(giveBack: {}).residentBytes())
    #expect(own > mebibyte)
  }

  @Test(arguments: [
    (nil, 1, 256, 256), (64 * 1024, 1, 256, 256), (128, 1, 32, 32), (128, 4, 32, 16), (128, 100, 32, 4),
    (1000, 2, 250, 250),
  ])
  func `defaults fit the memory there is`(total: Int?, queues: Int, requests: Int, queue: Int) {
    let memory = ProcessMemory(source: FakeMemory(total: total.map { $0 * mebibyte }))
    memory.configure(requests: nil, queue: nil, queues: queues)
    #expect(memory.requests.limit == requests * mebibyte)
    #expect(memory.queueLimit == queue * mebibyte)
    #expect(memory.queueCeiling >= queue * mebibyte * 7 / 8 && memory.queueCeiling >= (queue - 20) * mebibyte)
    memory.configure(requests: 7 * mebibyte, queue: 9 * mebibyte, queues: queues)
    #expect(memory.requests.limit == 7 * mebibyte && memory.queueLimit == 9 * mebibyte)
  }

  @Test func `a queue that counts requests ends at the bytes it may hold`() async throws {
    let memory = ProcessMemory(source: FakeMemory(total: 16 * mebibyte))
    let probe = Probe("ceiling") { _ in
      try? await Task.sleep(for: .seconds(3600))
      return .refused(reason: "down", after: nil)
    }
    let collector = try TestCollector(
      """
      receivers: {probe: {probe: ceiling}}
      exporters: {probe: {probe: ceiling, timeout: 0s, sending_queue: {num_consumers: 1}}}
      service: {pipelines: {traces: {receivers: [probe], exporters: [probe]}}}
      """, memory: memory)
    let batch = Batch.spans(20_000)
    let balances = try await collector.run(drainTimeout: .zero) { _ in
      await probe.started.wait()
      var taken = 0
      for _ in 0..<20 {
        let outcome = OutcomeProbe()
        probe.offer(batch, handler: outcome)
        if outcome.outcome == .accepted { taken += batch.footprint }
      }
      // Between the queue and a worker a batch is nobody's for a moment.
      while memory.inFlight < taken { await Task.yield() }
      #expect(memory.queueLimit == 4 * mebibyte)
      // The first is under way, and passes in any case.
      #expect(taken > 2 * mebibyte && taken <= memory.queueCeiling + batch.footprint)
    }
    #expect(balances[0].unaccounted == 0)
    #expect(memory.inFlight == 0)
  }

  @Test func `requests over all servers close every receiver`() async throws {
    let memory = ProcessMemory(source: FakeMemory())
    let probe = Probe("whole")
    let collector = try TestCollector(
      """
      receivers: {probe: {probe: whole}}
      exporters: {probe: {probe: whole}}
      service:
        memory: {request_limit: 1MiB}
        pipelines: {traces: {receivers: [probe], exporters: [probe]}}
      """, memory: memory)
    _ = try await collector.run { _ in
      await probe.started.wait()
      #expect(probe.refusal == nil)
      #expect(memory.requests.take(mebibyte))
      #expect(probe.refusal == "too many request bytes are under way, try again later")
      memory.requests.give(mebibyte)
      #expect(probe.refusal == nil)
    }
  }

  @Test func `a shared budget refuses what goes over it and asks every server to make room`() {
    let budget = ByteBudget(limit: 100)
    final class Server: Sendable {}
    let calls = OutcomeProbe()
    var server: Server? = Server()
    budget.join(server!, largest: 50) { calls.resolved(.accepted) }
    #expect(budget.take(90))
    #expect(!budget.take(11))
    #expect(budget.held == 90 && calls.count == 1)
    server = nil
    #expect(!budget.take(11))
    #expect(calls.count == 1)
    budget.give(90)
    budget.setLimit(10)
    // The largest single request always fits.
    #expect(budget.limit == 50)
  }

  @Test(arguments: [QueueSizer.requests, .bytes])
  func `what a worker has taken takes up room until it is done`(sizer: QueueSizer) async {
    let size = Batch.spans(10).footprint
    var limits =
      sizer == .bytes
      ? ChannelLimits(sizer: .bytes, capacity: 2 * size)
      : ChannelLimits(sizer: .requests, capacity: 100, maxBytes: 2 * size)
    limits.countsTaken = true
    let channel = Channel(limits: limits, clock: TestClock()) { _, _, _ in }
    for _ in 0..<2 { channel.offer(Delivery(.spans(10), completion: .detached())) }
    _ = await channel.next(before: nil)
    let early = OutcomeProbe()
    channel.offer(Delivery(.spans(10), handler: early))
    #expect(early.outcome == .refused(reason: "the queue is full", after: .seconds(1)))
    _ = await channel.next(before: nil)
    // Also with nothing left in the channel.
    let second = OutcomeProbe()
    channel.offer(Delivery(.spans(10), handler: second))
    #expect(second.outcome != nil)
    async let waiting: Void = channel.send(Delivery(.spans(10), completion: .detached()))
    channel.release(size)
    await waiting
    #expect(channel.load.items == 10)
    channel.release(size)
    let late = OutcomeProbe()
    channel.offer(Delivery(.spans(10), handler: late))
    #expect(late.outcome == nil && channel.load.items == 20)
    channel.abort()
  }

  @Test func `once one has waited in vain, nobody waits until something is read`() async {
    let clock = TestClock()
    var limits = ChannelLimits(sizer: .requests, capacity: 1, patience: .seconds(2))
    limits.refusesWhenStuck = true
    let channel = Channel(limits: limits, clock: clock) { _, _, _ in }
    channel.offer(Delivery(.spans(1), completion: .detached()))
    let (first, second, third) = (OutcomeProbe(), OutcomeProbe(), OutcomeProbe())
    channel.offer(Delivery(.spans(1), handler: first))
    #expect(first.outcome == nil)
    clock.advance(by: .seconds(3))
    #expect(first.outcome != nil)
    channel.offer(Delivery(.spans(1), handler: second))
    #expect(second.outcome == .refused(reason: "the queue is full", after: .seconds(1)))
    _ = await channel.next(before: nil)
    channel.offer(Delivery(.spans(1), completion: .detached()))
    channel.offer(Delivery(.spans(1), handler: third))
    #expect(third.outcome == nil)
    channel.abort()
  }

  @Test func `free memory is given back while there is a backlog, and seldom otherwise`() async {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    func check(_ seconds: Double) async {
      await memory.check(at: MonotonicInstant(nanoseconds: Int64(seconds * 1e9)))
    }
    source.resident = 20 * mebibyte
    await check(0)
    // As much free as is let be.
    source.resident = 50 * mebibyte
    await check(1)
    #expect(source.timesGivenBack == 0)
    source.resident = 60 * mebibyte
    for second in 2...11 { await check(Double(second)) }
    #expect(source.timesGivenBack == 1)
    // A backlog of 100 MiB, and 20 MiB that are free.
    memory.queued(100 * mebibyte)
    source.resident = 140 * mebibyte
    for second in 12...14 { await check(Double(second)) }
    #expect(source.timesGivenBack == 4)
    source.resident = 127 * mebibyte
    await check(16)
    #expect(source.timesGivenBack == 4)
    memory.queued(-100 * mebibyte)
  }
}
