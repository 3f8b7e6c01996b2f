internal import TelemetryData
internal import WireFormat

/// The names that the mapping between OpenTelemetry and Jaeger gives to what has no field of its own.
///
/// Sources: OpenTelemetry specification, "OpenTelemetry to Jaeger Transformation" and "Mapping to non-OTLP Formats", and
/// the Collector's translator.
enum JaegerName {
  static let noService = "OTLPResourceNoServiceName"
  static let serviceName = "service.name"
  static let spanKind = "span.kind"
  static let statusCode = "otel.status_code"
  static let statusDescription = "otel.status_description"
  static let error = "error"
  static let traceState = "w3c.tracestate"
  static let scopeName = "otel.scope.name"
  static let scopeVersion = "otel.scope.version"
  /// As it was called before.
  static let libraryName = "otel.library.name"
  static let libraryVersion = "otel.library.version"
  static let droppedAttributes = "otel.dropped_attributes_count"
  static let droppedEvents = "otel.dropped_events_count"
  static let droppedLinks = "otel.dropped_links_count"
  static let event = "event"
  static let eventDroppedAttributes = "otel.event.dropped_attributes_count"
  static let referenceType = "opentracing.ref_type"
  static let childOf = "child_of"
  static let followsFrom = "follows_from"

  /// The value of `span.kind`; nil for a span without a kind.
  static func kind(_ kind: UInt64) -> String? {
    switch kind {
    case 1: "internal"
    case 2: "server"
    case 3: "client"
    case 4: "producer"
    case 5: "consumer"
    default: nil
    }
  }

  /// The value of `otel.status_code`; nil for a status that is not set.
  static func status(_ code: UInt64) -> String? {
    switch code {
    case 1: "OK"
    case 2: "ERROR"
    default: nil
    }
  }
}

/// Writes tags in one of Jaeger's formats.
protocol JaegerTagWriting: ~Copyable {
  mutating func tag(_ key: Span<UInt8>, string: Span<UInt8>)
  mutating func tag(_ key: Span<UInt8>, int: Int64)
  mutating func tag(_ key: Span<UInt8>, bool: Bool)
  mutating func tag(_ key: Span<UInt8>, double: Double)
  mutating func tag(_ key: Span<UInt8>, binary: Span<UInt8>)

  /// Writes attributes for as long as they have the usual layout, which needs no view of each.
  ///
  /// - Parameter field: the first byte of an attribute's field, all of its tag.
  mutating func usualTags(_ attributes: inout WireCursor, _ field: UInt8)
}

extension JaegerTagWriting where Self: ~Copyable {
  @inline(__always)
  mutating func tag(_ key: String, string: Span<UInt8>) { tag(key.utf8.span, string: string) }
  @inline(__always)
  mutating func tag(_ key: String, string: String) { tag(key.utf8.span, string: string.utf8.span) }

  /// Writes an attribute; arrays and maps become JSON.
  @inline(__always)
  mutating func tag(_ key: Span<UInt8>, _ value: borrowing AnyValueView) {
    switch value.kind {
    case .string: tag(key, string: value.bytes.span)
    case .int: tag(key, int: value.int)
    case .bool: tag(key, bool: value.bool)
    case .double: tag(key, double: value.double)
    case .bytes: tag(key, binary: value.bytes.span)
    case .empty, .stringIndex: tag(key, string: Span())
    case .array, .keyValueList: nested(key, value)
    }
  }

  @inline(never)
  private mutating func nested(_ key: Span<UInt8>, _ value: borrowing AnyValueView) {
    var text: [UInt8] = []
    AttributeValueText.append(value, to: &text)
    tag(key, string: text.span)
  }

  @inline(__always)
  mutating func tags(_ attributes: borrowing AttributesView) {
    tags(attributes.message.fields, UInt8(truncatingIfNeeded: attributes.fieldNumber &<< 3 | 2))
  }

  /// Writes the attributes among fields.
  ///
  /// - Parameter field: the first byte of an attribute's field, all of its tag.
  @inline(__always)
  mutating func tags(_ fields: consuming WireCursor, _ field: UInt8) {
    var cursor = fields
    do throws(WireError) {
      while true {
        usualTags(&cursor, field)
        if cursor.isAtEnd { return }
        let tag = try cursor.readTag()
        if tag.rawValue == UInt32(field) {
          let attribute = AttributeView(WireMessage(cursor.bytes, try cursor.readLengthDelimited()))
          self.tag(attribute.key.span, attribute.value)
        } else {
          try cursor.skip(tag)
        }
      }
    } catch {
      // A checked batch has no malformed bytes; of others, what is readable is written.
      cursor.offset = cursor.end
    }
  }

  /// The tags that stand for the kind and the status of a span.
  mutating func stateTags(kind: UInt64, status code: UInt64) {
    if let kind = JaegerName.kind(kind) { tag(JaegerName.spanKind, string: kind) }
    if let status = JaegerName.status(code) { tag(JaegerName.statusCode, string: status) }
    if code == 2 { tag(JaegerName.error.utf8.span, bool: true) }
  }

