package import WireFormat

extension WireWriter {
  /// Writes the fields of an `AnyValue` message.
  package mutating func writeAnyValue(_ value: LogValue, of entry: borrowing LogEntry) {
    switch value.kind {
    case .null: break
    case .string: bytesField(1, entry.text(value.range))
    case .bool: boolField(2, value.bool)
    case .int: intField(3, value.int)
    case .double: doubleField(4, value.double)
    case .bytes: bytesField(7, entry.text(value.range))
    case .list:
      let mark = beginMessage(5)
      if let chain = value.chain { writeElements(of: chain, of: entry) }
      endMessage(mark)
    case .map:
      let mark = beginMessage(6)
      if let chain = value.chain { writeAttributes(1, chain, of: entry) }
      endMessage(mark)
    }
  }

  /// Writes each element of a map as a `KeyValue` field.
  package mutating func writeAttributes(_ number: UInt32, _ map: LogChain, of entry: borrowing LogEntry) {
    var position = entry.chains[map.position].first
    while position >= 0 {
      let slot = entry.slots[Int(position)]
      position = slot.next
      let key = entry.text(slot.key)
      switch slot.value.kind {
      case .string: pairField(number, key: key, 1, entry.text(slot.value.range))
      case .bytes: pairField(number, key: key, 7, entry.text(slot.value.range))
      case .bool: pairField(number, key: key, 2, varint: slot.value.bits)
      case .int: pairField(number, key: key, 3, varint: slot.value.bits)
      case .double: pairField(number, key: key, 4, fixed64: slot.value.bits)
      case .null, .list, .map:
        let mark = beginMessage(number)
        if !slot.key.isEmpty { bytesField(1, key) }
        let value = beginMessage(2)
        writeAnyValue(slot.value, of: entry)
        endMessage(value)
        endMessage(mark)
      }
    }
  }

  private mutating func writeElements(of list: LogChain, of entry: borrowing LogEntry) {
    var position = entry.chains[list.position].first
    while position >= 0 {
      let slot = entry.slots[Int(position)]
      let mark = beginMessage(1)
      writeAnyValue(slot.value, of: entry)
      endMessage(mark)
      position = slot.next
    }
  }

  /// Writes the fields of a `LogRecord`; the resource and the scope's name are not among them.
  package mutating func writeLogRecord(_ entry: borrowing LogEntry) {
    if entry.timestamp != 0 { fixed64Field(1, entry.timestamp) }
    if entry.severityNumber != 0 { intField(2, Int64(entry.severityNumber)) }
    if !entry.severityText.isEmpty { bytesField(3, entry.text(entry.severityText)) }
    if entry.body.kind == .string {
      let text = entry.text(entry.body.range)
      writeTag(.lengthDelimited(5))
      writeVarint(UInt64(Varint.fieldLength(1, payload: text.count)))
      bytesField(1, text)
    } else if entry.body.kind != .null {
      let mark = beginMessage(5)
      writeAnyValue(entry.body, of: entry)
      endMessage(mark)
    }
    writeAttributes(6, .attributes, of: entry)
    if entry.traceFlags != 0 { fixed32Field(8, entry.traceFlags) }
    if !entry.traceID.isEmpty { bytesField(9, entry.text(entry.traceID)) }
    if !entry.spanID.isEmpty { bytesField(10, entry.text(entry.spanID)) }
    if entry.observedTimestamp != 0 { fixed64Field(11, entry.observedTimestamp) }
  }
}
