internal import TelemetryData
internal import WireFormat

/// Reads `jaeger.api_v2.PostSpansRequest` (jaeger-idl `proto/api_v2`).
///
/// Fields may come in any order. A span may bring a process of its own, which counts before that of its batch.
struct JaegerProtoReader: ~Copyable {
  private let writer: JaegerSpanWriter
  private var span = JaegerSpan()
  private var tags: [JaegerTag] = []
  private var faults = SpanDrops()
  /// The process that was read last, and the resource that it is.
  private var process = WireRange(start: 0, end: 0)
  private var resource: Int?

  init(_ assembly: SpanAssembly) { writer = JaegerSpanWriter(assembly: assembly) }

  consuming func read(_ bytes: Span<UInt8>) throws(TraceFormatError) -> SpanDrops {
    do throws(Failure) {
      var request = WireCursor(bytes)
      while let field = try request.field() {
        if field.tag == .lengthDelimited(1) { try readBatch(bytes, field.value) }
      }
    } catch {
      throw error.error
    }
    return faults
  }

  /// Either kind of error, so that bodies need no wrapping at each call.
  fileprivate struct Failure: Error {
    let error: TraceFormatError
    init(_ error: WireError) { self.error = TraceFormatError(error) }
    init(_ error: TraceFormatError) { self.error = error }
  }

  private mutating func readBatch(_ bytes: Span<UInt8>, _ range: WireRange) throws(Failure) {
    var processes = WireCursor(bytes, in: range)
    var own = WireRange(start: 0, end: 0)
    while let field = try processes.field() {
      if field.tag == .lengthDelimited(2) { own = field.value }
    }
    var spans = WireCursor(bytes, in: range)
    while let field = try spans.field() {
      if field.tag == .lengthDelimited(1) { try readSpan(bytes, field.value, process: own) }
    }
  }

  private mutating func readSpan(
    _ bytes: Span<UInt8>, _ range: WireRange, process batchProcess: WireRange
  ) throws(Failure) {
    span.reset()
    var process = batchProcess
    var cursor = WireCursor(bytes, in: range)
    while let field = try cursor.field() {
      switch field.tag {
      case .lengthDelimited(1): (span.traceHigh, span.traceLow) = Self.traceID(bytes, field.value)
      case .lengthDelimited(2): span.spanID = Self.spanID(bytes, field.value)
      case .lengthDelimited(3): span.name = field.value
      case .lengthDelimited(4): span.references.append(try reference(bytes, field.value))
      case .varint(5): span.flags = UInt32(truncatingIfNeeded: field.number)
      case .lengthDelimited(6):
        let time = try secondsAndNanoseconds(bytes, field.value)
        span.start = Nanoseconds.time(seconds: time.seconds, nanoseconds: time.nanoseconds)
      case .lengthDelimited(7):
        let time = try secondsAndNanoseconds(bytes, field.value)
        span.duration = Nanoseconds.duration(seconds: time.seconds, nanoseconds: time.nanoseconds)
      case .lengthDelimited(8): span.tags.append(try tag(bytes, field.value))
      case .lengthDelimited(9): try readLog(bytes, field.value)
      case .lengthDelimited(10): process = field.value
      default: break
      }
    }
    if span.fault == nil, self.resource == nil || !isSame(process, bytes) {
      try readProcess(bytes, process)
    }
    do throws(TraceFormatError) {
      try writer.write(span, bytes, resource: resource ?? 0, faults: &faults)
    } catch {
      throw Failure(error)
    }
  }

  /// Whether a process reads like the one before.
  private func isSame(_ other: WireRange, _ bytes: Span<UInt8>) -> Bool {
    other == process || bytes.extracting(other.range).hasSameBytes(as: bytes.extracting(process.range))
  }

  private mutating func readProcess(_ bytes: Span<UInt8>, _ range: WireRange) throws(Failure) {
    tags.removeAll(keepingCapacity: true)
    var service = WireRange(start: 0, end: 0)
    var cursor = WireCursor(bytes, in: range)
    while let field = try cursor.field() {
      switch field.tag {
      case .lengthDelimited(1): service = field.value
      case .lengthDelimited(2): tags.append(try tag(bytes, field.value))
      default: break
      }
    }
    process = range
    resource = writer.resource(service: bytes.extracting(service.range), tags: tags, bytes)
  }

