internal import TelemetryData
internal import WireFormat

/// Reads `zipkin.proto3.ListOfSpans` (zipkin-api `zipkin.proto`).
struct ZipkinProtoReader {
  private var span = ZipkinSpan()

  init() {}

  mutating func read(_ bytes: Span<UInt8>, into writer: inout ZipkinSpanWriter) throws(TraceFormatError) {
    var list = WireCursor(bytes)
    while let field = try Self.field(&list) {
      guard field.tag == .lengthDelimited(1) else { continue }
      try readSpan(bytes, field.value)
      try writer.write(span)
    }
  }

  private static func field(_ cursor: inout WireCursor) throws(TraceFormatError) -> WireField? {
    do throws(WireError) {
      return try cursor.readField()
    } catch {
      throw TraceFormatError(error)
    }
  }

  private mutating func readSpan(_ bytes: Span<UInt8>, _ range: WireRange) throws(TraceFormatError) {
    span.reset()
    var cursor = WireCursor(bytes, in: range)
    while let field = try Self.field(&cursor) {
      switch field.tag {
      case .lengthDelimited(1):
        switch field.value.count {
        case 16:
          span.traceHigh = bytes.bigEndian64(at: field.value.lowerBound)
          span.traceLow = bytes.bigEndian64(at: field.value.lowerBound + 8)
        case 8: (span.traceHigh, span.traceLow) = (0, bytes.bigEndian64(at: field.value.lowerBound))
        default: (span.traceHigh, span.traceLow) = (0, 0)
        }
      case .lengthDelimited(2): span.parent = Self.id(bytes, field.value)
      case .lengthDelimited(3): span.id = Self.id(bytes, field.value)
      case .varint(4): span.kind = Self.kind(field.number)
      case .lengthDelimited(5): span.name = span.keep(bytes.extracting(field.value.range))
      case .fixed64(6): span.timestamp = field.number
      case .varint(7): span.duration = field.number
      case .lengthDelimited(8): span.local = try endpoint(bytes, field.value)
      case .lengthDelimited(9): span.remote = try endpoint(bytes, field.value)
      case .lengthDelimited(10): try readAnnotation(bytes, field.value)
      case .lengthDelimited(11): try readTag(bytes, field.value)
      default: break
      }
    }
  }

  private static func id(_ bytes: Span<UInt8>, _ range: WireRange) -> UInt64 {
    range.count == 8 ? bytes.bigEndian64(at: range.lowerBound) : 0
  }

  /// Zipkin numbers client and server, producer and consumer in another order.
  private static func kind(_ number: UInt64) -> UInt64 {
    switch number {
    case 1: 3
    case 2: 2
    case 3: 4
    case 4: 5
    default: 0
    }
  }

  private mutating func readAnnotation(_ bytes: Span<UInt8>, _ range: WireRange) throws(TraceFormatError) {
    var annotation = ZipkinAnnotation()
    var cursor = WireCursor(bytes, in: range)
    while let field = try Self.field(&cursor) {
      switch field.tag {
      case .fixed64(1): annotation.time = field.number
      case .lengthDelimited(2): annotation.value = span.keep(bytes.extracting(field.value.range))
      default: break
      }
    }
    span.annotations.append(annotation)
  }

  private mutating func readTag(_ bytes: Span<UInt8>, _ range: WireRange) throws(TraceFormatError) {
    var (key, value) = (WireRange(start: 0, end: 0), WireRange(start: 0, end: 0))
    var cursor = WireCursor(bytes, in: range)
    while let field = try Self.field(&cursor) {
      switch field.tag {
      case .lengthDelimited(1): key = span.keep(bytes.extracting(field.value.range))
      case .lengthDelimited(2): value = span.keep(bytes.extracting(field.value.range))
      default: break
      }
    }
    span.addTag(key, value)
  }

  private mutating func endpoint(
    _ bytes: Span<UInt8>, _ range: WireRange
  ) throws(TraceFormatError) -> ZipkinEndpoint {
    var endpoint = ZipkinEndpoint()
    var cursor = WireCursor(bytes, in: range)
    while let field = try Self.field(&cursor) {
      switch field.tag {
      case .lengthDelimited(1): endpoint.service = span.keep(bytes.extracting(field.value.range))
      case .lengthDelimited(2) where field.value.count == 4:
        endpoint.ipv4 = span.keep(InternetAddress.text(bytes.extracting(field.value.range)).utf8.span)
      case .lengthDelimited(3) where field.value.count == 16:
        endpoint.ipv6 = span.keep(InternetAddress.text(bytes.extracting(field.value.range)).utf8.span)
      case .varint(4): endpoint.port = field.number <= 65_535 ? field.number : 0
      default: break
      }
    }
    return endpoint
  }
}
