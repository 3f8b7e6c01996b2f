import Foundation
import PipelineKit
import PipelineTestKit
import Processors
import SeededRandom
import TelemetryData
import Testing

@Suite struct DeltaToCumulativeTests {
  static func sum(
    _ value: NumberValue, _ start: UInt64, _ time: UInt64, name: String = "m", flags: UInt32 = 0
  ) -> Batch {
    let point = NumberDataPointValue(startTime: start, time: time, value: value, flags: flags)
    return metrics(MetricValue(name: name, data: .sum([point], .delta, isMonotonic: true)))
  }

  static func histogram(
    _ buckets: [UInt64], _ start: UInt64, _ time: UInt64, sum: Double? = nil, bounds: [Double] = [1, 2],
    min: Double? = nil, max: Double? = nil
  ) -> Batch {
    let point = HistogramDataPointValue(
      startTime: start, time: time, count: buckets.reduce(0, +), sum: sum, bucketCounts: buckets,
      explicitBounds: bounds, min: min, max: max)
    return metrics(MetricValue(name: "h", data: .histogram([point], .delta)))
  }

  @Test func `deltas add up, and the sum begins where the first delta began`() throws {
    let own = SelfMetrics()
    let processor = try DeltaToCumulativeProcessor.testing("{}", metrics: own)
    var points: [Point] = []
    for (value, start, time) in [(3, 10, 20), (4, 20, 30), (5, 30, 40)] as [(Int64, UInt64, UInt64)] {
      let batch = try #require(processor.process(Self.sum(.int(value), start, time)))
      let temporality = batch.metric(at: 0).aggregationTemporality
      #expect(temporality == .cumulative)
      points += Point.all(batch)
    }
    #expect(points.map(\.value) == [.int(3), .int(7), .int(12)])
    #expect(points.map(\.start) == [10, 10, 10])
    #expect(points.map(\.time) == [20, 30, 40])
    #expect(own.number("otelcol_deltatocumulative_datapoints") == 3)
    #expect(own.number("otelcol_deltatocumulative_streams_tracked") == 1)
    #expect(own.number("otelcol_deltatocumulative_streams_max_stale") == 300)
  }

  @Test func `an older or repeated delta is dropped and counted by its reason; a gap is none`() throws {
    let own = SelfMetrics()
    let processor = try DeltaToCumulativeProcessor.testing("{}", metrics: own)
    func send(_ value: Int64, _ start: UInt64, _ time: UInt64) -> [NumberValue?] {
      Point.all(processor.process(Self.sum(.int(value), start, time))).map(\.value)
    }
    #expect(send(1, 10, 20) == [.int(1)])
    #expect(send(1, 9, 30) == [])
    #expect(send(1, 10, 20) == [])
    #expect(send(1, 10, 19) == [])
    #expect(send(1, 50, 60) == [.int(2)])
    #expect(own.number("otelcol_deltatocumulative_datapoints", "delta.ErrOlderStart") == 1)
    #expect(own.number("otelcol_deltatocumulative_datapoints", "delta.ErrOutOfOrder") == 2)
    #expect(processor.removal == .dropped)
  }

  @Test func `new streams beyond the limit are dropped, those that went silent make room`() throws {
    let own = SelfMetrics()
    let clock = TestClock()
    let processor = try DeltaToCumulativeProcessor.testing(
      "{max_streams: 2, max_stale: 10s}", clock: clock, metrics: own)
    func send(_ name: String, _ time: UInt64) -> [NumberValue?] {
      Point.all(processor.process(Self.sum(.int(1), 1, time, name: name))).map(\.value)
    }
    #expect(send("a", 2) == [.int(1)])
    clock.advance(by: .seconds(6))
    #expect(send("b", 2) == [.int(1)])
    #expect(send("c", 2) == [])
    #expect(own.number("otelcol_deltatocumulative_datapoints", "limit") == 1)
    #expect(own.number("otelcol_deltatocumulative_streams_limit") == 2)
    clock.advance(by: .seconds(6))
    #expect(send("c", 2) == [.int(1)])
    #expect(send("b", 3) == [.int(2)])
    clock.advance(by: .seconds(11))
    #expect(send("b", 4) == [.int(1)])
  }

  @Test func `integers and doubles of one stream add up, a point without value does not count`() throws {
    let processor = try DeltaToCumulativeProcessor.testing("{}")
    func send(_ value: NumberValue, _ time: UInt64, flags: UInt32 = 0) -> NumberValue? {
      Point.all(processor.process(Self.sum(value, 1, time, flags: flags))).first?.value
    }
    #expect(send(.int(1), 2) == .int(1))
    #expect(send(.int(7), 3, flags: 1) == .int(7))
    #expect(send(.double(0.5), 4) == .double(1.5))
    #expect(send(.int(2), 5) == .double(3.5))
    #expect(send(.int(.max), 6) == .double(3.5 + Double(Int64.max)))
  }

