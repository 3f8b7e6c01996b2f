internal import TelemetryData
internal import WireFormat

/// One side of a span.
struct ZipkinEndpoint {
  var service = WireRange(start: 0, end: 0)
  /// Text.
  var ipv4 = WireRange(start: 0, end: 0)
  var ipv6 = WireRange(start: 0, end: 0)
  var port: UInt64 = 0
}

/// An annotation of a span.
struct ZipkinAnnotation {
  /// Microseconds since the Unix epoch.
  var time: UInt64 = 0
  var value = WireRange(start: 0, end: 0)
}

/// One span of Zipkin's as far as it has been read, its texts one behind the other. Used again for the next span.
struct ZipkinSpan {
  var text: [UInt8] = []
  var traceHigh: UInt64 = 0
  var traceLow: UInt64 = 0
  var id: UInt64 = 0
  var parent: UInt64 = 0
  /// `SpanKind` of OTLP.
  var kind: UInt64 = 0
  var name = WireRange(start: 0, end: 0)
  /// Microseconds since the Unix epoch; 0 when it is not known.
  var timestamp: UInt64 = 0
  /// Microseconds.
  var duration: UInt64 = 0
  var local = ZipkinEndpoint()
  var remote = ZipkinEndpoint()
  var annotations: [ZipkinAnnotation] = []
  /// Tags of Zipkin's are Jaeger's of one type.
  var tags: [JaegerTag] = []

  /// Forgets everything and keeps the memory.
  mutating func reset() {
    text.removeAll(keepingCapacity: true)
    (traceHigh, traceLow, id, parent, kind, timestamp, duration) = (0, 0, 0, 0, 0, 0, 0)
    name = WireRange(start: 0, end: 0)
    (local, remote) = (ZipkinEndpoint(), ZipkinEndpoint())
    annotations.removeAll(keepingCapacity: true)
    tags.removeAll(keepingCapacity: true)
  }

  /// Keeps a text.
  mutating func keep(_ bytes: Span<UInt8>) -> WireRange {
    let start = text.count
    BytesView(bytes).append(to: &text)
    return WireRange(start, text.count)
  }

  mutating func addTag(_ key: WireRange, _ value: WireRange) {
    var tag = JaegerTag()
    (tag.key, tag.value) = (key, value)
    tags.append(tag)
  }

  /// What is wrong with the ids; nil when nothing is.
  var fault: SpanDrops.Reason? {
    if traceHigh == 0, traceLow == 0 { return .invalidTraceID }
    return id == 0 ? .invalidSpanID : nil
  }

  static func kind(_ name: String) -> UInt64 {
    switch name.uppercased() {
    case "SERVER": 2
    case "CLIENT": 3
    case "PRODUCER": 4
    case "CONSUMER": 5
    default: 0
    }
  }
}
