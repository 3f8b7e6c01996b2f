import TelemetryData
import Testing

@testable import PrometheusData

@Suite struct HistogramTranslationTests {
  static func histogram(_ attributes: Attributes = []) -> HistogramDataPointValue {
    HistogramDataPointValue(
      attributes: attributes, startTime: pointTime - 1_000_000_000, time: pointTime, count: 10, sum: 12.5,
      bucketCounts: [1, 2, 3, 4], explicitBounds: [0.5, 1, 1_000_000])
  }

  static func metric(_ points: HistogramDataPointValue..., metadata: Attributes = []) -> MetricValue {
    MetricValue(name: "h", unit: "s", data: .histogram(points, .cumulative), metadata: metadata)
  }

  @Test(arguments: RemoteWriteMessage.allCases)
  func `a histogram has cumulative buckets, sum and count`(message: RemoteWriteMessage) throws {
    let batch = metrics(
      Self.metric(Self.histogram(["a": "1", "z": "2"]), Self.histogram(["a": "3", "z": "4"])))
    let expected = [("1", "2"), ("3", "4")].flatMap { a, z in
      [
        #"h_seconds_bucket{a="\#(a)",le="0.5",z="\#(z)"} 1.0"#,
        #"h_seconds_bucket{a="\#(a)",le="1.0",z="\#(z)"} 3.0"#,
        #"h_seconds_bucket{a="\#(a)",le="1e+06",z="\#(z)"} 6.0"#,
        #"h_seconds_bucket{a="\#(a)",le="+Inf",z="\#(z)"} 10.0"#,
        #"h_seconds_sum{a="\#(a)",z="\#(z)"} 12.5"#, #"h_seconds_count{a="\#(a)",z="\#(z)"} 10.0"#,
      ]
    }
    #expect(try lines(batch, TranslationSettings(), message) == expected)
    if message == .request {
      let series = try translate(batch, TranslationSettings(), message).series
      #expect(
        series.allSatisfy { $0.type == 3 && $0.unit == "seconds" && $0.created == pointMilliseconds - 1000 })
      #expect(series.allSatisfy { $0.samples[0].start == pointMilliseconds - 1000 })
    }
  }

  @Test func `a histogram without buckets has one, and no sum where there is none`() throws {
    let point = HistogramDataPointValue(attributes: ["le": "mine"], time: pointTime, count: 7)
    #expect(
      try lines(metrics(Self.metric(point))) == [
        #"h_seconds_bucket{le="+Inf"} 7.0"#, #"h_seconds_count{le="mine"} 7.0"#,
      ])
  }

  @Test func `buckets that do not add up are dropped`() throws {
    var few = Self.histogram()
    few.bucketCounts = [1]
    var falling = Self.histogram()
    falling.explicitBounds = [1, 1, 2]
    let result = try translate(metrics(Self.metric(few, falling)))
    #expect(result.series.isEmpty)
    #expect(result.drops[.buckets] == 2)
  }

  @Test func `exemplars go to the buckets that they are in`() throws {
    var point = Self.histogram()
    point.exemplars = [
      ExemplarValue(
        time: pointTime, value: .double(5), spanID: [1, 2, 3, 4, 5, 6, 7, 8],
        traceID: Array(repeating: 0xab, count: 16)),
      ExemplarValue(filteredAttributes: ["user.id": "u", "a": 1], time: pointTime, value: .double(0.5)),
      ExemplarValue(
        filteredAttributes: ["long": .string(String(repeating: "x", count: 130))], value: .double(1e9)),
    ]
    let series = try translate(metrics(Self.metric(point))).series
    #expect(series[0].exemplars == ["a 1 user_id u 0.5 \(pointMilliseconds)"])
    #expect(series[1].exemplars == [])
    #expect(
      series[2].exemplars == [
        "span_id 0102030405060708 trace_id \(String(repeating: "ab", count: 16)) 5.0 \(pointMilliseconds)"
      ])
    #expect(series[3].exemplars == [" 1000000000.0 0"])
    #expect(series[4].exemplars == [])
  }

  @Test func `exemplars of counters are sent, those of gauges not`() throws {
    var point = number()
    point.exemplars = [
      ExemplarValue(time: pointTime, value: .int(3), traceID: Array(repeating: 1, count: 16))
    ]
    let batch = metrics(
      MetricValue(name: "c", data: .sum([point], .cumulative, isMonotonic: true)),
      MetricValue(name: "u", data: .sum([point], .cumulative, isMonotonic: false)),
      MetricValue(name: "g", data: .gauge([point])))
    for message in RemoteWriteMessage.allCases {
      #expect(
        try translate(batch, TranslationSettings(), message).series.map(\.exemplars.count) == [1, 0, 0])
    }
  }

  @Test(arguments: RemoteWriteMessage.allCases)
  func `an exponential histogram becomes a native one`(message: RemoteWriteMessage) throws {
    let point = ExponentialHistogramDataPointValue(
      attributes: ["a": "b"], startTime: 2_000_000, time: pointTime, count: 20, sum: 30, scale: 1,
      zeroCount: 2,
      positive: BucketsValue(offset: -1, bucketCounts: [1, 0, 3, 0, 0, 0, 4]),
      negative: BucketsValue(offset: 5, bucketCounts: [0, 10]))
    let series = try translate(
      metrics(MetricValue(name: "e", data: .exponentialHistogram([point], .cumulative))),
      TranslationSettings(), message
    ).series
    #expect(series.map(\.text) == [#"e{a="b"}"#])
    var expected = DecodedHistogram()
    expected.count = 20
    expected.sum = 30
    expected.schema = 1
    expected.zeroThreshold = 1e-128
    expected.zeroCount = 2
    expected.positiveSpans = [[0, 3], [3, 1]]
    expected.positiveDeltas = [1, -1, 3, 1]
    expected.negativeSpans = [[7, 1]]
    expected.negativeDeltas = [10]
    expected.timestamp = pointMilliseconds
    expected.start = message == .request ? 2 : 0
    #expect(series[0].histograms == [expected])
  }

  @Test func `a finer scale than 8 is brought down, a coarser one than -4 dropped`() throws {
    func point(_ scale: Int32) -> ExponentialHistogramDataPointValue {
      ExponentialHistogramDataPointValue(
        time: pointTime, count: 10, scale: scale,
        positive: BucketsValue(offset: -5, bucketCounts: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        zeroThreshold: 0.5)
    }
    let batch = metrics(
      MetricValue(
        name: "e", data: .exponentialHistogram([point(10), point(-5), point(.max), point(-4)], .cumulative)))
    let result = try translate(batch)
    #expect(result.drops[.scale] == 1)
    let histograms = result.series.flatMap(\.histograms)
    #expect(histograms.map(\.schema) == [8, 8, -4])
    // Indexes -5…4 by fours: -2 (1), -1 (4), 0 (4), 1 (1).
    #expect(histograms[0].positiveSpans == [[-1, 4]])
    #expect(histograms[0].positiveDeltas == [1, 3, 0, -3])
    #expect(histograms[1].positiveSpans == [[0, 2]])
    #expect(histograms[1].positiveDeltas == [5, 0])
    #expect(histograms[0].zeroThreshold == 0.5)
  }

  @Test func `a stale native histogram has the marker as sum and count`() throws {
    let point = ExponentialHistogramDataPointValue(time: pointTime, count: 3, scale: 2, flags: 1)
    let histogram = try translate(
      metrics(MetricValue(name: "e", data: .exponentialHistogram([point], .cumulative)))
    ).series[0].histograms[0]
    #expect(StaleMarker.isStale(histogram.sum))
    #expect(histogram.count == StaleMarker.bits)
    #expect(histogram.positiveSpans.isEmpty)
  }

  @Test func `a histogram with bounds can become a native one`() throws {
    var settings = TranslationSettings()
    settings.convertsToCustomBuckets = true
    let batch = metrics(Self.metric(Self.histogram()))
    var series = try translate(batch, settings).series
    #expect(series.map(\.text) == ["h_seconds"])
    let histogram = series[0].histograms[0]
    #expect(histogram.schema == -53)
    #expect(histogram.customValues == [0.5, 1, 1_000_000])
    #expect(histogram.positiveSpans == [[0, 4]])
    #expect(histogram.positiveDeltas == [1, 1, 1, 1])
    settings.keepsClassicHistograms = true
    series = try translate(batch, settings).series
    #expect(series.count == 7)
  }

  @Test func `a summary has quantiles, sum and count`() throws {
    let point = SummaryDataPointValue(
      attributes: ["a": "b"], time: pointTime, count: 4, sum: 8,
      quantileValues: [QuantileValue(quantile: 0.5, value: 1), QuantileValue(quantile: 1, value: 3)])
    #expect(
      try lines(metrics(MetricValue(name: "s", data: .summary([point, point]))))
        == Array(
          repeating: [
            #"s{a="b",quantile="0.5"} 1.0"#, #"s{a="b",quantile="1.0"} 3.0"#, #"s_sum{a="b"} 8.0"#,
            #"s_count{a="b"} 4.0"#,
          ], count: 2
        ).flatMap(\.self))
  }
}
