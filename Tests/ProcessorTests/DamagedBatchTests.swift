import PipelineKit
import PipelineTestKit
import SeededRandom
import TelemetryData
import Testing
import TimeFormats

@testable import Processors

/// Batches with bytes changed here and there, as far as they are still well-formed: whatever comes out is well-formed
/// too, and every item is where it should be.
@Suite struct DamagedBatchTests {
  static let metricBatch: Batch = {
    let number = NumberDataPointValue(
      attributes: ["a": "b", "c": .keyValueList(["d": .array([1, 2.5, true])])], startTime: 1, time: 2,
      value: .int(3), exemplars: [ExemplarValue(time: 1, value: .double(2))])
    let histogram = HistogramDataPointValue(
      attributes: ["a": "b"], startTime: 1, time: 2, count: 6, sum: 4, bucketCounts: [1, 2, 3],
      explicitBounds: [1, 2], exemplars: [ExemplarValue(time: 1, value: .int(2))], min: 0, max: 9)
    let exponential = ExponentialHistogramDataPointValue(
      attributes: ["a": "b"], startTime: 1, time: 2, count: 6, sum: 4, scale: 2, zeroCount: 1,
      positive: BucketsValue(offset: -3, bucketCounts: [1, 0, 2]),
      negative: BucketsValue(offset: 1, bucketCounts: [2]), zeroThreshold: 0.5)
    return metrics(
      MetricValue(name: "ds", data: .sum([number, number], .delta, isMonotonic: true)),
      MetricValue(name: "cs", unit: "s", data: .sum([number], .cumulative, isMonotonic: true)),
      MetricValue(name: "dh", data: .histogram([histogram, histogram], .delta)),
      MetricValue(name: "ch", data: .histogram([histogram], .cumulative)),
      MetricValue(name: "de", data: .exponentialHistogram([exponential, exponential], .delta)),
      MetricValue(name: "ce", data: .exponentialHistogram([exponential], .cumulative)),
      MetricValue(name: "g", description: "x", data: .gauge([number]), metadata: ["m": 1]),
      MetricValue(
        name: "y", data: .summary([SummaryDataPointValue(attributes: ["a": "b"], time: 2, count: 1)])))
  }()

  static let logBatch: Batch = {
    var builder = BatchBuilder(.logs)
    builder.beginResource(ResourceValue(attributes: ["r": 1], schemaURL: "u"))
    builder.beginScope(ScopeValue(name: "s", version: "1", attributes: ["x": true]))
    for number in 0..<3 {
      builder.add(
        LogRecordValue(
          time: 1, observedTime: 2, severityNumber: 9, severityText: "INFO",
          body: .keyValueList(["k": .int(Int64(number)), "n": .keyValueList(["m": "x"])]),
          attributes: ["a": .keyValueList(["b": 1, "c": 2]), "log_count": 7]))
    }
    return builder.finish()
  }()

  /// Batches that are well-formed still.
  static func damaged(_ batch: Batch, _ count: Int) -> [Batch] {
    var random = SeededGenerator(UInt64(count))
    return (0..<count).compactMap { _ in
      var bytes = batch.bytes
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes[place] ^= 1 << UInt8(random.below(8))
        case 2: bytes[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF])
        default: bytes.swapAt(place, random.below(bytes.count))
        }
      }
      return try? Batch(bytes: bytes, signal: batch.signal)
    }
  }

  static func check(_ result: Batch?, _ comment: Comment) throws {
    guard let result else { return }
    #expect(throws: Never.self, comment) {
      let again = try Batch(bytes: result.bytes, signal: result.signal)
      #expect(again.itemCount == result.itemCount)
    }
  }

  @Test func `metrics leave well-formed and counted`() throws {
    let batches = Self.damaged(Self.metricBatch, 6000)
    #expect(batches.count > 500)
    let toDelta = try CumulativeToDeltaProcessor.testing("{initial_value: keep}")
    let toCumulative = try DeltaToCumulativeProcessor.testing("{}")
    let transform = try MetricsTransformProcessor.testing(
      """
      {transforms: [
        {include: ., match_type: regexp, action: insert, new_name: new, operations: [{action: aggregate_labels, label_set: [c]}]},
        {include: ^c, match_type: regexp, action: update, operations: [{action: experimental_scale_value, experimental_scale: 3}, {action: toggle_scalar_data_type}, {action: update_label, label: a, new_label: z}]},
        {include: ^d, match_type: regexp, action: combine, new_name: all},
        {include: ^g, match_type: regexp, action: group, group_resource_labels: {k: v}}]}
      """)
    for batch in batches {
      try Self.check(toDelta.process(batch), "cumulativetodelta")
      try Self.check(toCumulative.process(batch), "deltatocumulative")
      try Self.check(transform.process(batch), "metrics_transform")
      var store = LatestPoints(.plain, IntervalProcessor.PassThrough())
      let intake = store.take(batch, unixTime: 1)
      try Self.check(intake.rest, "interval")
      let held = store.flush(unixTime: 2)
      try Self.check(held, "interval")
      #expect(intake.rest.itemCount + intake.merged + (held?.itemCount ?? 0) == batch.itemCount)
    }
  }

  @Test func `logs leave well-formed and counted`() throws {
    let batches = Self.damaged(Self.logBatch, 6000)
    #expect(batches.count > 500)
    let times = try TimeLayout(gotime: "2006-01-02T15:04:05Z07:00", in: .utc)
    let counts = SelfMetrics().histogram("counts", bounds: [1], help: "")
    let paths = ["attributes.a.b", "body.n.m", "body.k"].compactMap { LogFieldPath($0) }
    for batch in batches {
      for (removed, included) in [([], []), (paths, []), ([], paths)] as [([LogFieldPath], [LogFieldPath])] {
        let form = EqualRecords.Form(
          countAttribute: "log_count", times: times, removal: LogFieldRemoval(removed), included: included,
          counts: counts)
        var store = EqualRecords(.plain, form)
        let intake = store.take(batch, unixTime: 1)
        let held = store.flush(unixTime: .max)
        try Self.check(held, "log_dedup")
        #expect(intake.merged + (held?.itemCount ?? 0) == batch.itemCount)
      }
    }
  }
}
