internal import TelemetryData
internal import WireFormat

/// Reads Jaeger's Thrift structures (jaeger-idl `thrift/jaeger.thrift` and `agent.thrift`) in either protocol.
///
/// As with the generated code of every language, fields of another type than the schema's are stepped over, and a
/// required one that is missing is an error.
struct JaegerThriftReader: ~Copyable {
  private let writer: JaegerSpanWriter
  private var span = JaegerSpan()
  private var faults = SpanDrops()

  init(_ assembly: SpanAssembly) { writer = JaegerSpanWriter(assembly: assembly) }

  /// A call of `Agent.emitBatch`.
  mutating func readCall(_ reader: consuming ThriftReader) throws(TraceFormatError) -> SpanDrops {
    let name = try reader.readCall()
    guard reader.bytes.extracting(name.range).hasSameBytes(as: "emitBatch".utf8.span) else {
      let text = BytesView(reader.bytes.extracting(name.range)).string
      throw TraceFormatError(.unknownMethod(String(text.prefix(40))), at: name.lowerBound)
    }
    let start = reader.offset
    var isFound = false
    _ = reader.beginStructure()
    while let field = try reader.nextField() {
      if field.id == 1, field.type == .structure {
        try readBatch(&reader)
        isFound = true
      } else {
        try reader.skip(field)
      }
    }
    if !isFound { throw TraceFormatError(.missingField("emitBatch.batch"), at: start) }
    return faults
  }

  /// A `Batch` by itself.
  mutating func readBatch(_ reader: consuming ThriftReader) throws(TraceFormatError) -> SpanDrops {
    try readBatch(&reader)
    return faults
  }

  private mutating func readBatch(_ reader: inout ThriftReader) throws(TraceFormatError) {
    let start = reader.offset
    let outer = reader.beginStructure()
    var resource: Int?
    var hasSpans = false
    /// Where spans begin that came before their process.
    var waiting: ThriftReader?
    while let field = try reader.nextField() {
      switch (field.id, field.type) {
      case (1, .structure): resource = try readProcess(&reader)
      case (2, .list):
        hasSpans = true
        if let resource {
          try readSpans(&reader, resource)
        } else {
          waiting = reader
          try reader.skip(field)
        }
      default: try reader.skip(field)
      }
    }
    guard let resource else { throw TraceFormatError(.missingField("Batch.process"), at: start) }
    if !hasSpans { throw TraceFormatError(.missingField("Batch.spans"), at: start) }
    if var late = waiting { try readSpans(&late, resource) }
    reader.endStructure(outer)
  }

  private mutating func readSpans(_ reader: inout ThriftReader, _ resource: Int) throws(TraceFormatError) {
    let list = try reader.readList()
    guard list.type == .structure else {
      // Of other elements there can be none that count.
      if list.count == 0 { return }
      throw TraceFormatError(.missingField("Batch.spans"), at: reader.offset)
    }
    for _ in 0..<list.count {
      try readSpan(&reader)
      try writer.write(span, reader.bytes, resource: resource, faults: &faults)
    }
  }

