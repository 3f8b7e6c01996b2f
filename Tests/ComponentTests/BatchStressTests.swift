import ConfigSchema
import Engine
import Foundation
import PipelineKit
import PipelineTestKit
import Processors
import SeededRandom
import Synchronization
import TelemetryData
import Testing

/// Whole collectors, made up from a seed: topology, settings, senders, backends and the moment of the end.
///
/// Whatever they are, each delivery gets one outcome, the account balances, and nothing is delivered twice.
@Suite(.timeLimit(.minutes(5))) struct BatchStressTests {
  /// One after the other: each drives its clock as fast as it can.
  @Test func `every made-up collector accounts for every item`() async throws {
    for seed in StressScenario.seeds {
      if StressScenario.isVerbose { print("seed \(seed)") }
      let problems = try await StressScenario(seed).run()
      #expect(problems.isEmpty, "seed \(seed)")
    }
  }
}

/// A backend that behaves as its seed says, and remembers what it took.
final class StressBackend: Sendable {
  private struct State {
    var numbers: SeededGenerator
    var taken: [String] = []
    var items = 0
  }
  private let state: Mutex<State>
  private let mood: Int
  private let clock: TestClock

  init(_ seed: UInt64, mood: Int, clock: TestClock) {
    state = Mutex(State(numbers: SeededGenerator(seed)))
    self.mood = mood
    self.clock = clock
  }

  /// Items taken, and the names of the spans of every batch of which something was taken.
  var result: (items: Int, names: [String]) { state.withLock { ($0.items, $0.taken) } }

  private func take(_ batch: Batch, rejecting rejected: Int = 0) -> Outcome {
    var names: [String] = []
    if batch.signal == .traces { batch.forEachSpan { _, _, span in names.append(span.name.string) } }
    state.withLock {
      $0.taken += names
      $0.items += batch.itemCount - max(0, min(rejected, batch.itemCount))
    }
    return rejected == 0 ? .accepted : .partial(rejected: rejected, message: "bad")
  }

  func answer(_ batch: Batch) async -> Outcome {
    let (roll, extra) = state.withLock { ($0.numbers.below(100), $0.numbers.below(batch.itemCount + 4)) }
    // Mood 0 is a good day, 1 a mixed one, 2 a bad one, 3 takes nothing at all, 4 hangs.
    let good = [100, 40, 10, 0, 0][mood]
    if roll < good { return take(batch) }
    if mood == 4 || (mood == 2 && roll > 95) {
      try? await clock.sleep(for: .seconds(3600))
      return .refused(reason: "hung", after: nil)
    }
    if mood == 3 { return .refused(reason: "down", after: nil) }
    switch roll % 4 {
    case 0: return .refused(reason: "busy", after: roll % 8 == 0 ? .milliseconds(extra) : nil)
    case 1: return take(batch, rejecting: extra - 1)
    case 2:
      do { try await clock.sleep(for: .milliseconds(extra)) } catch {
        return .refused(reason: "cancelled", after: nil)
      }
      return take(batch)
    default: return .rejected(reason: "never")
    }
  }
}

/// One made-up collector and its run.
struct StressScenario {
  static var isVerbose: Bool { ProcessInfo.processInfo.environment["MILLRACE_STRESS_SEEDS"] != nil }

  /// More with `MILLRACE_STRESS_SEEDS=FIRST-LAST`, which also names each one as it begins.
  static var seeds: [UInt64] {
    guard
      let range = ProcessInfo.processInfo.environment["MILLRACE_STRESS_SEEDS"]?.split(separator: "-")
        .compactMap({ UInt64($0) }),
      range.count == 2, range[0] <= range[1]
    else { return Array(1...40) }
    return Array(range[0]...range[1])
  }

  private let seed: UInt64
  private var numbers: SeededGenerator
  private let clock = TestClock()
  private var pipelines: [Pipeline] = []
  private var exporters: [(settings: String, isOrdered: Bool)] = []

  private struct Pipeline {
    let signal: Signal
    let receivers: [Int]
    let processors: [String]
    let exporters: [Int]
  }

  init(_ seed: UInt64) {
    self.seed = seed
    numbers = SeededGenerator(seed)
    for _ in 0..<1 + numbers.below(2) { exporters.append(makeExporter()) }
    for index in 0..<1 + numbers.below(3) {
      let both = numbers.chance(40)
      pipelines.append(
        Pipeline(
          signal: index == 2 ? .logs : .traces, receivers: both ? [0, 1] : [numbers.below(2)],
          processors: makeProcessors(),
          exporters: numbers.chance(50) ? Array(exporters.indices) : [numbers.below(exporters.count)]))
    }
  }

