import PipelineKit
import PipelineTestKit
import Processors
import SeededRandom
import TelemetryData
import Testing

@Suite struct CumulativeToDeltaTests {
  /// A cumulative sum of one point.
  static func sum(
    _ value: NumberValue, at time: UInt64, start: UInt64 = 5, name: String = "m", monotonic: Bool = true,
    _ attributes: Attributes = [:], flags: UInt32 = 0
  ) -> MetricValue {
    let point = NumberDataPointValue(
      attributes: attributes, startTime: start, time: time, value: value, flags: flags)
    return MetricValue(name: name, unit: "By", data: .sum([point], .cumulative, isMonotonic: monotonic))
  }

  static func histogram(
    _ buckets: [UInt64], sum: Double?, at time: UInt64, bounds: [Double] = [1, 2]
  ) -> MetricValue {
    let point = HistogramDataPointValue(
      startTime: 5, time: time, count: buckets.reduce(0, +), sum: sum, bucketCounts: buckets,
      explicitBounds: bounds, min: 0, max: 9)
    return MetricValue(name: "h", data: .histogram([point], .cumulative))
  }

  /// The values that come out, one list for each batch that goes in.
  static func values(
    _ settings: String, _ inputs: [MetricValue], clock: TestClock = TestClock(),
    metrics self: SelfMetrics = SelfMetrics()
  ) throws -> [NumberValue?] {
    let processor = try CumulativeToDeltaProcessor.testing(settings, clock: clock, metrics: self)
    return inputs.map { Point.all(processor.process(metrics($0))).first?.value }
  }

  @Test func `each point is told from the one before, and a reset only moves the baseline`() throws {
    let own = SelfMetrics()
    let values = try Self.values(
      "{}", [100, 150, 200, 50, 80].enumerated().map { Self.sum(.int($1), at: 10 + UInt64($0)) }, metrics: own
    )
    #expect(values == [nil, .int(50), .int(50), nil, .int(30)])
    #expect(own.number("otelcol_cumulativetodelta_datapoints", "sum") == 3)
    #expect(own.number("otelcol_cumulativetodelta_datapoints_dropped", "sum", "initial") == 1)
    #expect(own.number("otelcol_cumulativetodelta_datapoints_dropped", "sum", "reset") == 1)
    #expect(own.number("otelcol_cumulativetodelta_streams_tracked") == 1)
  }

