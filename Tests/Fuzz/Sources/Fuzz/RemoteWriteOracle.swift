import TelemetryData
import WireFormat

@testable import PrometheusData

/// What must hold for remote-write requests of both versions.
enum RemoteWriteOracle {
  static let limit = 1 << 22

  static func check(_ body: [UInt8], _ message: RemoteWriteReader.Message) throws {
    let reader = RemoteWriteReader(message, metadata: RemoteWriteMetadataCache(limit: 1 << 16), limit: limit)
    guard let reading = try? reader.read(body) else { return }
    let bytes = reading.batch.bytes
    _ = try demand("checking the batch of a request") {
      try Batch(bytes: bytes, signal: .metrics, validation: .structure)
    }
    try require(bytes.count <= limit + 4096, "\(bytes.count) bytes were written, more than the limit")
    let points = reading.written.samples + reading.written.histograms
    // A `target_info` can go into its resource.
    try require(reading.batch.itemCount <= points, "more points than were written")
    if reading.rejectedSeries == 0 {
      try require(reading.firstFault.isEmpty, "a fault without a series: \(reading.firstFault)")
    } else {
      try require(!reading.firstFault.isEmpty, "no reason for \(reading.rejectedSeries) series")
    }
    var exemplars = 0
    reading.batch.forEachMetric { _, _, metric in
      metric.numberDataPoints.forEach { exemplars += $0.exemplars.count }
      metric.histogramDataPoints.forEach { exemplars += $0.exemplars.count }
      metric.exponentialHistogramDataPoints.forEach { exemplars += $0.exemplars.count }
    }
    try require(
      exemplars == reading.written.exemplars,
      "\(exemplars) exemplars in the batch, \(reading.written.exemplars) counted")
  }

  /// Requests of both versions, with everything that they can hold.
  static func seeds(_ message: RemoteWriteReader.Message) -> [[UInt8]] {
    let fields = RemoteWriteFields(message)
    var writer = WireWriter()
    func labels(_ pairs: [(String, String)], _ references: [UInt64], _ writer: inout WireWriter) {
      if message == .v2 { return writer.packedVarintField(1, references) }
      for (name, value) in pairs {
        writer.message(1) { writer in
          writer.stringField(1, name)
          writer.stringField(2, value)
        }
      }
    }
    if message == .v2 {
      for symbol in [
        "", "__name__", "target_info", "job", "a/b", "otel_scope_name", "s", "x_total", "trace_id",
      ] {
        writer.stringField(4, symbol)
      }
    } else {
      writer.message(3) { writer in
        writer.varintField(1, 1)
        writer.stringField(2, "x")
      }
    }
    for kind in 0..<4 {
      writer.message(message == .v1 ? 1 : 5) { writer in
        if kind == 0 {
          labels([("__name__", "target_info"), ("job", "a/b")], [1, 2, 3, 4], &writer)
        } else {
          labels(
            [("__name__", "x_total"), ("job", "a/b"), ("otel_scope_name", "s")], [1, 7, 3, 4, 5, 6], &writer)
        }
        if kind < 2 {
          writer.message(2) { writer in
            writer.doubleField(1, 1)
            writer.intField(2, 1000)
          }
        } else if kind == 2 {
          writer.message(fields.histograms) { writer in
            writer.varintField(1, 2)
            writer.message(11) { writer in
              writer.sintField(1, -2)
              writer.varintField(2, 1)
            }
            writer.packedVarintField(12, [4])
            writer.intField(15, 1000)
          }
        } else {
          writer.message(fields.exemplars) { writer in
            labels([("trace_id", "x")], [8, 7], &writer)
            writer.doubleField(2, 1)
          }
        }
      }
    }
    return [writer.finish()]
  }
}
