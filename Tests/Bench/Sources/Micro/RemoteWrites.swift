import TelemetryData

@testable import PrometheusData

/// Scraped metrics as remote-write requests; items are samples of about eight labels.
extension Operation {
  static func remoteWrites() -> [Operation] {
    let batch = scraped()
    let count = batch.itemCount
    var settings = TranslationSettings()
    settings.addsTargetInfo = false
    let walking = Encoding { SeriesWalker(settings) }
    let first = Encoder(.writeRequest, settings)
    let second = Encoder(.request, settings)
    return [
      Operation("series of a batch", items: count) { walking.walk(batch) },
      Operation("remote write 1.0: translate, encode, snappy", items: count, goal: 450) {
        try first.encode(batch)
      },
      Operation("remote write 2.0: translate, encode, snappy", items: count) { try second.encode(batch) },
    ]
  }

  /// Keeps an encoder over the calls.
  private final class Encoder {
    private var encoder: RemoteWriteEncoder
    init(_ message: RemoteWriteMessage, _ settings: TranslationSettings) {
      encoder = RemoteWriteEncoder(message, settings)
    }
    func encode(_ batch: Batch) throws -> Int {
      try encoder.encode(batch).rows.joined().reduce(0) { $0 + $1.body.count }
    }
  }

  private final class Encoding {
    private var walker: SeriesWalker
    private var sink = CountingSink()
    init(_ make: () -> SeriesWalker) { walker = make() }
    func walk(_ batch: Batch) -> Int {
      walker.walk(batch, into: &sink)
      return sink.bytes
    }
  }

  private struct CountingSink: SeriesSink {
    var bytes = 0
    mutating func begin(_ family: borrowing SeriesFamily) { bytes &+= family.name.count }
    mutating func beginPoint(_ labels: borrowing SeriesLabels) {}
    mutating func sample(
      _ labels: borrowing SeriesLabels, _ point: SeriesPoint, exemplars: borrowing SeriesExemplars
    ) {
      for index in 0..<labels.count where !labels.isFixed(index) { bytes &+= labels.value(index).count }
    }
    mutating func histogram(
      _ labels: borrowing SeriesLabels, _ point: SeriesPoint, _ histogram: borrowing NativeHistogram,
      exemplars: borrowing SeriesExemplars
    ) {}
  }

  /// 50 metrics of 100 points, six attributes each, as the prometheus receiver makes them of a target.
  private static func scraped() -> Batch {
    var builder = BatchBuilder(.metrics, capacity: 1 << 20)
    builder.beginResource(
      ResourceValue(attributes: [
        "service.name": "checkout", "service.instance.id": "10.0.0.17:9100", "server.address": "10.0.0.17",
        "server.port": "9100", "url.scheme": "http",
      ]))
    builder.beginScope()
    for metric in 0..<50 {
      var points: [NumberDataPointValue] = []
      for index in 0..<100 {
        points.append(
          NumberDataPointValue(
            attributes: [
              "cluster": "production-eu", "code": "200", "handler": .string("/api/v1/orders/\(index)"),
              "method": "GET", "namespace": "shop", "pod": .string("checkout-7d4b9c\(index % 10)"),
            ], startTime: 1_700_000_000_000_000_000, time: 1_780_000_000_000_000_000,
            value: .double(Double(metric &* 1000 &+ index) * 1.37)))
      }
      builder.add(
        MetricValue(
          name: "http_server_requests_\(metric)_total", description: "Requests.",
          data: .sum(points, .cumulative, isMonotonic: true), metadata: ["prometheus.type": "counter"]))
    }
    return builder.finish()
  }
}
