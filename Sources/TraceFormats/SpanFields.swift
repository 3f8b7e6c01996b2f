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
  /// From the tag of the first attribute to the end of the last.
  var attributesRange = WireRange(start: 0, end: 0)
  var events = 0
  var links = 0
  var droppedAttributes: UInt64 = 0
  var droppedEvents: UInt64 = 0
  var droppedLinks: UInt64 = 0

  /// Walks once; stops for good at malformed bytes, which a checked batch has not.
  ///
  /// Fields that are only counted are stepped over without a look: making a `WireField` of each took three times as long.
  init(_ span: borrowing SpanView) {
    var cursor = span.message.fields
    do throws(WireError) {
      while cursor.offset < cursor.end {
        let place = cursor.offset
        let tag = try cursor.readTag()
        // The number of the field, and its wire type below.
        switch tag.rawValue {
        case 9 << 3 | 2:
          if attributes == 0 { attributesRange.start = UInt32(truncatingIfNeeded: place) }
          try cursor.skip(tag)
          attributes &+= 1 &+ cursor.skipShort(9 << 3 | 2)
          attributesRange.end = UInt32(truncatingIfNeeded: cursor.offset)
        case 1 << 3 | 2: traceID = try cursor.readLengthDelimited()
        case 2 << 3 | 2: spanID = try cursor.readLengthDelimited()
        case 3 << 3 | 2: traceState = try cursor.readLengthDelimited()
        case 4 << 3 | 2: parentSpanID = try cursor.readLengthDelimited()
        case 5 << 3 | 2: name = try cursor.readLengthDelimited()
        case 6 << 3: kind = try cursor.readVarint()
        case 7 << 3 | 1: start = try cursor.readFixed64()
        case 8 << 3 | 1: end = try cursor.readFixed64()
        case 10 << 3: droppedAttributes = try cursor.readVarint() & 0xFFFF_FFFF
        case 11 << 3 | 2:
          events &+= 1
          try cursor.skip(tag)
        case 12 << 3: droppedEvents = try cursor.readVarint() & 0xFFFF_FFFF
        case 13 << 3 | 2:
          links &+= 1
          try cursor.skip(tag)
        case 14 << 3: droppedLinks = try cursor.readVarint() & 0xFFFF_FFFF
        case 15 << 3 | 2: setStatus(try cursor.readMessage())
        case 16 << 3 | 5: flags = UInt64(try cursor.readFixed32())
        default: try cursor.skip(tag)
        }
      }
    } catch {
      cursor.offset = cursor.end
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
