import ConfigSchema
import Engine
import PipelineKit
import PipelineTestKit
import Processors
import Synchronization
import TelemetryData
import Testing

private let mebibyte = 1 << 20

@Suite struct MemoryLimiterTests {
  static let catalog = Catalog.testing(processors: [MemoryLimiterProcessor.self, BatchProcessor.self])

  static func yaml(_ probe: String, settings: String, processors: String = "[memory_limiter]") -> String {
    """
    receivers: {probe: {probe: \(probe)}}
    processors:
      memory_limiter: \(settings)
      batch: {timeout: 0s}
    exporters: {probe: {probe: \(probe)}}
    service:
      pipelines:
        traces: {receivers: [probe], processors: \(processors), exporters: [probe]}
    """
  }

  struct Settings: Sendable, CustomTestStringConvertible {
    let yaml: String
    let soft: Int
    let hard: Int
    var testDescription: String { yaml }
  }

  @Test(arguments: [
    Settings(yaml: "{check_interval: 1s, limit_mib: 100}", soft: 80, hard: 100),
    Settings(yaml: "{check_interval: 1s, limit_mib: 100, spike_limit_mib: 10}", soft: 90, hard: 100),
    Settings(yaml: "{check_interval: 1s, limit_percentage: 50}", soft: 400, hard: 500),
    Settings(
      yaml: "{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 30}", soft: 200, hard: 500),
    Settings(yaml: "{check_interval: 1s, limit_mib: 100, limit_percentage: 50}", soft: 80, hard: 100),
  ])
  func `limits come from mebibytes or from percent of what there is`(settings: Settings) throws {
    let (loaded, _) = ConfigLoader.load(sources: [.text(settings.yaml, name: "test.yaml")])
    let node = try #require(loaded)
    var diagnostics = Diagnostics()
    let decoded = ConfigDecoder.decode(
      MemoryLimiterConfig.self, from: node, path: "", diagnostics: &diagnostics)
    let config = try #require(decoded)
    let limits = config.limits(of: MemoryCapacity(bytes: 1000 * mebibyte, origin: "test"))
    #expect(limits?.soft == settings.soft * mebibyte && limits?.hard == settings.hard * mebibyte)
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    let yaml: String
    let expected: String
    var testDescription: String { yaml }
  }

  @Test(arguments: [
    Mistake(yaml: "{limit_mib: 100}", expected: "check_interval"),
    Mistake(yaml: "{check_interval: 0s, limit_mib: 100}", expected: "must be greater than zero"),
    Mistake(
      yaml: "{check_interval: 1s}", expected: "limit_mib or limit_percentage must be greater than zero"),
    Mistake(
      yaml: "{check_interval: 1s, limit_mib: 100, spike_limit_mib: 100}", expected: "must be smaller than"),
    Mistake(
      yaml: "{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 60}",
      expected: "must be smaller than"),
    Mistake(yaml: "{check_interval: 1s, limit_percentage: 101}", expected: "must be from 0 to 100"),
    Mistake(
      yaml: "{check_interval: 1s, limit_mib: 99999999999999}", expected: "must be from 0 to 1073741824"),
  ])
  func `what cannot work is refused by check`(mistake: Mistake) {
    let (plan, diagnostics) = TestCollector.plan(
      Self.yaml("none", settings: mistake.yaml), catalog: Self.catalog)
    #expect(plan == nil)
    #expect(diagnostics.render().contains(mistake.expected))
  }

  @Test func `keys of the garbage collector are accepted with a note`() {
    let (plan, diagnostics) = TestCollector.plan(
      Self.yaml(
        "none",
        settings: "{check_interval: 1s, limit_mib: 100, min_gc_interval_when_soft_limited: 10s, "
          + "max_gc_interval_when_hard_limited: 30s}"), catalog: Self.catalog)
    #expect(plan != nil && diagnostics.count(.note) == 2)
  }

  @Test(arguments: [
    ("[batch, memory_limiter]", "it drops what it does not take"), ("[memory_limiter, batch]", ""),
  ])
  func `check warns when it is not the first processor`(processors: String, expected: String) {
    let (plan, diagnostics) = TestCollector.plan(
      Self.yaml("none", settings: "{check_interval: 1s, limit_mib: 100}", processors: processors),
      catalog: Self.catalog)
    #expect(plan != nil && diagnostics.count(.warning) == (expected.isEmpty ? 0 : 1))
    #expect(expected.isEmpty || diagnostics.render().contains(expected))
  }

  @Test func `above the soft limit everything is refused, and below it taken again`() async throws {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    let clock = TestClock()
    let probe = Probe("limited")
    let collector = try TestCollector(
      Self.yaml("limited", settings: "{check_interval: 1s, limit_mib: 100, spike_limit_mib: 20}"),
      catalog: Self.catalog, clock: clock, memory: memory)
    source.resident = 79 * mebibyte
    let balances = try await collector.run { collector in
      await probe.started.wait()
      await memory.check(at: clock.now)
      #expect(probe.refusal == nil)
      #expect(await probe.send(.spans(3)) == .accepted)

      source.resident = 81 * mebibyte
      await memory.check(at: clock.now)
      let reason = "memory use is above the limit of memory_limiter, try again later"
      #expect(probe.refusal == reason)
      #expect(await probe.send(.spans(5)) == .refused(reason: reason, after: .seconds(1)))
      let refused = OutcomeProbe()
      probe.offer(.spans(2), handler: refused)
      #expect(refused.outcome == .refused(reason: reason, after: .seconds(1)))
      #expect(collector.metric("millrace_memory_limiter_refusing") == 1)

      source.resident = 60 * mebibyte
      await memory.check(at: clock.now)
      #expect(probe.refusal == nil)
      #expect(await probe.send(.spans(7)) == .accepted)
    }
    #expect(balances[0].items(.refused) == 7 && balances[0].items(.received) == 17)
    #expect(balances[0].unaccounted == 0)
    #expect(probe.exportedItems == 10)
    #expect(collector.metric("otelcol_processor_refused_spans", ["processor": "memory_limiter"]) == 7)
    #expect(collector.metric("otelcol_processor_accepted_spans", ["processor": "memory_limiter"]) == 10)
    #expect(collector.metric("otelcol_receiver_refused_spans", ["receiver": "probe"]) == 7)
    #expect(memory.inFlight == 0)
  }

