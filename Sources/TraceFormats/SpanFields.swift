internal import TelemetryData
internal import WireFormat

/// What a span holds once, gathered in one walk, and how often it holds the rest.
struct SpanFields {
  var traceID = WireRange(start: 0, end: 0)
  var spanID = WireRange(start: 0, end: 0)
  var parentSpanID = WireRange(start: 0, end: 0)
  var traceState = WireRange(start: 0, end: 0)
  var name = WireRange(start: 0, end: 0)
  var statusText = WireRange(start: 0, end: 0)
  /// `SpanKind` of OTLP.
  var kind: UInt64 = 0
  /// `StatusCode` of OTLP: 1 ok, 2 error.
  var statusCode: UInt64 = 0
  /// Nanoseconds since the Unix epoch.
  var start: UInt64 = 0
  var end: UInt64 = 0
  var flags: UInt64 = 0
  var attributes = 0
  var events = 0
  var links = 0
  var droppedAttributes: UInt64 = 0
  var droppedEvents: UInt64 = 0
  var droppedLinks: UInt64 = 0

  init(_ span: borrowing SpanView) {
    var cursor = span.message.fields
    while let field = cursor.nextField() {
      switch field.tag {
      case .lengthDelimited(1): traceID = field.value
      case .lengthDelimited(2): spanID = field.value
      case .lengthDelimited(3): traceState = field.value
      case .lengthDelimited(4): parentSpanID = field.value
      case .lengthDelimited(5): name = field.value
      case .varint(6): kind = field.number
      case .fixed64(7): start = field.number
      case .fixed64(8): end = field.number
      case .lengthDelimited(9): attributes &+= 1
      case .varint(10): droppedAttributes = field.number & 0xFFFF_FFFF
      case .lengthDelimited(11): events &+= 1
      case .varint(12): droppedEvents = field.number & 0xFFFF_FFFF
      case .lengthDelimited(13): links &+= 1
      case .varint(14): droppedLinks = field.number & 0xFFFF_FFFF
      case .lengthDelimited(15): setStatus(WireCursor(cursor.bytes, in: field.value))
      case .fixed32(16): flags = field.number
      default: break
      }
    }
  }

  private mutating func setStatus(_ message: consuming WireCursor) {
    statusCode = 0
    statusText = WireRange(start: 0, end: 0)
    while let field = message.nextField() {
      switch field.tag {
      case .lengthDelimited(2): statusText = field.value
      case .varint(3): statusCode = field.number
      default: break
      }
    }
  }

  /// What is wrong with the ids; nil when nothing is.
  func fault(in bytes: Span<UInt8>) -> SpanDrops.Reason? {
    if !bytes.isID(traceID, bytes: 16) { return .invalidTraceID }
    if !bytes.isID(spanID, bytes: 8) { return .invalidSpanID }
    return nil
  }

  /// Whether there is a parent.
  func hasParent(in bytes: Span<UInt8>) -> Bool { bytes.isID(parentSpanID, bytes: 8) }

  /// Nanoseconds from start to end, negative where clocks disagree; 0 for a span without an end.
  var duration: Int64 {
    if end == 0 { return 0 }
    return Int64(truncatingIfNeeded: end &- start)
  }
}

extension Span where Element == UInt8 {
  /// Whether so many bytes stand there that are not all zeros.
  @inline(__always)
  func isID(_ range: WireRange, bytes length: Int) -> Bool {
    guard range.count == length, range.upperBound <= count else { return false }
    var position = range.lowerBound
    while position &+ 8 <= range.upperBound {
      if loadUInt64(at: position) != 0 { return true }
      position &+= 8
    }
    return false
  }

  /// The big-endian number that stands at an offset.
  @inline(__always)
  func bigEndian64(at offset: Int) -> UInt64 { loadUInt64(at: offset).byteSwapped }
}