  private mutating func makeProcessors() -> [String] {
    var names: [String] = []
    if numbers.chance(25) { names.append("thinning") }
    if numbers.chance(70) { names.append(numbers.pick(["batch", "batch/cut", "batch/meta", "batch/long"])) }
    if numbers.chance(15) { names.append("thinning/two") }
    if numbers.chance(15) { names.append("batch/cut") }
    return names.enumerated().filter { names.firstIndex(of: $0.element) == $0.offset }.map(\.element)
  }

  private mutating func makeExporter() -> (settings: String, isOrdered: Bool) {
    var queue = "enabled: \(numbers.chance(85))"
    let consumers = 1 + numbers.below(3)
    queue += ", num_consumers: \(consumers)"
    let sizer = numbers.pick(["requests", "items", "bytes"])
    let sizes = ["requests": 1 + numbers.below(12), "items": 20 + numbers.below(400)]
    queue += ", sizer: \(sizer), queue_size: \(sizes[sizer] ?? 4000 + numbers.below(40_000))"
    queue += ", wait_for_result: \(numbers.chance(30)), block_on_overflow: \(numbers.chance(30))"
    if numbers.chance(40) {
      let isItems = numbers.chance(60)
      let (least, most) = isItems ? (1 + numbers.below(20), 20 + numbers.below(20)) : (500, 2000)
      queue += ", batch: {flush_timeout: \(numbers.pick(["5ms", "50ms", "30s"])), min_size: \(least)"
      queue += ", max_size: \(numbers.chance(60) ? most : 0), sizer: \(isItems ? "items" : "bytes")}"
    }
    let elapsed = numbers.pick(["0s", "60ms"])
    let retry =
      "enabled: \(numbers.chance(80)), initial_interval: 3ms, max_interval: 20ms, max_elapsed_time: \(elapsed)"
    let timeout = numbers.pick(["0s", "8ms", "200ms"])
    let settings = "sending_queue: {\(queue)}, retry_on_failure: {\(retry)}, timeout: \(timeout)"
    return (settings, consumers == 1 && queue.hasPrefix("enabled: true"))
  }

  private func yaml() -> String {
    let names = exporters.indices.map { "probe/e\($0): {probe: s\(seed)-e\($0), \(exporters[$0].settings)}" }
    let lines = pipelines.enumerated().map { index, pipeline in
      let receivers = pipeline.receivers.map { "probe/r\($0)" }.joined(separator: ", ")
      let exporters = pipeline.exporters.map { "probe/e\($0)" }.joined(separator: ", ")
      return "    \(pipeline.signal.rawValue)/\(index): {receivers: [\(receivers)], processors: "
        + "[\(pipeline.processors.joined(separator: ", "))], exporters: [\(exporters)]}"
    }
    return """
      receivers: {probe/r0: {probe: s\(seed)-r0}, probe/r1: {probe: s\(seed)-r1}}
      processors:
        thinning: {keep_every: 2}
        thinning/two: {keep_every: 3}
        batch: {send_batch_size: 30, timeout: 10ms}
        batch/cut: {send_batch_size: 10, send_batch_max_size: 12, timeout: 5ms}
        batch/meta: {send_batch_size: 20, timeout: 10ms, metadata_keys: [k], metadata_cardinality_limit: 3}
        batch/long: {send_batch_size: 500, timeout: 30s}
      exporters: {\(names.joined(separator: ", "))}
      service:
        pipelines:
      \(lines.joined(separator: "\n"))
      """
  }