  private mutating func readProcess(_ reader: inout ThriftReader) throws(TraceFormatError) -> Int {
    let start = reader.offset
    let outer = reader.beginStructure()
    var service: WireRange?
    var tags: [JaegerTag] = []
    while let field = try reader.nextField() {
      switch (field.id, field.type) {
      case (1, .string): service = try reader.readString()
      case (2, .list): try Self.readTags(&reader, into: &tags)
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    guard let service else { throw TraceFormatError(.missingField("Process.serviceName"), at: start) }
    return writer.resource(
      service: reader.bytes.extracting(service.range), tags: tags, reader.bytes)
  }

  /// The required fields of a span by number, and how they are called.
  private static let required: [(id: Int, name: String)] = [
    (1, "traceIdLow"), (2, "traceIdHigh"), (3, "spanId"), (4, "parentSpanId"), (5, "operationName"),
    (7, "flags"), (8, "startTime"), (9, "duration"),
  ]

  private mutating func readSpan(_ reader: inout ThriftReader) throws(TraceFormatError) {
    span.reset()
    let start = reader.offset
    let outer = reader.beginStructure()
    var seen = 0
    while let field = try reader.nextField() {
      switch (field.id, field.type) {
      case (1, .i64): span.traceLow = UInt64(bitPattern: try reader.readInteger(.i64))
      case (2, .i64): span.traceHigh = UInt64(bitPattern: try reader.readInteger(.i64))
      case (3, .i64): span.spanID = UInt64(bitPattern: try reader.readInteger(.i64))
      case (4, .i64): span.parentID = UInt64(bitPattern: try reader.readInteger(.i64))
      case (5, .string): span.name = try reader.readString()
      case (6, .list): try readReferences(&reader)
      case (7, .i32): span.flags = UInt32(truncatingIfNeeded: try reader.readInteger(.i32))
      case (8, .i64): span.start = Nanoseconds.time(microseconds: try reader.readInteger(.i64))
      case (9, .i64): span.duration = Nanoseconds.duration(microseconds: try reader.readInteger(.i64))
      case (10, .list): try Self.readTags(&reader, into: &span.tags)
      case (11, .list): try readLogs(&reader)
      default:
        try reader.skip(field)
        continue
      }
      seen |= 1 << field.id
    }
    reader.endStructure(outer)
    if let missing = Self.required.first(where: { seen & 1 << $0.id == 0 }) {
      throw TraceFormatError(.missingField("Span.\(missing.name)"), at: start)
    }
  }

  private static func readTags(
    _ reader: inout ThriftReader, into tags: inout [JaegerTag]
  ) throws(TraceFormatError) {
    let list = try reader.readList()
    if list.count > 0, list.type != .structure {
      throw TraceFormatError(.missingField("Tag.key"), at: reader.offset)
    }
    for _ in 0..<list.count { tags.append(try readTag(&reader)) }
  }

  private static func readTag(_ reader: inout ThriftReader) throws(TraceFormatError) -> JaegerTag {
    let start = reader.offset
    let outer = reader.beginStructure()
    var key: WireRange?
    var type: Int64?
    var (text, binary) = (WireRange(start: 0, end: 0), WireRange(start: 0, end: 0))
    var (double, bool, long): (UInt64, UInt64, UInt64) = (0, 0, 0)
    while let field = try reader.nextField() {
      switch (field.id, field.type) {
      case (1, .string): key = try reader.readString()
      case (2, .i32): type = try reader.readInteger(.i32)
      case (3, .string): text = try reader.readString()
      case (4, .double): double = try reader.readDouble()
      case (5, .bool): bool = try reader.readBool(field) ? 1 : 0
      case (6, .i64): long = UInt64(bitPattern: try reader.readInteger(.i64))
      case (7, .string): binary = try reader.readString()
      default: try reader.skip(field)
      }
    }
    reader.endStructure(outer)
    guard let key else { throw TraceFormatError(.missingField("Tag.key"), at: start) }
    guard let type else { throw TraceFormatError(.missingField("Tag.vType"), at: start) }
    var tag = JaegerTag()
    tag.key = key
    switch type {
    case 0: (tag.kind, tag.value) = (.string, text)
    case 1: (tag.kind, tag.bits) = (.double, double)
    case 2: (tag.kind, tag.bits) = (.bool, bool)
    case 3: (tag.kind, tag.bits) = (.int, long)
    case 4: (tag.kind, tag.value) = (.binary, binary)
    default: (tag.kind, tag.bits) = (.unknown, UInt64(bitPattern: type))
    }
    return tag
  }

  private mutating func readReferences(_ reader: inout ThriftReader) throws(TraceFormatError) {
    let list = try reader.readList()
    if list.count > 0, list.type != .structure {
      throw TraceFormatError(.missingField("SpanRef.spanId"), at: reader.offset)
    }
    for _ in 0..<list.count {
      let start = reader.offset
      let outer = reader.beginStructure()
      var reference = JaegerReference(traceHigh: 0, traceLow: 0, spanID: 0, isChildOf: false)
      var seen = 0
      while let field = try reader.nextField() {
        switch (field.id, field.type) {
        case (1, .i32): reference.isChildOf = try reader.readInteger(.i32) == 0
        case (2, .i64): reference.traceLow = UInt64(bitPattern: try reader.readInteger(.i64))
        case (3, .i64): reference.traceHigh = UInt64(bitPattern: try reader.readInteger(.i64))
        case (4, .i64): reference.spanID = UInt64(bitPattern: try reader.readInteger(.i64))
        default:
          try reader.skip(field)
          continue
        }
        seen |= 1 << field.id
      }
      reader.endStructure(outer)
      guard seen == 0b11110 else { throw TraceFormatError(.missingField("a field of SpanRef"), at: start) }
      span.references.append(reference)
    }
  }

  private mutating func readLogs(_ reader: inout ThriftReader) throws(TraceFormatError) {
    let list = try reader.readList()
    if list.count > 0, list.type != .structure {
      throw TraceFormatError(.missingField("Log.timestamp"), at: reader.offset)
    }
    for _ in 0..<list.count {
      let start = reader.offset
      let outer = reader.beginStructure()
      var log = JaegerLog()
      let first = span.fields.count
      var seen = 0
      while let field = try reader.nextField() {
        switch (field.id, field.type) {
        case (1, .i64): log.time = Nanoseconds.time(microseconds: try reader.readInteger(.i64))
        case (2, .list): try Self.readTags(&reader, into: &span.fields)
        default:
          try reader.skip(field)
          continue
        }
        seen |= 1 << field.id
      }
      reader.endStructure(outer)
      guard seen == 0b110 else { throw TraceFormatError(.missingField("a field of Log"), at: start) }
      log.fields = first..<span.fields.count
      span.logs.append(log)
    }
  }
}
