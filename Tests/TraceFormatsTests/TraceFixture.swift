import TelemetryData
import WireFormat

@testable import TraceFormats

/// Batches with everything that a span can hold, as far as Jaeger's formats can say it.
enum TraceFixture {
  static let traceID: [UInt8] = [0xAB, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xFF]
  static let spanID: [UInt8] = [0xFF, 0, 0, 0, 0, 0, 0, 1]
  static let parentID: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 2]

  static func full(_ change: (inout SpanValue) -> Void = { _ in }) -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(
      ResourceValue(attributes: ["service.name": "shop", "host.name": "h", "process.pid": 7]))
    builder.beginScope(ScopeValue(name: "lib", version: "1.2"))
    var span = full
    change(&span)
    builder.add(span)
    return builder.finish()
  }

  static var full: SpanValue {
    var span = SpanValue(
      traceID: traceID, spanID: spanID, name: "GET /", startTime: start, endTime: start + 5_000_000)
    span.parentSpanID = parentID
    span.traceState = "a=1"
    span.kind = 2
    span.flags = 1
    span.attributes = [
      "text": "x", "count": -3, "flag": true, "ratio": 0.5, "raw": .bytes([0xFF, 0]),
    ]
    span.droppedAttributesCount = 1
    span.droppedEventsCount = 2
    span.droppedLinksCount = 3
    span.status = StatusValue(message: "it broke", code: 2)
    var event = SpanEventValue(time: start + 1_000_000, name: "exception")
    event.attributes = ["why": "because"]
    event.droppedAttributesCount = 4
    span.events = [event]
    var link = SpanLinkValue(traceID: spanID + spanID, spanID: parentID)
    link.attributes = ["opentracing.ref_type": "follows_from"]
    span.links = [link]
    return span
  }

  static let start: UInt64 = 1_700_000_000_123_456_000

  /// What a batch says, in OTLP-JSON; a scope that says nothing is none.
  static func json(_ batch: Batch) -> String {
    var json: [UInt8] = []
    try? batch.writeJSON(into: &json)
    return String(decoding: json, as: UTF8.self).replacing("\"scope\":{},", with: "")
  }
}
