internal import TelemetryData

/// The `detailed` verbosity: every field of everything, laid out as the Collector's debug exporter does.
struct DebugDetail {
  private(set) var text = ""

  mutating func write(_ batch: Batch) {
    let name = batch.signal.elementName
    for resource in 0..<batch.resourceCount {
      let view = batch.resource(at: resource)
      line("Resource\(name) #\(resource)")
      line("Resource SchemaURL: ", view.schemaURL)
      attributes(view.attributes, title: "Resource attributes:")
      dropped(view.droppedAttributesCount, "Resource dropped attributes count")
      view.entityRefs.forEach { write($0) }
      for (position, scope) in view.scopes.enumerated() {
        write(scope, at: position, of: batch, name: name)
      }
    }
  }

  private mutating func write(_ scope: Int, at position: Int, of batch: Batch, name: String) {
    let view = batch.scope(at: scope)
    line("Scope\(name) #\(position)")
    line("Scope\(name) SchemaURL: ", view.schemaURL)
    line("InstrumentationScope \(printable(view.name)) \(printable(view.version))")
    attributes(view.attributes, title: "InstrumentationScope attributes:")
    dropped(view.droppedAttributesCount, "InstrumentationScope dropped attributes count")
    for (position, item) in view.items.enumerated() {
      switch batch.signal {
      case .traces:
        line("Span #\(position)")
        write(batch.span(at: item))
      case .logs:
        line("LogRecord #\(position)")
        write(batch.logRecord(at: item))
      case .metrics:
        line("Metric #\(position)")
        write(batch.metric(at: item))
      }
    }
  }

  private mutating func write(_ entity: borrowing EntityRefView) {
    var ids: [String] = []
    entity.idKeys.forEach { ids.append(DebugFormat.printable($0.string)) }
    var descriptions: [String] = []
    entity.descriptionKeys.forEach { descriptions.append(DebugFormat.printable($0.string)) }
    line("Entity Ref")
    line("    Entity Type: ", entity.type)
    line("    SchemaURL: ", entity.schemaURL)
    line("    Identifying Attributes: \(ids.joined(separator: ", "))")
    line("    Descriptive Attributes: \(descriptions.joined(separator: ", "))")
  }

  private mutating func write(_ span: borrowing SpanView) {
    line("    Trace ID       : \(span.traceID.hex)")
    line("    Parent ID      : \(span.parentSpanID.hex)")
    line("    ID             : \(span.spanID.hex)")
    line("    Name           : ", span.name)
    line("    Kind           : \(DebugValues.spanKind(span.kind))")
    if !span.traceState.isEmpty { line("    TraceState     : ", span.traceState) }
    if span.flags != 0 { line("    Flags          : \(span.flags)") }
    line("    Start time     : \(DebugFormat.time(span.startTime))")
    line("    End time       : \(DebugFormat.time(span.endTime))")
    if let status = span.status {
      line("    Status code    : \(DebugValues.statusCode(status.code))")
      line("    Status message : ", status.text)
    } else {
      line("    Status code    : Unset")
      line("    Status message : ")
    }
    dropped(span.droppedAttributesCount, "    DroppedAttributesCount")
    dropped(span.droppedEventsCount, "    DroppedEventsCount")
    dropped(span.droppedLinksCount, "    DroppedLinksCount")
    attributes(span.attributes, title: "Attributes:")
    write(span.events)
    write(span.links)
  }

  private mutating func write(_ events: borrowing RepeatedView<SpanEventView>) {
    var position = 0
    events.forEach { event in
      if position == 0 { line("Events:") }
      line("SpanEvent #\(position)")
      line("     -> Name: ", event.name)
      line("     -> Timestamp: \(DebugFormat.time(event.time))")
      line("     -> DroppedAttributesCount: \(event.droppedAttributesCount)")
      attributes(event.attributes, title: "     -> Attributes::", indent: "         ")
      position += 1
    }
  }

  private mutating func write(_ links: borrowing RepeatedView<SpanLinkView>) {
    var position = 0
    links.forEach { link in
      if position == 0 { line("Links:") }
      line("SpanLink #\(position)")
      line("     -> Trace ID: \(link.traceID.hex)")
      line("     -> ID: \(link.spanID.hex)")
      line("     -> TraceState: ", link.traceState)
      line("     -> Flags: \(link.flags)")
      line("     -> DroppedAttributesCount: \(link.droppedAttributesCount)")
      attributes(link.attributes, title: "     -> Attributes::", indent: "         ")
      position += 1
    }
  }

  private mutating func write(_ record: borrowing LogRecordView) {
    line("ObservedTimestamp: \(DebugFormat.time(record.observedTime))")
    line("Timestamp: \(DebugFormat.time(record.time))")
    line("SeverityText: ", record.severityText)
    line("SeverityNumber: \(DebugValues.severity(record.severityNumber))(\(record.severityNumber))")
    if !record.eventName.isEmpty { line("EventName: ", record.eventName) }
    if let body = record.body {
      line("Body: \(DebugValues.typed(body))")
    } else {
      line("Body: Empty()")
    }
    attributes(record.attributes, title: "Attributes:")
    dropped(record.droppedAttributesCount, "DroppedAttributesCount")
    line("Trace ID: \(record.traceID.hex)")
    line("Span ID: \(record.spanID.hex)")
    line("Flags: \(record.flags)")
  }

  // Pieces, also for metrics.

  mutating func line(_ text: String) { self.text += "\n" + text }

  mutating func line(_ title: String, _ bytes: borrowing BytesView) { line(title + printable(bytes)) }

  mutating func attributes(_ attributes: borrowing AttributesView, title: String, indent: String = "     ") {
    var isFirst = true
    attributes.forEach { attribute in
      if isFirst { line(title) }
      isFirst = false
      line("\(indent)-> \(printable(attribute.key)): \(DebugValues.typed(attribute.value))")
    }
  }

  mutating func dropped(_ count: UInt32, _ title: String) {
    if count > 0 { line("\(title): \(count)") }
  }

  func printable(_ bytes: borrowing BytesView) -> String { DebugFormat.printable(bytes.string) }
}

extension Signal {
  /// What a resource or scope of the signal is called: `Spans` in `ResourceSpans`.
  fileprivate var elementName: String {
    switch self {
    case .traces: "Spans"
    case .metrics: "Metrics"
    case .logs: "Logs"
    }
  }
}