  @Test func `a delta begins where the point before was observed, and the rest of the metric stays`() throws {
    let processor = try CumulativeToDeltaProcessor.testing("{}")
    _ = processor.process(metrics(Self.sum(.double(1.5), at: 10, ["a": "b"])))
    let batch = try #require(processor.process(metrics(Self.sum(.double(4), at: 20, ["a": "b"]))))
    #expect(
      Point.all(batch) == [
        Point(metric: "m", attributes: ["a": "b"], start: 10, time: 20, value: .double(2.5))
      ])
    let (temporality, isMonotonic) = (
      batch.metric(at: 0).aggregationTemporality, batch.metric(at: 0).isMonotonic
    )
    #expect(temporality == .delta)
    #expect(isMonotonic)
    let unit = batch.metric(at: 0).unit.string
    #expect(unit == "By")
  }

  struct Initial: Sendable, CustomTestStringConvertible {
    let rule: String
    let start: UInt64
    let time: UInt64
    let isSent: Bool
    var testDescription: String { "\(rule) start \(start) time \(time)" }
  }

  /// The processor starts at 1000.
  @Test(arguments: [
    Initial(rule: "auto", start: 999, time: 2000, isSent: false),
    Initial(rule: "auto", start: 0, time: 2000, isSent: false),
    Initial(rule: "auto", start: 1000, time: 2000, isSent: true),
    Initial(rule: "auto", start: 2000, time: 2000, isSent: false),
    Initial(rule: "keep", start: 0, time: 2000, isSent: true),
    Initial(rule: "keep", start: 2000, time: 2000, isSent: true),
    Initial(rule: "drop", start: 1500, time: 2000, isSent: false),
  ])
  func `the first point of a stream is sent as the rule says`(row: Initial) throws {
    let clock = TestClock(unixStart: 1000)
    let processor = try CumulativeToDeltaProcessor.testing("{initial_value: \(row.rule)}", clock: clock)
    let first = processor.process(metrics(Self.sum(.int(7), at: row.time, start: row.start)))
    let expected = Point(metric: "m", start: row.start, time: row.time, value: .int(7))
    #expect(Point.all(first) == (row.isSent ? [expected] : []))
    let second = processor.process(metrics(Self.sum(.int(9), at: 3000, start: row.start)))
    #expect(Point.all(second).map(\.value) == [.int(2)])
  }

  @Test func `what is not a growing cumulative sum stays as it is`() throws {
    let processor = try CumulativeToDeltaProcessor.testing("{}")
    let point = NumberDataPointValue(time: 1, value: .int(1))
    for metric in [
      Self.sum(.int(1), at: 1, monotonic: false), MetricValue(name: "g", data: .gauge([point])),
      MetricValue(name: "d", data: .sum([point], .delta, isMonotonic: true)),
      MetricValue(name: "s", data: .summary([SummaryDataPointValue(count: 1)])), MetricValue(name: "none"),
    ] {
      let batch = metrics(metric)
      #expect(processor.process(batch)?.bytes == batch.bytes)
    }
  }

  @Test func `a NaN stays, a point without value goes, and an older point changes nothing`() throws {
    let own = SelfMetrics()
    let processor = try CumulativeToDeltaProcessor.testing("{}", metrics: own)
    func send(_ value: NumberValue, _ time: UInt64, flags: UInt32 = 0) -> [Point] {
      Point.all(processor.process(metrics(Self.sum(value, at: time, flags: flags))))
    }
    #expect(send(.double(1), 10) == [])
    let nan = send(.double(.nan), 20)
    #expect(nan.count == 1)
    if case .double(let value)? = nan.first?.value { #expect(value.isNaN) }
    #expect(send(.double(5), 30, flags: 1) == [])
    #expect(send(.double(3), 40).first?.value == .double(2))
    #expect(send(.double(2), 35) == [])
    #expect(send(.double(4), 50).first?.value == .double(1))
    #expect(own.number("otelcol_cumulativetodelta_datapoints_dropped", "sum", "no_value") == 1)
    #expect(own.number("otelcol_cumulativetodelta_datapoints_dropped", "sum", "out_of_order") == 1)
  }

  @Test func `streams are told apart by all they are, but not by the order of attributes`() throws {
    let processor = try CumulativeToDeltaProcessor.testing("{}")
    func send(_ batch: Batch) -> NumberValue? { Point.all(processor.process(batch)).first?.value }
    let attributes: Attributes = ["a": 1, "b": .array(["x", true]), "c": .keyValueList(["d": 1, "e": 2.5])]
    let turned: Attributes = ["c": .keyValueList(["e": 2.5, "d": 1]), "b": .array(["x", true]), "a": 1]
    #expect(send(metrics(Self.sum(.int(1), at: 1, attributes))) == nil)
    #expect(send(metrics(Self.sum(.int(3), at: 2, turned))) == .int(2))
    for (number, other) in [
      metrics(Self.sum(.int(9), at: 3, ["a": "1", "b": .array(["x", true])])),
      metrics(
        Self.sum(
          .int(9), at: 3, ["a": 1, "b": .array([true, "x"]), "c": .keyValueList(["d": 1, "e": 2.5])])),
      metrics(Self.sum(.int(9), at: 3, name: "n", attributes)),
      metrics(Self.sum(.double(9), at: 3, attributes)),
      metrics(Self.sum(.int(9), at: 3, start: 6, attributes)),
      metrics(Self.sum(.int(9), at: 3, attributes), resource: ["service.name": "other"]),
      metrics(Self.sum(.int(9), at: 3, attributes), scope: "other"),
    ].enumerated() {
      #expect(send(other) == nil, "variant \(number) is a stream of its own")
    }
    #expect(send(metrics(Self.sum(.int(4), at: 4, attributes))) == .int(1))
  }

  @Test func `histograms: deltas of counts, sum and buckets; a reset goes on whole`() throws {
    let own = SelfMetrics()
    let processor = try CumulativeToDeltaProcessor.testing("{}", metrics: own)
    func send(_ metric: MetricValue) -> Point? { Point.all(processor.process(metrics(metric))).first }
    #expect(send(Self.histogram([1, 2, 3], sum: 10, at: 10)) == nil)
    #expect(
      send(Self.histogram([2, 2, 5], sum: 16, at: 20))
        == Point(metric: "h", start: 10, time: 20, count: 3, sum: 6, buckets: [1, 0, 2]))
    #expect(send(Self.histogram([1, 0, 0], sum: 1, at: 30))?.buckets == [1, 0, 0])
    // As many as before, but in other buckets: that is a reset as well.
    #expect(send(Self.histogram([0, 2, 0], sum: 3, at: 40))?.buckets == [0, 2, 0])
    #expect(send(Self.histogram([0, 3, 0], sum: .nan, at: 45))?.sum?.isNaN == true)
    #expect(send(Self.histogram([0, 4, 0], sum: 5, at: 50))?.sum == 2)
    #expect(send(Self.histogram([0, 9, 9], sum: 9, at: 60, bounds: [1, 3])) == nil)
    #expect(send(Self.histogram([0, 9, 9, 1], sum: 9, at: 70, bounds: [1, 3, 4])) == nil)
    #expect(send(Self.histogram([0, 9, 9, 2], sum: nil, at: 80, bounds: [1, 3, 4]))?.sum == nil)
    #expect(own.number("otelcol_cumulativetodelta_datapoints_dropped", "histogram", "bucket_mismatch") == 2)
    let batch = try #require(
      processor.process(metrics(Self.histogram([0, 9, 9, 2], sum: 1, at: 90, bounds: [1, 3, 4]))))
    batch.metric(at: 0).histogramDataPoints.forEach { point in
      #expect(point.min == nil && point.max == nil)
      #expect(point.explicitBounds.array == [1, 3, 4])
    }
  }

  @Test func `exponential histograms: also over a smaller scale and a larger zero threshold`() throws {
    let processor = try CumulativeToDeltaProcessor.testing("{}")
    func send(
      scale: Int32, _ counts: [UInt64], offset: Int32 = 0, zeros: UInt64 = 0, threshold: Double = 0,
      at time: UInt64
    ) -> Point? {
      let point = ExponentialHistogramDataPointValue(
        startTime: 5, time: time, count: counts.reduce(zeros, +), sum: Double(time), scale: scale,
        zeroCount: zeros, positive: BucketsValue(offset: offset, bucketCounts: counts),
        zeroThreshold: threshold)
      let metric = MetricValue(name: "e", data: .exponentialHistogram([point], .cumulative))
      return Point.all(processor.process(metrics(metric))).first
    }
    #expect(send(scale: 1, [1, 2, 3, 4], at: 10) == nil)
    #expect(send(scale: 1, [1, 2, 5, 4, 1], zeros: 2, at: 20)?.buckets == [2, 2, 0, 1])
    // Indexes 0…4 at scale 1 are 0…2 at scale 0: 3, 9, 1.
    #expect(send(scale: 0, [4, 9, 1], zeros: 2, at: 30)?.buckets == [0, 1])
    // A threshold of 2 takes in bucket 0 at scale 0, which is (1, 2].
    #expect(send(scale: 0, [10, 1], offset: 1, zeros: 7, threshold: 2, at: 40)?.buckets == [1, 1])
    #expect(send(scale: 1, [10, 1], at: 50) == nil)
  }

  @Test func `names and types select what is converted`() throws {
    func converts(_ settings: String, _ metric: MetricValue) throws -> Bool {
      let processor = try CumulativeToDeltaProcessor.testing(settings)
      return processor.process(metrics(metric))?.itemCount == 0
    }
    let sum = Self.sum(.int(1), at: 9, name: "http.requests")
    let histogram = Self.histogram([1, 1, 1], sum: 3, at: 9)
    #expect(try converts("{include: {metrics: [http.requests], match_type: strict}}", sum))
    #expect(try !converts("{include: {metrics: [http], match_type: strict}}", sum))
    #expect(try converts("{include: {metrics: [^http], match_type: regexp}}", sum))
    #expect(try !converts("{exclude: {metrics: [requests], match_type: regexp}}", sum))
    #expect(try !converts("{include: {metric_types: [Histogram]}}", sum))
    #expect(try converts("{include: {metric_types: [histogram]}}", histogram))
    #expect(try !converts("{exclude: {metric_types: [histogram]}}", histogram))
    #expect(
      try !converts(
        "{include: {metrics: [h], match_type: regexp}, exclude: {metric_types: [histogram]}}", histogram))
  }

  @Test(arguments: [
    ("{include: {metrics: [a]}}", "match_type"), ("{include: {match_type: strict}}", "metrics"),
    ("{include: {metrics: ['('], match_type: regexp}}", "not a regular expression"),
    ("{include: {metric_types: [gauge]}}", "one of"), ("{max_staleness: -1s}", "max_staleness"),
    ("{initial_value: sometimes}", "one of"),
  ])
  func `mistakes in settings are told`(settings: String, part: String) {
    let (config, diagnostics) = CumulativeToDeltaProcessor.decode(settings)
    #expect(config == nil)
    #expect(diagnostics.render().contains(part))
  }

  @Test func `a stream that was silent for too long begins anew`() throws {
    let clock = TestClock()
    let own = SelfMetrics()
    let processor = try CumulativeToDeltaProcessor.testing("{max_staleness: 60s}", clock: clock, metrics: own)
    func send(_ value: Int64, _ time: UInt64, name: String = "m") -> NumberValue? {
      Point.all(processor.process(metrics(Self.sum(.int(value), at: time, name: name)))).first?.value
    }
    #expect(send(1, 1) == nil)
    clock.advance(by: .seconds(60))
    #expect(send(2, 2) == .int(1))
    #expect(send(2, 2, name: "other") == nil)
    clock.advance(by: .seconds(61))
    #expect(send(3, 3) == nil)
    #expect(own.number("otelcol_cumulativetodelta_streams_tracked") == 1)
  }

  @Test func `random streams come out as a naive model says`() throws {
    var random = SeededGenerator(6)
    let processor = try CumulativeToDeltaProcessor.testing("{}")
    var last: [Int: (value: Int64, time: UInt64)] = [:]
    for round in 1...200 {
      var points: [NumberDataPointValue] = []
      var expected: [Point] = []
      for _ in 0..<random.below(20) {
        let stream = random.below(300)
        let time = UInt64(round * 10 + random.below(30))
        let value = Int64(random.below(1000)) + (last[stream]?.value ?? 0) - (random.chance(20) ? 800 : 0)
        points.append(
          NumberDataPointValue(
            attributes: ["id": .int(Int64(stream))], startTime: 5, time: time, value: .int(value)))
        guard let before = last[stream] else {
          last[stream] = (value, time)
          continue
        }
        if time < before.time { continue }
        last[stream] = (value, time)
        if value < before.value { continue }
        expected.append(
          Point(
            metric: "m", attributes: ["id": .int(Int64(stream))], start: before.time, time: time,
            value: .int(value - before.value)))
      }
      let batch = metrics(MetricValue(name: "m", data: .sum(points, .cumulative, isMonotonic: true)))
      #expect(Point.all(processor.process(batch)) == expected)
    }
  }
}