  @Test func `cumulative metrics, gauges and summaries stay as they are`() throws {
    let processor = try DeltaToCumulativeProcessor.testing("{}")
    let point = NumberDataPointValue(time: 1, value: .int(1))
    for metric in [
      MetricValue(name: "c", data: .sum([point], .cumulative, isMonotonic: true)),
      MetricValue(name: "g", data: .gauge([point])),
      MetricValue(name: "s", data: .summary([SummaryDataPointValue(count: 1)])), MetricValue(name: "none"),
    ] {
      let batch = metrics(metric)
      #expect(processor.process(batch)?.bytes == batch.bytes)
    }
  }

  @Test func `histograms: buckets add up, what only one of both tells is left out, other bounds begin anew`()
    throws
  {
    let processor = try DeltaToCumulativeProcessor.testing("{}")
    func send(_ batch: Batch) -> HistogramDataPointValue? {
      var found: HistogramDataPointValue?
      let result = processor.process(batch) ?? batch
      result.metric(at: 0).histogramDataPoints.forEach { point in
        found = HistogramDataPointValue(
          startTime: point.startTime, time: point.time, count: point.count, sum: point.sum,
          bucketCounts: point.bucketCounts.array, explicitBounds: point.explicitBounds.array, min: point.min,
          max: point.max)
      }
      return found
    }
    _ = send(Self.histogram([1, 2, 3], 10, 20, sum: 9, min: 0.5, max: 7))
    #expect(
      send(Self.histogram([1, 0, 1], 20, 30, sum: 4, min: 0.25, max: 5))
        == HistogramDataPointValue(
          startTime: 10, time: 30, count: 8, sum: 13, bucketCounts: [2, 2, 4], explicitBounds: [1, 2],
          min: 0.25, max: 7))
    #expect(
      send(Self.histogram([1, 0, 0], 30, 40))
        == HistogramDataPointValue(
          startTime: 10, time: 40, count: 9, bucketCounts: [3, 2, 4], explicitBounds: [1, 2]))
    #expect(
      send(Self.histogram([1, 0, 0], 40, 50, sum: 1, bounds: [1, 5]))
        == HistogramDataPointValue(
          startTime: 40, time: 50, count: 1, sum: 1, bucketCounts: [1, 0, 0], explicitBounds: [1, 5]))
  }

  @Test func `what was added up can be told apart again`() throws {
    var random = SeededGenerator(3)
    let accumulate = try DeltaToCumulativeProcessor.testing("{}")
    let clock = TestClock(unixStart: 1)
    let tell = try CumulativeToDeltaProcessor.testing("{}", clock: clock)
    var times: [Int: UInt64] = [:]
    for round in 1...100 {
      var numbers: [NumberDataPointValue] = []
      var histograms: [HistogramDataPointValue] = []
      for _ in 0..<random.below(8) {
        let stream = random.below(40)
        let start = times[stream] ?? 1
        let time = UInt64(round * 100 + random.below(50)) + start
        times[stream] = time
        let attributes: Attributes = ["id": .int(Int64(stream))]
        if stream < 20 {
          numbers.append(
            NumberDataPointValue(
              attributes: attributes, startTime: start, time: time, value: .int(Int64(random.below(9)))))
        } else {
          let buckets = (0..<3).map { _ in UInt64(random.below(5)) }
          histograms.append(
            HistogramDataPointValue(
              attributes: attributes, startTime: start, time: time, count: buckets.reduce(0, +),
              sum: Double(random.below(100)), bucketCounts: buckets, explicitBounds: [1, 2]))
        }
      }
      let batch = metrics(
        MetricValue(name: "m", data: .sum(numbers, .delta, isMonotonic: true)),
        MetricValue(name: "h", data: .histogram(histograms, .delta)))
      let sums = try #require(accumulate.process(batch))
      #expect(Point.all(tell.process(sums)) == Point.all(batch))
    }
  }

  @Test func `exponential histograms of any scale add up to what all values give at the final one`() throws {
    var random = SeededGenerator(11)
    for _ in 0..<40 {
      let processor = try DeltaToCumulativeProcessor.testing("{}")
      var values: [Double] = []
      for time in 1...UInt64(6) {
        let scale = Int32(random.below(9) - 3)
        let fresh = (0..<random.below(30)).map { _ in
          exp2(Double(random.below(24) - 12) + 0.01 + Double(random.below(98)) / 100)
        }
        values += fresh
        let point = Self.point(of: fresh, scale: scale, time: time)
        let batch = metrics(MetricValue(name: "e", data: .exponentialHistogram([point], .delta)))
        let sums = try #require(processor.process(batch))
        sums.metric(at: 0).exponentialHistogramDataPoints.forEach { sum in
          let expected = Self.point(of: values, scale: sum.scale, time: time)
          #expect(sum.count == expected.count)
          #expect(Self.trimmed(sum.positive) == Self.trimmed(expected.positive))
          #expect(sum.scale <= scale)
          #expect((sum.positive?.bucketCounts.count ?? 0) <= 160)
        }
      }
    }
  }

  @Test func `buckets far apart are joined, and values within a larger zero threshold become zeros`() throws {
    let processor = try DeltaToCumulativeProcessor.testing("{}")
    func send(
      _ offset: Int32, _ counts: [UInt64], _ time: UInt64, scale: Int32 = 3, zeros: UInt64 = 0,
      threshold: Double = 0
    ) -> [String] {
      let point = ExponentialHistogramDataPointValue(
        startTime: 1, time: time, count: counts.reduce(zeros, +), scale: scale, zeroCount: zeros,
        positive: BucketsValue(offset: offset, bucketCounts: counts), zeroThreshold: threshold)
      var found: [String] = []
      let batch = metrics(MetricValue(name: "e", data: .exponentialHistogram([point], .delta)))
      let result = processor.process(batch) ?? batch
      result.metric(at: 0).exponentialHistogramDataPoints.forEach { sum in
        let counts = sum.positive?.bucketCounts.array ?? []
        found = [
          "scale \(sum.scale) zeros \(sum.zeroCount) within \(sum.zeroThreshold)",
          "\(sum.positive?.offset ?? 0): \(counts.count) with \(counts.reduce(0, +))",
        ]
      }
      return found
    }
    #expect(send(.min, [1], 2) == ["scale 3 zeros 0 within 0.0", "-2147483648: 1 with 1"])
    // 2^32 buckets between them: 25 times halved.
    #expect(send(.max, [2], 3) == ["scale -22 zeros 0 within 0.0", "-64: 128 with 3"])
    #expect(send(0, [], 4, scale: -22, zeros: 5, threshold: 1).first?.hasPrefix("scale -22 zeros 6") == true)
  }

  @Test func `a threshold within a bucket that counted widens to its end`() throws {
    let processor = try DeltaToCumulativeProcessor.testing("{}")
    var found: [String] = []
    for (time, counts, zeros, threshold) in [(2, [4, 1], 0, 0.0), (3, [], 2, 1.5)]
      as [(
        UInt64, [UInt64], UInt64, Double
      )]
    {
      let point = ExponentialHistogramDataPointValue(
        startTime: 1, time: time, count: counts.reduce(zeros, +), scale: 0, zeroCount: zeros,
        positive: BucketsValue(offset: 0, bucketCounts: counts), zeroThreshold: threshold)
      let batch = metrics(MetricValue(name: "e", data: .exponentialHistogram([point], .delta)))
      let result = processor.process(batch) ?? batch
      result.metric(at: 0).exponentialHistogramDataPoints.forEach { sum in
        found.append(
          "\(sum.zeroCount) within \(sum.zeroThreshold), \(sum.positive?.offset ?? 0): "
            + "\(sum.positive?.bucketCounts.array ?? [])")
      }
    }
    #expect(found == ["0 within 0.0, 0: [4, 1]", "6 within 2.0, 1: [1]"])
  }

  /// What values give, counted one by one.
  static func point(of values: [Double], scale: Int32, time: UInt64) -> ExponentialHistogramDataPointValue {
    var counts: [Int: UInt64] = [:]
    for value in values { counts[Int((log2(value) * exp2(Double(scale))).rounded(.up)) - 1, default: 0] += 1 }
    let first = counts.keys.min() ?? 0
    let last = counts.keys.max() ?? -1
    return ExponentialHistogramDataPointValue(
      startTime: 1, time: time, count: UInt64(values.count), scale: scale,
      positive: BucketsValue(
        offset: Int32(first), bucketCounts: first > last ? [] : (first...last).map { counts[$0] ?? 0 }))
  }

  static func trimmed(_ view: BucketsView?) -> [Int: UInt64] {
    guard let view else { return [:] }
    return trimmed(BucketsValue(offset: view.offset, bucketCounts: view.bucketCounts.array))
  }

  static func trimmed(_ buckets: BucketsValue?) -> [Int: UInt64] {
    guard let buckets else { return [:] }
    var counts: [Int: UInt64] = [:]
    for (position, count) in buckets.bucketCounts.enumerated() where count > 0 {
      counts[Int(buckets.offset) + position] = count
    }
    return counts
  }
}
