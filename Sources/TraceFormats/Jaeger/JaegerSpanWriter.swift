internal import TelemetryData
internal import WireFormat

/// Writes spans and processes of Jaeger's as OTLP.
///
/// Source: the Collector's `pkg/translator/jaeger`; for the names see ``JaegerName``. Beyond it, counts of what was
/// dropped come back as counts, and no tag is lost because its value has no meaning.
struct JaegerSpanWriter {
  let assembly: SpanAssembly

  /// Adds a span; one without valid ids is counted instead.
  func write(
    _ span: JaegerSpan, _ bytes: Span<UInt8>, resource: Int, faults: inout SpanDrops
  ) throws(TraceFormatError) {
    if let fault = span.fault { return faults.add(fault) }
    let reading = JaegerTagReading(
      span.tags, isKept: RepeatedKeys.areLast(span.tags[...], in: bytes), in: bytes)
    let scope = assembly.scope(
      of: resource, name: bytes.extracting(reading.scopeName.range),
      version: bytes.extracting(reading.scopeVersion.range))
    try assembly.addSpan(to: scope) { writer in Self.write(span, reading, bytes, to: &writer) }
  }

  private static func write(
    _ span: JaegerSpan, _ reading: JaegerTagReading, _ bytes: Span<UInt8>, to writer: inout WireWriter
  ) {
    let parent = span.parent
    writer.idField(1, span.traceHigh, span.traceLow)
    writer.idField(2, span.spanID)
    if !reading.traceState.isEmpty { writer.textField(3, bytes.extracting(reading.traceState.range)) }
    if parent != 0 { writer.idField(4, parent) }
    if !span.name.isEmpty { writer.textField(5, bytes.extracting(span.name.range)) }
    if reading.kind != 0 { writer.varintField(6, reading.kind) }
    if span.start != 0 { writer.fixed64Field(7, span.start) }
    if span.end != 0 { writer.fixed64Field(8, span.end) }
    for (position, tag) in span.tags.enumerated() where reading.isKept[position] {
      attribute(9, tag, bytes, to: &writer)
    }
    if reading.droppedAttributes != 0 { writer.varintField(10, reading.droppedAttributes) }
    for log in span.logs { event(log, span.fields[log.fields], bytes, to: &writer) }
    if reading.droppedEvents != 0 { writer.varintField(12, reading.droppedEvents) }
    for reference in span.references where !(reference.isChildOf && reference.spanID == parent) {
      link(reference, to: &writer)
    }
    if reading.droppedLinks != 0 { writer.varintField(14, reading.droppedLinks) }
    if reading.status != 0 || !reading.statusText.isEmpty {
      let status = writer.beginMessage(15)
      if !reading.statusText.isEmpty { writer.textField(2, bytes.extracting(reading.statusText.range)) }
      if reading.status != 0 { writer.varintField(3, reading.status) }
      writer.endMessage(status)
    }
    if span.flags & 1 != 0 { writer.fixed32Field(16, 1) }
  }

  private static func event(
    _ log: JaegerLog, _ fields: ArraySlice<JaegerTag>, _ bytes: Span<UInt8>, to writer: inout WireWriter
  ) {
    let message = writer.beginMessage(11)
    if log.time != 0 { writer.fixed64Field(1, log.time) }
    let isLast = RepeatedKeys.areLast(fields, in: bytes)
    for (position, field) in fields.enumerated() where isLast[position] {
      let key = bytes.extracting(field.key.range)
      if field.kind == .string, key.hasSameBytes(as: JaegerName.event.utf8.span) {
        if !field.value.isEmpty { writer.textField(2, bytes.extracting(field.value.range)) }
      } else if field.kind == .int, field.bits <= UInt64(UInt32.max),
        key.hasSameBytes(as: JaegerName.eventDroppedAttributes.utf8.span)
      {
        writer.varintField(4, field.bits)
      } else {
        attribute(3, field, bytes, to: &writer)
      }
    }
    writer.endMessage(message)
  }

  private static func link(_ reference: JaegerReference, to writer: inout WireWriter) {
    let message = writer.beginMessage(13)
    writer.idField(1, reference.traceHigh, reference.traceLow)
    writer.idField(2, reference.spanID)
    let kind = reference.isChildOf ? JaegerName.childOf : JaegerName.followsFrom
    writer.pairField(4, key: JaegerName.referenceType.utf8.span, 1, kind.utf8.span)
    writer.endMessage(message)
  }

  static func attribute(_ number: UInt32, _ tag: JaegerTag, _ bytes: Span<UInt8>, to writer: inout WireWriter)
  {
    let key = bytes.extracting(tag.key.range)
    switch tag.kind {
    case .string: writer.attribute(number, key, text: bytes.extracting(tag.value.range))
    case .bool: writer.attribute(number, key, 2, varint: tag.bits == 0 ? 0 : 1)
    case .int: writer.attribute(number, key, 3, varint: tag.bits)
    case .double: writer.attribute(number, key, double: tag.bits)
    case .binary: writer.attribute(number, key, bytes: bytes.extracting(tag.value.range))
    case .unknown:
      let text = "<Unknown Jaeger TagType \"\(Int64(bitPattern: tag.bits))\">"
      writer.attribute(number, key, text: text.utf8.span)
    }
  }

  /// The position of the resource that a process is.
  func resource(service: Span<UInt8>, tags: [JaegerTag], _ bytes: Span<UInt8>) -> Int {
    var writer = WireWriter(capacity: 256)
    let isLast = RepeatedKeys.areLast(tags[...], in: bytes)
    var (hasService, hasHostName, hasExporterVersion) = (false, false, false)
    for tag in tags {
      let key = bytes.extracting(tag.key.range)
      if key.hasSameBytes(as: JaegerName.serviceName.utf8.span) { hasService = true }
      if key.hasSameBytes(as: "host.name".utf8.span) { hasHostName = true }
      if key.hasSameBytes(as: "opencensus.exporterversion".utf8.span) { hasExporterVersion = true }
    }
    let isNamed = !service.isEmpty && !service.hasSameBytes(as: JaegerName.noService.utf8.span)
    if isNamed, !hasService {
      writer.attribute(1, JaegerName.serviceName.utf8.span, text: service)
    }
    for (position, tag) in tags.enumerated() where isLast[position] {
      let key = bytes.extracting(tag.key.range)
      if !hasHostName, tag.kind == .string, key.hasSameBytes(as: "hostname".utf8.span) {
        writer.attribute(1, "host.name".utf8.span, text: bytes.extracting(tag.value.range))
      } else if !hasExporterVersion, tag.kind == .string, key.hasSameBytes(as: "jaeger.version".utf8.span) {
        let version = "Jaeger-" + BytesView(bytes.extracting(tag.value.range)).string
        writer.attribute(1, "opencensus.exporterversion".utf8.span, text: version.utf8.span)
      } else {
        Self.attribute(1, tag, bytes, to: &writer)
      }
    }
    return assembly.resource(writer.finish())
  }
}
