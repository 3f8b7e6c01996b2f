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
      var sink = JaegerProtoSink(capacity: group.bytes + group.spans * 144 + 512)
      let spans = sink.encode(batch, group, drops: &requests.drops)
      if spans > 0 { requests.parts.append(TracePart(body: sink.finish(), spans: spans)) }
    }
    return requests
  }
}

/// The request of one resource in the making.
struct JaegerProtoSink: ~Copyable, JaegerSpanWriting {
  static let stateTags = JaegerStateTags(JaegerProtoSink.self)

  private var writer: WireWriter
  /// The number of the field that tags are, in the message at hand.
  private var tagField: UInt32 = 8

  init(capacity: Int) { writer = WireWriter(capacity: capacity) }

  consuming func finish() -> [UInt8] { writer.finish() }

  /// Writes a request, and returns how many spans are in it.
  mutating func encode(_ batch: Batch, _ group: ResourceGroups.Group, drops: inout SpanDrops) -> Int {
    let request = writer.beginMessage(1, expecting: group.bytes)
    let spans = spans(of: group, in: batch, drops: &drops)
    encode(batch.resource(at: group.positions[0]))
    writer.endMessage(request)
    return spans
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

  mutating func encode(_ span: borrowing SpanView, _ fields: SpanFields, _ shared: JaegerSharedTags) {
    let bytes = span.message.bytes
    let message = writer.beginMessage(1, expecting: span.message.range.count + shared.scope.count)
    let trace = fields.traceID.lowerBound
    writer.withRoom(96 + fields.name.count) { room in
      room.write(0x10_0A as UInt16)
      room.write(bytes.loadUInt64(at: trace))
      room.write(bytes.loadUInt64(at: trace &+ 8))
      room.write(0x08_12 as UInt16)
      room.write(bytes.loadUInt64(at: fields.spanID.lowerBound))
      room.write(0x1A as UInt8)
      room.varint(UInt64(truncatingIfNeeded: fields.name.count))
      room.copy(bytes, in: fields.name)
      if fields.links == 0, fields.hasParent(in: bytes) {
        room.write(0x10_0A_1C_22 as UInt32)
        room.write(bytes.loadUInt64(at: trace))
        room.write(bytes.loadUInt64(at: trace &+ 8))
        room.write(0x08_12 as UInt16)
        room.write(bytes.loadUInt64(at: fields.parentSpanID.lowerBound))
      }
    }
    if fields.links > 0 { encodeReferences(span, fields) }
    writer.withRoom(96 + shared.scope.count) { room in
      // Jaeger's second flag says "debug", W3C's "random": only the first means the same in both.
      if fields.flags & 1 != 0 { room.write(0x01_28 as UInt16) }
      room.write(0x32 as UInt8)
      Self.time(&room, seconds: fields.start / 1_000_000_000, rest: fields.start % 1_000_000_000)
      // Both parts of a duration have the same sign.
      let (seconds, rest) = fields.duration.quotientAndRemainder(dividingBy: 1_000_000_000)
      room.write(0x3A as UInt8)
      Self.time(&room, seconds: UInt64(bitPattern: seconds), rest: UInt64(bitPattern: rest))
      room.copy(shared.scope.span)
    }
    tagField = 8
    if fields.attributes > 0 { tags(WireCursor(bytes, in: fields.attributesRange), 9 << 3 | 2) }
    let state = shared.state.range(of: fields)
    writer.withRoom(state.count) { room in room.copy(shared.state.bytes.span, in: state) }
    if fields.rareTags > 0 { rareTags(fields, bytes) }
    if fields.events > 0 { encodeEvents(span) }
    writer.endMessage(message)
  }

  private mutating func encodeReferences(_ span: borrowing SpanView, _ fields: SpanFields) {
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
  }

  @inline(never)
  private mutating func encodeEvents(_ span: borrowing SpanView) {
    tagField = 2
    var events = span.events.makeIterator()
    while let event = events.next() {
      let message = writer.beginMessage(9, expecting: event.message.range.count)
      let time = event.time
      writer.withRoom(32) { room in
        room.write(0x0A as UInt8)
        Self.time(&room, seconds: time / 1_000_000_000, rest: time % 1_000_000_000)
      }
      fields(of: event, JaegerEvent(event))
      writer.endMessage(message)
    }
    tagField = 8
  }

  /// A `google.protobuf.Timestamp` or `Duration` with its length.
  @inline(__always)
  private static func time(_ room: inout WireRoom, seconds: UInt64, rest: UInt64) {
    let message = room.beginShort()
    if seconds != 0 {
      room.write(0x08 as UInt8)
      room.varint(seconds)
    }
    if rest != 0 {
      room.write(0x10 as UInt8)
      room.varint(rest)
    }
    room.endShort(message)
  }

  // KeyValue: 1 key, 2 type, and the value in a field for each type.

  @inline(__always)
  mutating func usualTags(_ attributes: inout WireCursor, _ field: UInt8) {
    let (bytes, tag) = (attributes.bytes, UInt32(tagField) &<< 3 | 2)
    writer.withRoom(Self.usualRoom) { room in
      while room.left >= Self.usualRoom, let attribute = attributes.usualAttribute(field) {
        let key = UInt32(truncatingIfNeeded: attribute.key.count) &<< 24 | 0x0A_0000 | tag
        switch attribute.kind {
        case .text:
          // Two bytes less: the value is not in a message of its own.
          room.write(key | UInt32(truncatingIfNeeded: attribute.size &- 2) &<< 8)
          room.copy(bytes, in: attribute.key)
          room.write(UInt16(truncatingIfNeeded: attribute.value.count) &<< 8 | 0x1A)
          room.copy(bytes, in: attribute.value)
        case .integer:
          // The two bytes of that message are those of the type.
          room.write(key | UInt32(truncatingIfNeeded: attribute.size) &<< 8)
          room.copy(bytes, in: attribute.key)
          room.write(leading: 3, of: 0x10_02_28 &<< 40)
          room.varint(attribute.number)
        }
      }
    }
  }

  /// More than a tag takes that a usual attribute becomes.
  private static var usualRoom: Int { 192 }

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