  private mutating func readLog(_ bytes: Span<UInt8>, _ range: WireRange) throws(Failure) {
    var log = JaegerLog()
    let first = span.fields.count
    var cursor = WireCursor(bytes, in: range)
    while let field = try cursor.field() {
      switch field.tag {
      case .lengthDelimited(1):
        let time = try secondsAndNanoseconds(bytes, field.value)
        log.time = Nanoseconds.time(seconds: time.seconds, nanoseconds: time.nanoseconds)
      case .lengthDelimited(2): span.fields.append(try tag(bytes, field.value))
      default: break
      }
    }
    log.fields = first..<span.fields.count
    span.logs.append(log)
  }

  private func tag(_ bytes: Span<UInt8>, _ range: WireRange) throws(Failure) -> JaegerTag {
    var tag = JaegerTag()
    var type: UInt64 = 0
    var (text, binary) = (WireRange(start: 0, end: 0), WireRange(start: 0, end: 0))
    var (bool, int, double): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var cursor = WireCursor(bytes, in: range)
    while let field = try cursor.field() {
      switch field.tag {
      case .lengthDelimited(1): tag.key = field.value
      case .varint(2): type = field.number
      case .lengthDelimited(3): text = field.value
      case .varint(4): bool = field.number
      case .varint(5): int = field.number
      case .fixed64(6): double = field.number
      case .lengthDelimited(7): binary = field.value
      default: break
      }
    }
    switch type {
    case 0: (tag.kind, tag.value) = (.string, text)
    case 1: (tag.kind, tag.bits) = (.bool, bool)
    case 2: (tag.kind, tag.bits) = (.int, int)
    case 3: (tag.kind, tag.bits) = (.double, double)
    case 4: (tag.kind, tag.value) = (.binary, binary)
    default: (tag.kind, tag.bits) = (.unknown, type)
    }
    return tag
  }

  private func reference(_ bytes: Span<UInt8>, _ range: WireRange) throws(Failure) -> JaegerReference {
    var reference = JaegerReference(traceHigh: 0, traceLow: 0, spanID: 0, isChildOf: true)
    var cursor = WireCursor(bytes, in: range)
    while let field = try cursor.field() {
      switch field.tag {
      case .lengthDelimited(1): (reference.traceHigh, reference.traceLow) = Self.traceID(bytes, field.value)
      case .lengthDelimited(2): reference.spanID = Self.spanID(bytes, field.value)
      case .varint(3): reference.isChildOf = field.number == 0
      default: break
      }
    }
    return reference
  }

  /// A `google.protobuf.Timestamp` or `Duration`.
  private func secondsAndNanoseconds(
    _ bytes: Span<UInt8>, _ range: WireRange
  ) throws(Failure) -> (seconds: Int64, nanoseconds: Int64) {
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    var cursor = WireCursor(bytes, in: range)
    while let field = try cursor.field() {
      switch field.tag {
      case .varint(1): seconds = Int64(bitPattern: field.number)
      case .varint(2): nanoseconds = Int64(Int32(truncatingIfNeeded: field.number))
      default: break
      }
    }
    return (seconds, nanoseconds)
  }

  /// 16 bytes, or the 8 of older clients; zero, which is no id, when there are neither.
  private static func traceID(_ bytes: Span<UInt8>, _ range: WireRange) -> (high: UInt64, low: UInt64) {
    switch range.count {
    case 16: (bytes.bigEndian64(at: range.lowerBound), bytes.bigEndian64(at: range.lowerBound + 8))
    case 8: (0, bytes.bigEndian64(at: range.lowerBound))
    default: (0, 0)
    }
  }

  private static func spanID(_ bytes: Span<UInt8>, _ range: WireRange) -> UInt64 {
    range.count == 8 ? bytes.bigEndian64(at: range.lowerBound) : 0
  }
}

extension WireCursor {
  @inline(__always)
  fileprivate mutating func field() throws(JaegerProtoReader.Failure) -> WireField? {
    do throws(WireError) {
      return try readField()
    } catch {
      throw JaegerProtoReader.Failure(error)
    }
  }
}
