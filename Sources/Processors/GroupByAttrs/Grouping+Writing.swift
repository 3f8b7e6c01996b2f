internal import TelemetryData
internal import WireFormat

extension Grouping {
  /// A batch of the groups.
  ///
  /// - Throws: when it would not be addressable with 32 bits.
  func written() throws(WireError) -> Batch {
    var writer = WireWriter(capacity: batch.byteCount)
    for group in groups { write(group, &writer) }
    return try Batch(bytes: writer.finish(), signal: batch.signal, validation: .framing)
  }

  private func write(_ group: Group, _ writer: inout WireWriter) {
    let bytes = batch.bytes.span
    let entry = batch.index.resources[group.resource]
    let message = writer.beginMessage(1)
    writeResource(group, &writer)
    for scope in group.scopes { write(scope, of: group, &writer) }
    writeRest(of: entry.payload, &writer)
    if !entry.schemaURL.isEmpty { writer.bytesField(3, bytes.extracting(entry.schemaURL.range)) }
    writer.endMessage(message)
  }

  private func writeResource(_ group: Group, _ writer: inout WireWriter) {
    let bytes = batch.bytes.span
    let resource = batch.index.resources[group.resource].resource
    if resource.end == 0, group.moved.isEmpty { return }
    let message = writer.beginMessage(1)
    if group.moved.isEmpty {
      writer.write(bytes, in: resource)
    } else {
      var cursor = WireCursor(bytes, in: resource)
      while let field = cursor.nextField() {
        if field.tag == .lengthDelimited(1), isMoved(field.value, group.moved) { continue }
        writer.write(bytes, in: field.range)
      }
      for attribute in group.moved { writer.bytesField(1, bytes.extracting(attribute.range)) }
    }
    writer.endMessage(message)
  }

  private func write(_ scope: ScopeGroup, of group: Group, _ writer: inout WireWriter) {
    let bytes = batch.bytes.span
    let entry = batch.index.scopes[scope.scope]
    let message = writer.beginMessage(2)
    // An absent scope is not the same as an empty one.
    if entry.scope.end != 0 { writer.bytesField(1, bytes.extracting(entry.scope.range)) }
    for (position, isChanged) in scope.items {
      let item = batch.index.items[position]
      if isChanged {
        let message = writer.beginMessage(2)
        write(item.payload, without: batch.signal == .traces ? 9 : 6, &writer)
        writer.endMessage(message)
      } else {
        writer.write(bytes, in: WireRange(start: item.fieldStart, end: item.payload.end))
      }
    }
    for metric in scope.metrics { write(metric, &writer) }
    writeRest(of: entry.payload, &writer)
    if !entry.schemaURL.isEmpty { writer.bytesField(3, bytes.extracting(entry.schemaURL.range)) }
    writer.endMessage(message)
  }

  /// Fields of a resource's or scope's container that this version does not know.
  private func writeRest(of container: WireRange, _ writer: inout WireWriter) {
    var cursor = WireCursor(batch.bytes.span, in: container)
    while let field = cursor.nextField() {
      if field.fieldNumber > 3 { writer.write(batch.bytes.span, in: field.range) }
    }
  }

  /// Writes an item without the attributes that have moved.
  private func write(_ item: WireRange, without attributesField: UInt32, _ writer: inout WireWriter) {
    let bytes = batch.bytes.span
    var cursor = WireCursor(bytes, in: item)
    while let field = cursor.nextField() {
      if field.tag == .lengthDelimited(attributesField), isKey(field.value) { continue }
      writer.write(bytes, in: field.range)
    }
  }

  private func isKey(_ attribute: WireRange) -> Bool {
    let key = AttributeView(WireMessage(batch.bytes.span, attribute)).key
    for wanted in keys where key == wanted { return true }
    return false
  }

  private func write(_ metric: MetricGroup, _ writer: inout WireWriter) {
    let bytes = batch.bytes.span
    let message = writer.beginMessage(2)
    var cursor = batch.item(at: metric.metric).fields
    var data: WireField?
    while let field = cursor.nextField() {
      if MetricHead.dataFields.contains(field.fieldNumber) {
        // Of several the last counts.
        data = field
      } else {
        writer.write(bytes, in: field.range)
      }
    }
    if let data {
      let inner = writer.beginMessage(data.fieldNumber)
      for (payload, isChanged) in metric.points {
        let point = writer.beginMessage(1)
        if isChanged {
          write(payload, without: metric.attributesField, &writer)
        } else {
          writer.write(bytes, in: payload)
        }
        writer.endMessage(point)
      }
      var parts = WireCursor(bytes, in: data.value)
      while let part = parts.nextField() {
        if part.tag != .lengthDelimited(1) { writer.write(bytes, in: part.range) }
      }
      writer.endMessage(inner)
    }
    writer.endMessage(message)
  }
}
