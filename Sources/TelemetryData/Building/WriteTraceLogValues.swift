import WireFormat

extension WireWriter {
  mutating func write(_ value: ResourceValue) {
    attributeFields(1, value.attributes)
    optionalVarint(2, UInt64(value.droppedAttributesCount))
    for entity in value.entityRefs {
      message(3) { writer in
        writer.optionalString(1, entity.schemaURL)
        writer.optionalString(2, entity.type)
        for key in entity.idKeys { writer.stringField(3, key) }
        for key in entity.descriptionKeys { writer.stringField(4, key) }
      }
    }
  }

  mutating func write(_ value: ScopeValue) {
    optionalString(1, value.name)
    optionalString(2, value.version)
    attributeFields(3, value.attributes)
    optionalVarint(4, UInt64(value.droppedAttributesCount))
  }

  mutating func write(_ value: SpanValue) {
    optionalBytes(1, value.traceID)
    optionalBytes(2, value.spanID)
    optionalString(3, value.traceState)
    optionalBytes(4, value.parentSpanID)
    optionalString(5, value.name)
    optionalInt(6, Int64(value.kind))
    optionalFixed64(7, value.startTime)
    optionalFixed64(8, value.endTime)
    attributeFields(9, value.attributes)
    optionalVarint(10, UInt64(value.droppedAttributesCount))
    for event in value.events {
      message(11) { writer in
        writer.optionalFixed64(1, event.time)
        writer.optionalString(2, event.name)
        writer.attributeFields(3, event.attributes)
        writer.optionalVarint(4, UInt64(event.droppedAttributesCount))
      }
    }
    optionalVarint(12, UInt64(value.droppedEventsCount))
    for link in value.links {
      message(13) { writer in
        writer.optionalBytes(1, link.traceID)
        writer.optionalBytes(2, link.spanID)
        writer.optionalString(3, link.traceState)
        writer.attributeFields(4, link.attributes)
        writer.optionalVarint(5, UInt64(link.droppedAttributesCount))
        writer.optionalFixed32(6, link.flags)
      }
    }
    optionalVarint(14, UInt64(value.droppedLinksCount))
    if let status = value.status { message(15) { $0.write(status) } }
    optionalFixed32(16, value.flags)
  }

  mutating func write(_ value: StatusValue) {
    optionalString(2, value.message)
    optionalInt(3, Int64(value.code))
  }

  mutating func write(_ value: LogRecordValue) {
    optionalFixed64(1, value.time)
    optionalInt(2, Int64(value.severityNumber))
    optionalString(3, value.severityText)
    if let body = value.body { anyValueField(5, body) }
    attributeFields(6, value.attributes)
    optionalVarint(7, UInt64(value.droppedAttributesCount))
    optionalFixed32(8, value.flags)
    optionalBytes(9, value.traceID)
    optionalBytes(10, value.spanID)
    optionalFixed64(11, value.observedTime)
    optionalString(12, value.eventName)
  }
}
