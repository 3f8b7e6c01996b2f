package import TelemetryData
internal import WireFormat

/// Writes batches of spans as Thrift `Batch` structures in the binary protocol, one for all spans of a resource.
///
/// Source: jaeger-idl `thrift/jaeger.thrift`; for the mapping see ``JaegerName``. Times are in microseconds, so that
/// nanoseconds are cut off.
package struct JaegerThriftEncoder {
  package init() {}

  /// The structures that stand for a batch of traces.
  package func encode(_ batch: Batch) -> TraceRequests {
    var requests = TraceRequests()
    if batch.signal != .traces { return requests }
    for group in ResourceGroups(batch).groups {
      var sink = JaegerThriftSink(capacity: group.bytes * 7 / 4 + group.spans * 128 + 512)
      let spans = sink.encode(batch, group, drops: &requests.drops)
      if spans > 0 { requests.parts.append(TracePart(body: sink.finish(), spans: spans)) }
    }
    return requests
  }
}

/// The structure of one resource in the making.
struct JaegerThriftSink: ~Copyable, JaegerSpanWriting {
  static let stateTags = JaegerStateTags(JaegerThriftSink.self)

  private var writer: ThriftBinaryWriter

  init(capacity: Int) { writer = ThriftBinaryWriter(capacity: capacity) }

  consuming func finish() -> [UInt8] { writer.finish() }

  /// Writes a `Batch`, and returns how many spans are in it.
  mutating func encode(_ batch: Batch, _ group: ResourceGroups.Group, drops: inout SpanDrops) -> Int {
    writer.field(1, .structure)
    encode(batch.resource(at: group.positions[0]))
    let place = writer.listField(2, of: .structure, count: 0)
    let spans = spans(of: group, in: batch, drops: &drops)
    writer.setCount(spans, at: place)
    writer.stop()
    return spans
  }

  private mutating func encode(_ resource: borrowing ResourceView) {
    var name = Array(JaegerName.noService.utf8)
    if let value = resource.attributes.first(JaegerName.serviceName) {
      name.removeAll()
      AttributeValueText.append(value, to: &name)
    }
    writer.stringField(1, name.span)
    var count = 0
    var attributes = resource.attributes.makeIterator()
    while let attribute = attributes.next() {
      if !(attribute.key == JaegerName.serviceName) { count += 1 }
    }
    writer.listField(2, of: .structure, count: count)
    attributes = resource.attributes.makeIterator()
    while let attribute = attributes.next() {
      if !(attribute.key == JaegerName.serviceName) { tag(attribute.key.span, attribute.value) }
    }
    writer.stop()
  }

  mutating func encode(_ span: borrowing SpanView, _ fields: SpanFields, _ shared: JaegerSharedTags) {
    let bytes = span.message.bytes
    let trace = fields.traceID.lowerBound
    let parent = fields.hasParent(in: bytes) ? bytes.bigEndian64(at: fields.parentSpanID.lowerBound) : 0
    writer.withRoom(96 + fields.name.count) { room in
      room.integerField(1, .i64, bytes.bigEndian64(at: trace &+ 8))
      room.integerField(2, .i64, bytes.bigEndian64(at: trace))
      room.integerField(3, .i64, bytes.bigEndian64(at: fields.spanID.lowerBound))
      room.integerField(4, .i64, parent)
      room.stringField(5, bytes, in: fields.name)
    }
    encodeReferences(span, fields)
    let rare = fields.rareTags
    let tagCount = shared.scopeCount + fields.attributes + fields.stateTags + rare
    writer.withRoom(96 + shared.scope.count) { room in
      // Jaeger's second flag says "debug", W3C's "random": only the first means the same in both.
      room.integerField(7, .i32, fields.flags & 1)
      room.integerField(8, .i64, fields.start / 1000)
      room.integerField(9, .i64, UInt64(bitPattern: fields.duration / 1000))
      room.listField(10, of: .structure, count: tagCount)
      room.copy(shared.scope.span)
    }
    if fields.attributes > 0 { tags(WireCursor(bytes, in: fields.attributesRange), 9 << 3 | 2) }
    let state = shared.state.range(of: fields)
    writer.withRoom(state.count) { room in room.copy(shared.state.bytes.span, in: state) }
    if rare > 0 { rareTags(fields, bytes) }
    if fields.events > 0 { encodeEvents(span, fields.events) }
    writer.stop()
  }

  /// The parent is a field of the span; here it stands only where a link says that it is more than that.
  private mutating func encodeReferences(_ span: borrowing SpanView, _ fields: SpanFields) {
    if fields.links == 0 { return }
    let references = JaegerReference.all(of: span, fields)
    writer.listField(6, of: .structure, count: references.count)
    for reference in references {
      writer.integerField(1, .i32, reference.isChildOf ? 0 : 1)
      writer.integerField(2, .i64, reference.traceLow)
      writer.integerField(3, .i64, reference.traceHigh)
      writer.integerField(4, .i64, reference.spanID)
      writer.stop()
    }
  }

  private mutating func encodeEvents(_ span: borrowing SpanView, _ count: Int) {
    writer.listField(11, of: .structure, count: count)
    var events = span.events.makeIterator()
    while let event = events.next() {
      let counts = JaegerEvent(event)
      writer.integerField(1, .i64, event.time / 1000)
      writer.listField(2, of: .structure, count: counts.fields)
      fields(of: event, counts)
      writer.stop()
    }
  }

  // Tag: 1 key, 2 type, and the value in a field for each type.

  @inline(__always)
  mutating func usualTags(_ attributes: inout WireCursor, _ field: UInt8) {
    let bytes = attributes.bytes
    writer.withRoom(Self.usualRoom) { room in
      while room.left >= Self.usualRoom, let attribute = attributes.usualAttribute(field) {
        room.stringField(1, bytes, in: attribute.key)
        switch attribute.kind {
        case .text:
          room.integerField(2, .i32, 0)
          room.stringField(3, bytes, in: attribute.value)
        case .integer:
          room.integerField(2, .i32, 3)
          room.integerField(6, .i64, attribute.number)
        }
        room.stop()
      }
    }
  }

  /// More than a tag takes that a usual attribute becomes.
  private static var usualRoom: Int { 256 }

  private mutating func begin(_ key: Span<UInt8>, type: UInt64) {
    writer.stringField(1, key)
    writer.integerField(2, .i32, type)
  }

  mutating func tag(_ key: Span<UInt8>, string: Span<UInt8>) {
    begin(key, type: 0)
    writer.stringField(3, string)
    writer.stop()
  }

  mutating func tag(_ key: Span<UInt8>, double: Double) {
    begin(key, type: 1)
    writer.doubleField(4, double)
    writer.stop()
  }

  mutating func tag(_ key: Span<UInt8>, bool: Bool) {
    begin(key, type: 2)
    writer.boolField(5, bool)
    writer.stop()
  }

  mutating func tag(_ key: Span<UInt8>, int: Int64) {
    begin(key, type: 3)
    writer.integerField(6, .i64, UInt64(bitPattern: int))
    writer.stop()
  }

  mutating func tag(_ key: Span<UInt8>, binary: Span<UInt8>) {
    begin(key, type: 4)
    writer.stringField(7, binary)
    writer.stop()
  }
}
