import PrometheusData
import TelemetryData
import Testing
import WireFormat

/// Native histograms of remote write as OTLP histograms.
@Suite struct RemoteWriteHistogramTests {
  /// A `Histogram` message with integer counts.
  static func message(
    schema: Int64 = 0, count: UInt64 = 0, sum: Double = 0, zero: (Double, UInt64) = (0, 0),
    positive: ([(Int64, UInt64)], [Int64]) = ([], []), negative: ([(Int64, UInt64)], [Int64]) = ([], []),
    bounds: [Double] = [], time: Int64 = 1000, floats: [Double] = []
  ) -> [UInt8] {
    var writer = WireWriter()
    writer.varintField(1, count)
    writer.doubleField(3, sum)
    writer.sintField(4, schema)
    writer.doubleField(5, zero.0)
    writer.varintField(6, zero.1)
    for (number, side) in [(8 as UInt32, negative), (11, positive)] {
      for span in side.0 {
        writer.message(number) { writer in
          writer.sintField(1, span.0)
          writer.varintField(2, span.1)
        }
      }
      writer.packedVarintField(number + 1, side.1.map { ZigZag.encode($0) })
    }
    writer.packedDoubleField(13, floats)
    writer.intField(15, time)
    writer.packedDoubleField(16, bounds)
    return writer.finish()
  }

  static func read(_ histograms: [[UInt8]]) throws -> RemoteWriteReading {
    var series = WrittenSeries("latency", [Label("a", "b")])
    series.histograms = histograms
    return try RemoteWriteReaderTests.read(.v2, [series])
  }

  @Test func `spans and deltas become buckets without gaps`() throws {
    // Buckets 0, 1 and 4: (0.5, 1], (1, 2] and (8, 16].
    let histogram = Self.message(
      schema: 0, count: 12, sum: 30.5, zero: (1e-9, 2), positive: ([(0, 2), (2, 1)], [3, -1, 2]),
      negative: ([(-3, 1)], [1]))
    let batch = try Self.read([histogram]).batch
    let metric = batch.metric(at: 0)
    #expect(metric.kind == .exponentialHistogram && metric.aggregationTemporality == .cumulative)
    metric.exponentialHistogramDataPoints.forEach { point in
      #expect(point.count == 12 && point.sum == 30.5 && point.scale == 0 && point.time == 1_000_000_000)
      #expect(point.zeroCount == 2 && point.zeroThreshold == 1e-9)
      #expect(point.positive?.offset == -1)
      #expect(point.positive?.bucketCounts.array == [3, 2, 0, 0, 4])
      #expect(point.negative?.offset == -4)
      #expect(point.negative?.bucketCounts.array == [1])
      #expect(point.attributes.values == ["a": "b"])
    }
  }

  @Test func `custom buckets become an explicit histogram`() throws {
    let histogram = Self.message(
      schema: -53, count: 6, sum: 7, positive: ([(1, 2)], [2, 2]), bounds: [0.1, 1])
    let batch = try Self.read([histogram]).batch
    #expect(batch.metric(at: 0).kind == .histogram)
    batch.metric(at: 0).histogramDataPoints.forEach { point in
      #expect(point.explicitBounds.array == [0.1, 1])
      #expect(point.bucketCounts.array == [0, 2, 4])
      #expect(point.count == 6 && point.sum == 7)
    }
  }

  @Test func `float counts are rounded`() throws {
    let histogram = Self.message(schema: 1, positive: ([(0, 2)], []), floats: [1.4, 2.6])
    let batch = try Self.read([histogram]).batch
    batch.metric(at: 0).exponentialHistogramDataPoints.forEach {
      #expect($0.positive?.bucketCounts.array == [1, 3])
    }
    #expect(batch.itemCount == 1)
  }

  @Test func `a stale marker becomes a point without a value`() throws {
    let batch = try Self.read([Self.message(sum: StaleMarker.value)]).batch
    batch.metric(at: 0).exponentialHistogramDataPoints.forEach {
      #expect($0.flags == 1 && $0.sum == nil)
    }
    #expect(batch.itemCount == 1)
  }

  @Test func `buckets far apart are joined until they fit`() throws {
    let histogram = Self.message(
      schema: 8, count: 2, positive: ([(-200_000, 1), (399_999, 1)], [1, 0]))
    let batch = try Self.read([histogram]).batch
    batch.metric(at: 0).exponentialHistogramDataPoints.forEach { point in
      let counts = point.positive?.bucketCounts.array ?? []
      #expect(point.scale == 3)
      #expect(counts.count <= 16_384 && counts.reduce(0, +) == 2)
      #expect(point.positive?.offset == Int32(-200_001 >> 5))
    }
    #expect(batch.itemCount == 1)
  }

  struct Bad: Sendable, CustomTestStringConvertible {
    let name: String
    let message: [UInt8]
    let reason: String
    var testDescription: String { name }
  }

  static let bad = [
    Bad(name: "schema", message: message(schema: 9), reason: "a histogram has an unknown schema"),
    Bad(
      name: "fewer buckets than spans say", message: message(positive: ([(0, 2)], [1])),
      reason: "a histogram's spans and buckets do not fit together"),
    Bad(
      name: "more buckets than spans say", message: message(positive: ([(0, 1)], [1, 1])),
      reason: "a histogram's spans and buckets do not fit together"),
    Bad(
      name: "a span that goes back", message: message(positive: ([(0, 1), (-1, 1)], [1, 1])),
      reason: "a histogram's spans and buckets do not fit together"),
    Bad(
      name: "a huge span", message: message(positive: ([(0, .max)], [1])),
      reason: "a histogram's spans and buckets do not fit together"),
    Bad(
      name: "an index beyond every number", message: message(positive: ([(2_000_000_000, 1)], [1])),
      reason: "a histogram has buckets beyond the largest number"),
    Bad(
      name: "a negative count", message: message(positive: ([(0, 2)], [1, -2])),
      reason: "a histogram has a negative or infinite count"),
    Bad(
      name: "a count beyond 64 bits", message: message(positive: ([(0, 2)], [.max, .max])),
      reason: "a histogram has a negative or infinite count"),
    Bad(
      name: "an infinite count", message: message(positive: ([(0, 1)], []), floats: [.infinity]),
      reason: "a histogram has a negative or infinite count"),
    Bad(
      name: "a zero threshold below zero", message: message(zero: (-1, 0)),
      reason: "a histogram's zero threshold is not a positive number"),
    Bad(
      name: "a zero bucket beside bounds", message: message(schema: -53, zero: (0, 1), bounds: [1]),
      reason: "a histogram's spans and buckets do not fit together"),
    Bad(
      name: "bounds that do not ascend", message: message(schema: -53, bounds: [1, 1]),
      reason: "a histogram's custom bounds do not ascend"),
    Bad(
      name: "a bucket behind the bounds",
      message: message(schema: -53, positive: ([(2, 1)], [1]), bounds: [1]),
      reason: "a histogram has buckets beyond the largest number"),
  ]

  @Test(arguments: bad)
  func `a histogram that makes no sense is left out`(bad: Bad) throws {
    let reading = try Self.read([bad.message])
    #expect(reading.batch.isEmpty)
    #expect(reading.firstFault == "series 1: \(bad.reason)")
  }
}