  /// Runs it; gives what was wrong.
  func run() async throws -> [String] {
    var numbers = numbers
    let clock = clock
    let backends = exporters.map { _ in
      StressBackend(numbers.next(), mood: numbers.pick([0, 0, 1, 1, 1, 2, 3, 4]), clock: clock)
    }
    let inputs = (0..<2).map { Probe("s\(seed)-r\($0)") }
    for (index, backend) in backends.enumerated() {
      _ = Probe("s\(seed)-e\(index)") { await backend.answer($0) }
    }
    let collector = try TestCollector(
      yaml(), catalog: .testing(processors: [BatchProcessor.self]), clock: clock)
    let senders = (0..<1 + numbers.below(4)).map { index in
      StressSender(index, numbers.next(), probes: inputs, clock: clock)
    }
    let drain = numbers.pick([Duration.zero, .milliseconds(15), .seconds(5), .seconds(5)])
    // Either in the middle, or when all that does not hang is done.
    let end = numbers.chance(40) ? numbers.below(40) : 600
    let used = Set(pipelines.flatMap(\.receivers))
    let isOver = Milestone()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // Slowly while there is something to see, then quickly to the end of whatever hangs.
        var ticks = 0
        while !isOver.isReached {
          clock.advance(by: .milliseconds(ticks < 400 ? 1 : 100))
          ticks += 1
          for _ in 0..<4 { await Task.yield() }
        }
      }
      _ = try await collector.run(drainTimeout: drain, grace: .seconds(1_000_000)) { collector in
        for index in used { await inputs[index].started.wait() }
        await withTaskGroup(of: Void.self) { group in
          for sender in senders { group.addTask { await sender.run() } }
          try? await clock.sleep(for: .milliseconds(end))
          collector.stop()
        }
      }
      isOver.reach()
      try await group.waitForAll()
      return problems(collector.balances(), senders, backends)
    }
  }

  private func problems(_ balances: [Balance], _ senders: [StressSender], _ backends: [StressBackend])
    -> [String]
  {
    var problems: [String] = []
    for balance in balances where balance.unaccounted != 0 || balance.inFlight != 0 {
      problems.append(
        "\(balance.signal): \(balance.unaccounted) unaccounted, \(balance.inFlight) in flight, \(balance.lines)"
      )
    }
    for sender in senders {
      let (offered, wrong, _) = sender.result
      if wrong > 0 { problems.append("\(wrong) of \(offered) offers were not resolved once") }
    }
    let sent = senders.reduce(0) { $0 + $1.result.items }
    let received = balances.reduce(0) { $0 + $1.items(.received) }
    if sent != received { problems.append("\(sent) items sent, \(received) received") }
    let delivered = balances.reduce(0) { $0 + $1.items(.delivered) }
    let taken = backends.reduce(0) { $0 + $1.result.items }
    if delivered != taken {
      problems.append("\(delivered) items booked as delivered, the backends took \(taken)")
    }
    for (index, backend) in backends.enumerated() {
      problems += self.problems(backend.result.names, exporter: index)
    }
    return problems
  }

  /// Nothing comes more often than ways lead to the exporter; over one way, in the order it was sent.
  private func problems(_ names: [String], exporter: Int) -> [String] {
    var problems: [String] = []
    let ways = pipelines.filter { $0.exporters.contains(exporter) && $0.signal == .traces }
    let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
    if let most = counts.max(by: { $0.value < $1.value }), most.value > ways.count {
      problems.append("\(most.key) came \(most.value) times over \(ways.count) ways")
    }
    guard ways.count == 1, exporters[exporter].isOrdered, !ways[0].processors.contains("batch/meta") else {
      return problems
    }
    var last: [Substring: (Int, Int)] = [:]
    for name in names {
      let parts = name.split(separator: "-")
      let place = (Int(parts[1]) ?? 0, Int(parts[2]) ?? 0)
      if let before = last[parts[0]], before >= place { problems.append("\(name) came after \(before)") }
      last[parts[0]] = place
    }
    return problems
  }
}

/// Sends until it has sent enough or its receiver has stopped.
final class StressSender: Sendable {
  private struct State {
    var offers: [OutcomeProbe] = []
    var items = 0
  }
  private let state = Mutex(State())
  private let number: Int
  private let seed: UInt64
  private let probes: [Probe]
  private let clock: TestClock

  init(_ number: Int, _ seed: UInt64, probes: [Probe], clock: TestClock) {
    self.number = number
    self.seed = seed
    self.probes = probes
    self.clock = clock
  }

  /// Offers made, those that were not resolved once, and all items sent.
  var result: (offers: Int, wrong: Int, items: Int) {
    state.withLock { ($0.offers.count, $0.offers.filter { $0.count != 1 }.count, $0.items) }
  }

  func run() async {
    var numbers = SeededGenerator(seed)
    let probe = probes[numbers.below(2)]
    let sends = numbers.chance(50)
    let pauses = numbers.below(30)
    for round in 0..<5 + numbers.below(25) {
      let size = numbers.chance(10) ? 60 : 1 + numbers.below(12)
      let batch =
        numbers.chance(20) ? Batch.logs(size) : Batch.spans(size, name: "\(number)-\(round)")
      if sends && numbers.chance(80) {
        if case .rejected(let reason) = await probe.send(batch), reason.hasPrefix("no pipeline") { continue }
        state.withLock { $0.items += size }
      } else {
        let handler = OutcomeProbe()
        let metadata = RequestMetadata(["k": ["\(numbers.below(5))"]])
        guard probe.offer(batch, metadata: metadata, handler: handler) else { continue }
        state.withLock {
          $0.items += size
          $0.offers.append(handler)
        }
      }
      if numbers.chance(pauses) { try? await clock.sleep(for: .milliseconds(numbers.below(10))) }
    }
  }
}
