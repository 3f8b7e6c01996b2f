import PipelineKit
import PipelineTestKit
import SeededRandom
import Synchronization
import TelemetryData
import Testing

@testable import Processors

/// What came out when, as a script's checks see it.
private final class Counts: Sendable {
  private let counts = Mutex<[Int]>([])
  func note(_ count: Int) { counts.withLock { $0.append(count) } }
  var all: [Int] { counts.withLock { $0 } }
}

@Suite struct TailSamplingPropertyTests {
  @Test(arguments: 0..<12)
  func `random traces in random order get what a brute-force model decides`(seed: Int) async throws {
    for round in 0..<25 {
      var random = SeededGenerator(UInt64(seed * 1000 + round))
      let settings = settings(&random)
      let model = SamplingModel(settings)
      let run = SamplingRun(settings.yaml)
      let counts = Counts()
      var expected: [Int] = []
      var steps: [ScriptedIntake.Step] = []
      var spans = (0..<(1 + random.below(14))).flatMap { trace in
        (0...random.below(8)).map { random.testSpan(trace + 1, "\(trace).\($0)") }
      }
      spans.shuffle(using: &random)
      let total = spans.count
      while !spans.isEmpty {
        let batch = Array(spans.prefix(1 + random.below(12)))
        spans.removeFirst(batch.count)
        steps.append(.batch(.of(batch)))
        model.add(batch)
        if random.chance(70) {
          let milliseconds = random.pick([1, 37, 100, 450, 1000, 2300])
          steps.append(.pause(.milliseconds(milliseconds)))
          model.pause(milliseconds)
        }
        expected.append(model.kept.count)
        steps.append(.check { [output = run.output] in counts.note(output.itemCounts.reduce(0, +)) })
      }
      model.finish()
      try await run(steps)

      let place = "seed \(seed), round \(round): \(settings.yaml)"
      #expect(run.kept == model.kept.sorted(), "\(place)")
      // What a batch brings out is sent before the next step.
      #expect(counts.all == expected, "\(place)")
      #expect(run.booked(.sampled) == total - model.kept.count - model.lost, "\(place)")
      #expect(run.booked(.dropped) == model.lost, "\(place)")
      #expect(run.metric("sampling_trace_dropped_too_early") == model.early, "\(place)")
    }
  }

  private func settings(_ random: inout SeededGenerator) -> SamplingModel.Settings {
    var settings = SamplingModel.Settings()
    settings.wait = random.pick([0, 500, 1000, 2000])
    settings.rootWait = random.pick([0, 0, 150, 400])
    settings.traces = random.pick([1, 3, 1000, 1000])
    settings.sampledCache = random.pick([0, 2, 100])
    settings.droppedCache = random.pick([0, 2, 100])
    settings.stopsAtFirstMatch = random.chance(30)
    settings.dropsAtEnd = random.chance(30)
    settings.policies = (0...random.below(4)).map { _ in random.policy() }
    return settings
  }
}
