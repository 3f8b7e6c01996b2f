import PrometheusData
import TelemetryData
import Testing

/// What an endpoint keeps of the batches that come by.
@Suite struct ExpositionStoreTests {
  /// A store with its walker, and a clock.
  struct Bench: ~Copyable {
    var store: ExpositionStore
    var walker: SeriesWalker
    var now: Int64 = 0

    init(limit: Int = 1 << 30, expiration: Int64 = 1000, claims: Bool = false) {
      store = ExpositionStore(limit: limit, expiration: expiration, claimsBaseNames: claims)
      var settings = TranslationSettings()
      settings.accumulatesDeltas = true
      walker = SeriesWalker(settings)
    }

    @discardableResult
    mutating func take(_ metrics: [MetricValue]) -> ExpositionStore.Report {
      var builder = BatchBuilder(.metrics)
      builder.beginResource(ResourceValue(attributes: ["service.name": "shop"]))
      for metric in metrics { builder.add(metric) }
      store.begin(at: now)
      walker.walk(builder.finish(), into: &store)
      store.finish()
      return store.report
    }

    mutating func text() -> String {
      ExpositionWritingTests.text(store.snapshot(at: now))
    }
  }

  static func gauge(_ name: String, _ value: Double, time: UInt64 = 1, label: String = "a") -> MetricValue {
    MetricValue(
      name: name,
      data: .gauge([
        NumberDataPointValue(attributes: ["l": .string(label)], time: time * 1_000_000, value: .double(value))
      ]))
  }

  static func sum(_ value: Int64, _ temporality: AggregationTemporality, time: UInt64) -> MetricValue {
    MetricValue(
      name: "jobs",
      data: .sum(
        [NumberDataPointValue(startTime: 1_000_000, time: time * 1_000_000, value: .int(value))], temporality,
        isMonotonic: true))
  }

  static func histogram(_ counts: [UInt64], time: UInt64, bounds: [Double] = [1, 2]) -> MetricValue {
    MetricValue(
      name: "size", unit: "By",
      data: .histogram(
        [
          HistogramDataPointValue(
            time: time * 1_000_000, count: counts.reduce(0, +), sum: 5, bucketCounts: counts,
            explicitBounds: bounds)
        ], .delta))
  }

  @Test func `the last value counts, and an older one changes nothing`() {
    var bench = Bench()
    bench.take([Self.gauge("load", 1, time: 5)])
    bench.take([Self.gauge("load", 2, time: 6)])
    bench.take([Self.gauge("load", 3, time: 4)])
    #expect(bench.text() == "# TYPE load gauge\nload{job=\"shop\",l=\"a\"} 2 6\n")
    #expect(bench.store.count == 1)
  }

  @Test func `series without new values expire, and their memory is given back`() {
    var bench = Bench()
    bench.take([Self.gauge("load", 1), Self.gauge("load", 1, label: "b")])
    bench.now = 900
    bench.take([Self.gauge("load", 2, time: 2, label: "b")])
    bench.now = 1001
    #expect(bench.text() == "# TYPE load gauge\nload{job=\"shop\",l=\"b\"} 2 2\n")
    bench.now = 1901
    #expect(bench.text() == "")
    #expect(bench.store.bytes == 0)
    #expect(bench.take([Self.sum(1, .cumulative, time: 1)]).refused == 0)
  }

  @Test func `a series that has ended goes at once`() {
    var bench = Bench()
    bench.take([Self.gauge("load", 1), Self.gauge("load", 1, label: "b")])
    bench.take([
      MetricValue(
        name: "load",
        data: .gauge([NumberDataPointValue(attributes: ["l": "a"], time: 9_000_000, flags: 1)]))
    ])
    #expect(bench.text() == "# TYPE load gauge\nload{job=\"shop\",l=\"b\"} 1 1\n")
  }

  @Test func `deltas are added up`() {
    var bench = Bench()
    bench.take([Self.sum(3, .delta, time: 5), Self.histogram([1, 2, 3], time: 5)])
    bench.take([Self.sum(4, .delta, time: 6), Self.histogram([1, 0, 1], time: 6)])
    #expect(
      bench.text() == """
        # TYPE jobs_total counter
        jobs_total{job="shop"} 7 6
        # TYPE size_bytes histogram
        size_bytes_bucket{job="shop",le="1.0"} 2 6
        size_bytes_bucket{job="shop",le="2.0"} 4 6
        size_bytes_bucket{job="shop",le="+Inf"} 8 6
        size_bytes_sum{job="shop"} 10 6
        size_bytes_count{job="shop"} 8 6

        """)
    bench.take([Self.histogram([1, 1], time: 7, bounds: [3])])
    #expect(bench.text().contains("size_bytes_bucket{job=\"shop\",le=\"3.0\"} 1 7"))
  }

  @Test func `a name keeps its first type, and the other is reported once`() {
    var bench = Bench()
    bench.take([Self.gauge("jobs_total", 1)])
    let report = bench.take([Self.sum(3, .cumulative, time: 5)])
    #expect(report.conflicts == 1 && report.newConflict == "jobs_total")
    #expect(bench.take([Self.sum(3, .cumulative, time: 5)]).newConflict == nil)
    #expect(bench.text() == "# TYPE jobs_total gauge\njobs_total{job=\"shop\",l=\"a\"} 1 1\n")
  }

  @Test func `the series of a histogram belong to it alone`() {
    var bench = Bench()
    bench.take([Self.histogram([1, 1, 1], time: 1)])
    #expect(bench.take([Self.gauge("size_bytes_count", 1)]).conflicts == 1)
    var other = Bench()
    other.take([Self.gauge("size_bytes_count", 1)])
    #expect(other.take([Self.histogram([1, 1, 1], time: 1)]).conflicts == 1)
  }

  @Test func `what would take more than the limit is refused, and known series go on`() {
    var bench = Bench(limit: 20_000)
    var refused = 0
    for number in 0..<1000 {
      refused += bench.take([Self.gauge("load", 1, label: "\(number)")]).overLimit
    }
    #expect(refused > 900 && bench.store.count == 1000 - refused)
    #expect(bench.store.bytes <= 20_000)
    #expect(bench.take([Self.gauge("load", 7, time: 2, label: "0")]).overLimit == 0)
    #expect(bench.text().contains("load{job=\"shop\",l=\"0\"} 7 2"))
  }

  @Test func `a series of a histogram that came alone is of unknown type`() {
    var bench = Bench()
    var metric = Self.gauge("latency_bucket", 4)
    metric.metadata = ["prometheus.type": "histogram"]
    metric.data = .gauge([NumberDataPointValue(attributes: ["le": "0.5"], time: 1_000_000, value: .double(4))]
    )
    bench.take([metric])
    #expect(bench.text() == "# TYPE latency_bucket untyped\nlatency_bucket{job=\"shop\",le=\"0.5\"} 4 1\n")
  }

  @Test func `a snapshot does not change with the store`() {
    var bench = Bench()
    bench.take([Self.gauge("load", 1)])
    let before = bench.store.snapshot(at: 0)
    bench.take([Self.gauge("load", 2, time: 3)])
    #expect(ExpositionWritingTests.text(before) == "# TYPE load gauge\nload{job=\"shop\",l=\"a\"} 1 1\n")
  }
}