  @Test func `behind a processor that answered for it, what is refused is dropped and counted`() async throws
  {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    let clock = TestClock()
    let probe = Probe("late")
    let collector = try TestCollector(
      Self.yaml(
        "late", settings: "{check_interval: 1s, limit_mib: 100}", processors: "[batch, memory_limiter]"),
      catalog: Self.catalog, clock: clock, memory: memory)
    source.resident = 200 * mebibyte
    let balances = try await collector.run { _ in
      await probe.started.wait()
      await memory.check(at: clock.now)
      // The receiver is not closed by what stands behind a channel.
      #expect(probe.refusal == nil)
      #expect(await probe.send(.spans(4)) == .accepted)
    }
    #expect(balances[0].items(.dropped) == 4 && balances[0].unaccounted == 0)
    #expect(probe.exportedItems == 0)
  }

  @Test func `what is admitted between two readings counts at once`() async {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    let watch = memory.watch(
      ComponentID(kind: .processor, type: "memory_limiter"),
      .init(soft: 100, hard: 120, interval: .seconds(1)))
    source.resident = 90
    await memory.check(at: MonotonicInstant(nanoseconds: 0))
    #expect(!watch.isOverSoftLimit)
    memory.queued(10)
    #expect(memory.used == 100 && !watch.isOverSoftLimit)
    memory.queued(1)
    #expect(memory.used == 101 && watch.isOverSoftLimit)
    // Once it has been read, resident memory contains it.
    source.resident = 95
    await memory.check(at: MonotonicInstant(nanoseconds: 1))
    #expect(memory.used == 95 && !watch.isOverSoftLimit)
    // What is gone is not free before that has been read.
    memory.queued(-11)
    #expect(memory.used == 95)
  }

  @Test func `bytes of requests count as in flight`() async {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    source.resident = 50
    await memory.check(at: MonotonicInstant(nanoseconds: 0))
    #expect(memory.requests.take(25))
    #expect(memory.inFlight == 25 && memory.used == 75)
    memory.requests.give(25)
    #expect(memory.inFlight == 0)
  }

  @Test func `memory that was freed is given back before anything is refused, once a second`() async {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    let levels = Mutex<[String]>([])
    let watch = memory.watch(
      ComponentID(kind: .processor, type: "memory_limiter"),
      .init(soft: 100, hard: 120, interval: .seconds(1)))
    watch.observe { before, now, used in
      levels.withLock { $0.append("\(before.map { "\($0)" } ?? "none") \(now) \(used)") }
    }
    source.resident = 110
    source.willShrink(to: 70)
    await memory.check(at: MonotonicInstant(nanoseconds: 0))
    #expect(source.timesGivenBack == 1 && !watch.isOverSoftLimit)
    source.resident = 130
    for milliseconds in [100, 200, 900] {
      await memory.check(at: MonotonicInstant(nanoseconds: Int64(milliseconds) * 1_000_000))
    }
    #expect(source.timesGivenBack == 1 && watch.isOverSoftLimit)
    await memory.check(at: MonotonicInstant(nanoseconds: 1_000_000_000))
    #expect(source.timesGivenBack == 2)
    source.resident = 90
    await memory.check(at: MonotonicInstant(nanoseconds: 1_100_000_000))
    #expect(levels.withLock { $0 } == ["none normal 70", "normal hard 130", "hard normal 90"])
  }

  @Test func `processors of one component share a watch, and other limits make another`() {
    let memory = ProcessMemory(source: FakeMemory())
    let id = ComponentID(kind: .processor, type: "memory_limiter")
    let first = memory.watch(id, .init(soft: 1, hard: 2, interval: .seconds(1)))
    #expect(memory.watch(id, .init(soft: 1, hard: 2, interval: .seconds(1))) === first)
    #expect(memory.watch(id, .init(soft: 1, hard: 3, interval: .seconds(1))) !== first)
  }

  @Test func `readings come at the interval that is asked for`() async {
    let source = FakeMemory()
    let memory = ProcessMemory(source: source)
    let clock = TestClock()
    let watch = memory.watch(
      ComponentID(kind: .processor, type: "memory_limiter"),
      .init(soft: 100, hard: 120, interval: .milliseconds(200)))
    let readings = AsyncStream.makeStream(of: Int.self)
    watch.observe { _, _, used in readings.continuation.yield(used) }
    source.resident = 50
    let task = Task { await memory.run(clock: clock) }
    var values = readings.stream.makeAsyncIterator()
    #expect(await values.next() == 50)
    source.resident = 110
    while clock.pendingTimers == 0 { await Task.yield() }
    clock.advance(by: .milliseconds(199))
    #expect(!watch.isOverSoftLimit)
    clock.advance(by: .milliseconds(1))
    #expect(await values.next() == 110)
    #expect(watch.isOverSoftLimit)
    task.cancel()
    await task.value
  }
}