  /// The tags that stand for fields of a span which few spans have.
  @inline(never)
  mutating func rareTags(_ span: SpanFields, _ bytes: Span<UInt8>) {
    if !span.statusText.isEmpty {
      tag(JaegerName.statusDescription, string: bytes.extracting(span.statusText.range))
    }
    if !span.traceState.isEmpty {
      tag(JaegerName.traceState, string: bytes.extracting(span.traceState.range))
    }
    if span.droppedAttributes > 0 {
      tag(JaegerName.droppedAttributes.utf8.span, int: Int64(span.droppedAttributes))
    }
    if span.droppedEvents > 0 { tag(JaegerName.droppedEvents.utf8.span, int: Int64(span.droppedEvents)) }
    if span.droppedLinks > 0 { tag(JaegerName.droppedLinks.utf8.span, int: Int64(span.droppedLinks)) }
  }

  /// Writes the tags that stand for a span's scope, and returns how many they are.
  mutating func tags(of scope: borrowing ScopeView) -> Int {
    let (name, version) = (scope.name, scope.version)
    if !name.isEmpty { tag(JaegerName.scopeName, string: name.span) }
    if !version.isEmpty { tag(JaegerName.scopeVersion, string: version.span) }
    return (name.isEmpty ? 0 : 1) + (version.isEmpty ? 0 : 1)
  }

  /// The fields of a log that stands for an event; as many as ``JaegerEvent/fields`` says.
  mutating func fields(of event: borrowing SpanEventView, _ counts: JaegerEvent) {
    if counts.hasName { tag(JaegerName.event, string: event.name.span) }
    tags(event.attributes)
    if counts.dropped > 0 { tag(JaegerName.eventDroppedAttributes.utf8.span, int: Int64(counts.dropped)) }
  }
}

extension SpanFields {
  /// How many tags stand for kind and status.
  var stateTags: Int {
    (JaegerName.kind(kind) == nil ? 0 : 1) + (JaegerName.status(statusCode) == nil ? 0 : 1)
      + (statusCode == 2 ? 1 : 0)
  }

  /// How many tags stand for fields that few spans have.
  var rareTags: Int {
    (statusText.isEmpty ? 0 : 1) + (traceState.isEmpty ? 0 : 1) + (droppedAttributes > 0 ? 1 : 0)
      + (droppedEvents > 0 ? 1 : 0) + (droppedLinks > 0 ? 1 : 0)
  }
}

/// What becomes fields of a log.
struct JaegerEvent {
  var attributes = 0
  var dropped: UInt32
  /// Whether the name is written: an attribute `event` takes precedence.
  var hasName: Bool

  init(_ event: borrowing SpanEventView) {
    hasName = !event.name.isEmpty
    dropped = event.droppedAttributesCount
    var iterator = event.attributes.makeIterator()
    while let attribute = iterator.next() {
      attributes += 1
      if attribute.key == JaegerName.event { hasName = false }
    }
  }

  var fields: Int { attributes + (hasName ? 1 : 0) + (dropped > 0 ? 1 : 0) }
}

/// A reference of a span to its parent or to another span.
struct JaegerReference: Hashable {
  /// The two halves of the trace id.
  var traceHigh: UInt64
  var traceLow: UInt64
  var spanID: UInt64
  var isChildOf: Bool
}

extension JaegerReference {
  /// The references of a span: its parent first, where backends look for it, then its links.
  ///
  /// A link to the parent says which kind of reference it is.
  static func all(of span: borrowing SpanView, _ fields: SpanFields) -> [JaegerReference] {
    let bytes = span.message.bytes
    var references: [JaegerReference] = []
    let trace = fields.traceID.lowerBound
    if fields.hasParent(in: bytes) {
      references.append(
        JaegerReference(
          traceHigh: bytes.bigEndian64(at: trace), traceLow: bytes.bigEndian64(at: trace + 8),
          spanID: bytes.bigEndian64(at: fields.parentSpanID.lowerBound), isChildOf: true))
    }
    let parent = references.first
    if fields.links == 0 { return references }
    var links = span.links.makeIterator()
    while let link = links.next() {
      let (traceID, spanID) = (link.traceID.span, link.spanID.span)
      // Without ids there is nothing that could be referred to.
      guard traceID.count == 16, spanID.count == 8 else { continue }
      var reference = JaegerReference(
        traceHigh: traceID.bigEndian64(at: 0), traceLow: traceID.bigEndian64(at: 8),
        spanID: spanID.bigEndian64(at: 0), isChildOf: false)
      if let kind = link.attributes.first(JaegerName.referenceType) {
        reference.isChildOf = kind.kind == .string && kind.bytes == JaegerName.childOf
      }
      if let parent, parent.spanID == reference.spanID, parent.traceHigh == reference.traceHigh,
        parent.traceLow == reference.traceLow
      {
        references[0].isChildOf = reference.isChildOf
      } else {
        references.append(reference)
      }
    }
    return references
  }
}
