@_spi(Inside) internal import TelemetryData
internal import WireFormat

/// Writes spans of Zipkin's as OTLP.
///
/// Source: the Collector's `pkg/translator/zipkin`; for the names see ``ZipkinName``. Spans whose tags describe the same
/// process share a resource; the Collector takes that of the first span for all of a service.
struct ZipkinSpanWriter {
  let assembly: SpanAssembly
  let parsesTags: Bool
  /// The spans that were left out, since they have no valid ids.
  private(set) var faults = SpanDrops()

  init(assembly: SpanAssembly, parsesTags: Bool) {
    self.assembly = assembly
    self.parsesTags = parsesTags
  }

  /// Adds a span; one without valid ids is counted instead.
  mutating func write(_ span: ZipkinSpan) throws(TraceFormatError) {
    if let fault = span.fault { return faults.add(fault) }
    let text = span.text.span
    var tags = ZipkinTagReading(span, text)
    let resource = assembly.resource(Self.resource(of: span, &tags, text))
    let scope = assembly.scope(
      of: resource, name: text.extracting(tags.fields.scopeName.range),
      version: text.extracting(tags.fields.scopeVersion.range))
    let parsesTags = parsesTags
    try assembly.addSpan(to: scope) { writer in Self.write(span, tags, parsesTags, to: &writer) }
  }

  /// The fields of the resource: the service, and what tags say of the process.
  private static func resource(
    of span: ZipkinSpan, _ tags: inout ZipkinTagReading, _ text: Span<UInt8>
  ) -> [UInt8] {
    var writer = WireWriter(capacity: 128)
    let service = text.extracting(span.local.service.range)
    let isNamed = !service.isEmpty && !service.hasSameBytes(as: JaegerName.noService.utf8.span)
    if isNamed {
      if let source = tags.serviceNameSource {
        writer.attribute(1, text.extracting(source.range), text: service)
      } else {
        writer.attribute(1, JaegerName.serviceName.utf8.span, text: service)
      }
    }
    for (position, tag) in span.tags.enumerated() where tags.isOfResource[position] {
      let key = text.extracting(tag.key.range)
      if isNamed, tags.serviceNameSource == nil, key.hasSameBytes(as: JaegerName.serviceName.utf8.span) {
        continue
      }
      writer.attribute(1, key, text: text.extracting(tag.value.range))
    }
    return writer.finish()
  }

  private static func write(
    _ span: ZipkinSpan, _ tags: ZipkinTagReading, _ parsesTags: Bool, to writer: inout WireWriter
  ) {
    let text = span.text.span
    let fields = tags.fields
    writer.idField(1, span.traceHigh, span.traceLow)
    writer.idField(2, span.id)
    if !fields.traceState.isEmpty { writer.textField(3, text.extracting(fields.traceState.range)) }
    if span.parent != 0, span.parent != span.id { writer.idField(4, span.parent) }
    if !span.name.isEmpty { writer.textField(5, text.extracting(span.name.range)) }
    let kind = span.kind != 0 ? span.kind : fields.kind
    if kind != 0 { writer.varintField(6, kind) }
    let start = Nanoseconds.time(microseconds: span.timestamp)
    let duration = Nanoseconds.time(microseconds: span.duration)
    let end = start.addingReportingOverflow(duration)
    if start != 0 { writer.fixed64Field(7, start) }
    writer.fixed64Field(8, end.overflow ? .max : end.partialValue)
    for (position, tag) in span.tags.enumerated()
    where tags.isKept[position] && !tags.isOfResource[position] {
      attribute(tag, text, parsesTags, to: &writer)
    }
    endpoints(span, tags, to: &writer)
    if span.timestamp == 0 {
      writer.pairField(9, key: ZipkinName.startTimeAbsent.utf8.span, 2, varint: 1)
    }
    if fields.droppedAttributes > 0 { writer.varintField(10, fields.droppedAttributes) }
    for annotation in span.annotations { event(annotation, text, to: &writer) }
    if fields.droppedEvents > 0 { writer.varintField(12, fields.droppedEvents) }
    for link in tags.links { writer.bytesField(13, link) }
    if fields.droppedLinks > 0 { writer.varintField(14, fields.droppedLinks) }
    if fields.status != 0 || !fields.statusText.isEmpty {
      let status = writer.beginMessage(15)
      if !fields.statusText.isEmpty { writer.textField(2, text.extracting(fields.statusText.range)) }
      if fields.status != 0 { writer.varintField(3, fields.status) }
      writer.endMessage(status)
    }
  }

  private static func attribute(
    _ tag: JaegerTag, _ text: Span<UInt8>, _ parsesTags: Bool, to writer: inout WireWriter
  ) {
    let (key, value) = (text.extracting(tag.key.range), text.extracting(tag.value.range))
    guard parsesTags else { return writer.attribute(9, key, text: value) }
    switch ZipkinTagValue(value) {
    case .text: writer.attribute(9, key, text: value)
    case .integer(let number): writer.attribute(9, key, 3, varint: UInt64(bitPattern: number))
    case .double(let number): writer.attribute(9, key, double: number.bitPattern)
    case .bool(let flag): writer.attribute(9, key, 2, varint: flag ? 1 : 0)
    }
  }

  /// The addresses of both sides; a tag that says the same comes first.
  private static func endpoints(_ span: ZipkinSpan, _ tags: ZipkinTagReading, to writer: inout WireWriter) {
    let text = span.text.span
    func add(_ key: String, _ range: WireRange, to writer: inout WireWriter) {
      if range.isEmpty || tags.has(key, span) { return }
      writer.attribute(9, key.utf8.span, text: text.extracting(range.range))
    }
    func add(_ key: String, _ port: UInt64, to writer: inout WireWriter) {
      if port == 0 || tags.has(key, span) { return }
      writer.pairField(9, key: key.utf8.span, 3, varint: port)
    }
    let (local, remote) = (span.local, span.remote)
    add(ZipkinName.hostIP, local.ipv6.isEmpty ? local.ipv4 : local.ipv6, to: &writer)
    add(ZipkinName.hostPort, local.port, to: &writer)
    add(ZipkinName.peerService, remote.service, to: &writer)
    add(ZipkinName.peerIP, remote.ipv6.isEmpty ? remote.ipv4 : remote.ipv6, to: &writer)
    add(ZipkinName.peerPort, remote.port, to: &writer)
  }

  /// `name`, or `name|attributes as JSON|count of those that were dropped`.
  private static func event(
    _ annotation: ZipkinAnnotation, _ text: Span<UInt8>, to writer: inout WireWriter
  ) {
    let value = text.extracting(annotation.value.range)
    let message = writer.beginMessage(11)
    let time = Nanoseconds.time(microseconds: annotation.time)
    if time != 0 { writer.fixed64Field(1, time) }
    let parts = ZipkinPieces(value)
    if let name = parts.first, parts.count >= 3, let attributes = parts.attributes(from: 1, field: 3) {
      if !name.isEmpty { writer.textField(2, value.extracting(name.range)) }
      writer.write(attributes.span)
      if let dropped = parts.droppedCount, dropped > 0 { writer.varintField(4, dropped) }
    } else if !value.isEmpty {
      writer.textField(2, value)
    }
    writer.endMessage(message)
  }
}
