package import TelemetryData
internal import WireFormat

/// Writes batches of spans as `jaeger.api_v2.PostSpansRequest`, one for all spans of a resource.
///
/// Sources: jaeger-idl `proto/api_v2/model.proto` and `collector.proto`; for the mapping see ``JaegerName``. A resource
/// is a process; it stands once, beside its spans.
package struct JaegerProtoEncoder {
  package init() {}

  /// The requests that stand for a batch of traces.
  package func encode(_ batch: Batch) -> TraceRequests {
    var requests = TraceRequests()
    if batch.signal != .traces { return requests }
    for group in ResourceGroups(batch).groups {
      var sink = JaegerProtoSink(capacity: group.bytes + group.bytes / 8 + 256)
      let spans = sink.encode(batch, group, drops: &requests.drops)
      if spans > 0 { requests.parts.append(TracePart(body: sink.finish(), spans: spans)) }
    }
    return requests
  }
}

/// The request of one resource in the making.
struct JaegerProtoSink: ~Copyable, JaegerTagWriting {
  private var writer: WireWriter
  /// The number of the field that tags are, in the message at hand.
  private var tagField: UInt32 = 8

  init(capacity: Int) { writer = WireWriter(capacity: capacity) }

  consuming func finish() -> [UInt8] { writer.finish() }

  /// Writes a request, and returns how many spans are in it.
  mutating func encode(_ batch: Batch, _ group: ResourceGroups.Group, drops: inout SpanDrops) -> Int {
    let request = writer.beginMessage(1, expecting: group.bytes)
    var spans = 0
    for position in group.positions {
      for scopePosition in batch.resource(at: position).scopes {
        let scope = batch.scope(at: scopePosition)
        let scopeTags = Self.encoded(scope)
        for item in scope.items {
          let span = batch.span(at: item)
          let fields = SpanFields(span)
          if let fault = fields.fault(in: span.message.bytes) {
            drops.add(fault)
          } else {
            encode(span, fields, scopeTags)
            spans += 1
          }
        }
      }
    }
    encode(batch.resource(at: group.positions[0]))
    writer.endMessage(request)
    return spans
  }

  /// The tags of a scope, which stand in each of its spans.
  private static func encoded(_ scope: borrowing ScopeView) -> [UInt8] {
    var sink = JaegerProtoSink(capacity: 64)
    sink.tags(of: scope)
    return sink.finish()
  }

  private mutating func encode(_ resource: borrowing ResourceView) {
    let process = writer.beginMessage(2)
    tagField = 2
    if let name = resource.attributes.first(JaegerName.serviceName) {
      var text: [UInt8] = []
      AttributeValueText.append(name, to: &text)
      writer.bytesField(1, text)
    } else {
      writer.stringField(1, JaegerName.noService)
    }
    var attributes = resource.attributes.makeIterator()
    while let attribute = attributes.next() {
      if !(attribute.key == JaegerName.serviceName) { tag(attribute.key.span, attribute.value) }
    }
    writer.endMessage(process)
  }

  private mutating func encode(_ span: borrowing SpanView, _ fields: SpanFields, _ scopeTags: [UInt8]) {
    let bytes = span.message.bytes
    let message = writer.beginMessage(1, expecting: span.message.range.count)
    writer.bytesField(1, bytes.extracting(fields.traceID.range))
    writer.bytesField(2, bytes.extracting(fields.spanID.range))
    writer.bytesField(3, bytes.extracting(fields.name.range))
    encodeReferences(span, fields)
    // Jaeger's second flag says "debug", W3C's "random": only the first means the same in both.
    if fields.flags & 1 != 0 { writer.varintField(5, 1) }
    time(6, fields.start)
    duration(7, fields.duration)
    writer.write(scopeTags.span)
    tagField = 8
    tags(span.attributes)
    derivedTags(fields, bytes)
    if fields.events > 0 { encodeEvents(span) }
    writer.endMessage(message)
  }

  private mutating func encodeReferences(_ span: borrowing SpanView, _ fields: SpanFields) {
    if fields.links > 0 {
      for reference in JaegerReference.all(of: span, fields) {
        let message = writer.beginMessage(4)
        writer.writeTag(.lengthDelimited(1))
        writer.writeVarint(16)
        writer.writeFixed64(reference.traceHigh.byteSwapped)
        writer.writeFixed64(reference.traceLow.byteSwapped)
        writer.writeTag(.lengthDelimited(2))
        writer.writeVarint(8)
        writer.writeFixed64(reference.spanID.byteSwapped)
        if !reference.isChildOf { writer.varintField(3, 1) }
        writer.endMessage(message)
      }
      return
    }
    let bytes = span.message.bytes
    guard fields.hasParent(in: bytes) else { return }
    let message = writer.beginMessage(4)
    writer.bytesField(1, bytes.extracting(fields.traceID.range))
    writer.bytesField(2, bytes.extracting(fields.parentSpanID.range))
    writer.endMessage(message)
  }

  @inline(never)
  private mutating func encodeEvents(_ span: borrowing SpanView) {
    tagField = 2
    var events = span.events.makeIterator()
    while let event = events.next() {
      let message = writer.beginMessage(9, expecting: event.message.range.count)
      time(1, event.time)
      fields(of: event, JaegerEvent(event))
      writer.endMessage(message)
    }
    tagField = 8
  }

  /// A `google.protobuf.Timestamp`.
  private mutating func time(_ field: UInt32, _ nanoseconds: UInt64) {
    let message = writer.beginMessage(field)
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if seconds > 0 { writer.varintField(1, seconds) }
    if rest > 0 { writer.varintField(2, rest) }
    writer.endMessage(message)
  }

  /// A `google.protobuf.Duration`: both parts have the same sign.
  private mutating func duration(_ field: UInt32, _ nanoseconds: Int64) {
    let message = writer.beginMessage(field)
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if seconds != 0 { writer.intField(1, seconds) }
    if rest != 0 { writer.intField(2, rest) }
    writer.endMessage(message)
  }

  // KeyValue: 1 key, 2 type, and the value in a field for each type.

  @inline(__always)
  mutating func tag(_ key: Span<UInt8>, string: Span<UInt8>) {
    writer.flatPairField(tagField, key: key, 3, string)
  }

  @inline(__always)
  mutating func tag(_ key: Span<UInt8>, int: Int64) {
    let message = writer.beginMessage(tagField)
    writer.bytesField(1, key)
    writer.varintField(2, 2)
    writer.intField(5, int)
    writer.endMessage(message)
  }

  mutating func tag(_ key: Span<UInt8>, bool: Bool) {
    let message = writer.beginMessage(tagField)
    writer.bytesField(1, key)
    writer.varintField(2, 1)
    writer.boolField(4, bool)
    writer.endMessage(message)
  }

  mutating func tag(_ key: Span<UInt8>, double: Double) {
    let message = writer.beginMessage(tagField)
    writer.bytesField(1, key)
    writer.varintField(2, 3)
    writer.doubleField(6, double)
    writer.endMessage(message)
  }

  mutating func tag(_ key: Span<UInt8>, binary: Span<UInt8>) {
    let message = writer.beginMessage(tagField)
    writer.bytesField(1, key)
    writer.varintField(2, 4)
    writer.bytesField(7, binary)
    writer.endMessage(message)
  }
}
