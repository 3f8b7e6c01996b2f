internal import TelemetryData
internal import WireFormat

/// Writes `zipkin.proto3.ListOfSpans`.
struct ZipkinProtoSink: ~Copyable, ZipkinSink {
  private var writer: WireWriter
  private var span: WireWriter.Mark?

  init(capacity: Int) { writer = WireWriter(capacity: capacity) }

  mutating func begin(
    _ ids: ZipkinIDs, name: Span<UInt8>, kind: UInt64, timestamp: UInt64, duration: UInt64
  ) {
    span = writer.beginMessage(1)
    writer.idField(1, ids.traceHigh, ids.traceLow)
    if ids.parent != 0 { writer.idField(2, ids.parent) }
    writer.idField(3, ids.id)
    if let kind = Self.kind(kind) { writer.varintField(4, kind) }
    if !name.isEmpty { writer.bytesField(5, name) }
    if timestamp != 0 { writer.fixed64Field(6, timestamp) }
    if duration != 0 { writer.varintField(7, duration) }
  }

  /// Zipkin numbers client and server, producer and consumer in another order.
  private static func kind(_ kind: UInt64) -> UInt64? {
    switch kind {
    case 3: 1
    case 2: 2
    case 4: 3
    case 5: 4
    default: nil
    }
  }

  mutating func endpoint(_ side: ZipkinSide, isLocal: Bool) {
    let message = writer.beginMessage(isLocal ? 8 : 9)
    if !side.service.isEmpty { writer.bytesField(1, side.service) }
    if !side.address.isEmpty { writer.bytesField(side.address.count == 4 ? 2 : 3, side.address) }
    if side.port != 0 { writer.varintField(4, UInt64(side.port)) }
    writer.endMessage(message)
  }

  mutating func annotation(_ time: UInt64, _ value: Span<UInt8>) {
    let message = writer.beginMessage(10)
    writer.fixed64Field(1, time)
    writer.bytesField(2, value)
    writer.endMessage(message)
  }

  mutating func tag(_ key: Span<UInt8>, _ value: Span<UInt8>) { writer.flatPairField(11, key: key, 2, value) }

  mutating func end() {
    if let mark = span { writer.endMessage(mark) }
    span = nil
  }

  consuming func finish() -> [UInt8] { writer.finish() }
}

/// Writes a list of spans in JSON.
struct ZipkinJSONSink: ~Copyable, ZipkinSink {
  private var text: [UInt8] = [UInt8(ascii: "[")]
  /// What of the span has been begun and not ended.
  private var list = List.none

  private enum List { case none, annotations, tags }

  init(capacity: Int) { text.reserveCapacity(capacity) }

  mutating func begin(
    _ ids: ZipkinIDs, name: Span<UInt8>, kind: UInt64, timestamp: UInt64, duration: UInt64
  ) {
    if text.count > 1 { text.append(UInt8(ascii: ",")) }
    append("{\"traceId\":\"")
    hex(ids.traceHigh)
    hex(ids.traceLow)
    append("\",\"id\":\"")
    hex(ids.id)
    append("\"")
    if ids.parent != 0 {
      append(",\"parentId\":\"")
      hex(ids.parent)
      append("\"")
    }
    if let kind = Self.kind(kind) { append(",\"kind\":\"\(kind)\"") }
    if !name.isEmpty {
      append(",\"name\":")
      AttributeValueText.appendQuoted(name, to: &text)
    }
    if timestamp != 0 { append(",\"timestamp\":\(timestamp)") }
    if duration != 0 { append(",\"duration\":\(duration)") }
  }

  private static func kind(_ kind: UInt64) -> String? {
    switch kind {
    case 2: "SERVER"
    case 3: "CLIENT"
    case 4: "PRODUCER"
    case 5: "CONSUMER"
    default: nil
    }
  }

  mutating func endpoint(_ side: ZipkinSide, isLocal: Bool) {
    append(isLocal ? ",\"localEndpoint\":{" : ",\"remoteEndpoint\":{")
    var separator = ""
    if !side.service.isEmpty {
      append("\"serviceName\":")
      AttributeValueText.appendQuoted(side.service.span, to: &text)
      separator = ","
    }
    if !side.address.isEmpty {
      append(separator + (side.address.count == 4 ? "\"ipv4\":" : "\"ipv6\":"))
      AttributeValueText.appendQuoted(side.addressText.span, to: &text)
      separator = ","
    }
    if side.port != 0 { append("\(separator)\"port\":\(side.port)") }
    append("}")
  }

  mutating func annotation(_ time: UInt64, _ value: Span<UInt8>) {
    append(list == .annotations ? "," : ",\"annotations\":[")
    list = .annotations
    append("{\"timestamp\":\(time),\"value\":")
    AttributeValueText.appendQuoted(value, to: &text)
    append("}")
  }

  mutating func tag(_ key: Span<UInt8>, _ value: Span<UInt8>) {
    if list == .tags {
      append(",")
    } else {
      endList()
      append(",\"tags\":{")
    }
    list = .tags
    AttributeValueText.appendQuoted(key, to: &text)
    append(":")
    AttributeValueText.appendQuoted(value, to: &text)
  }

  private mutating func endList() {
    switch list {
    case .none: break
    case .annotations: append("]")
    case .tags: append("}")
    }
    list = .none
  }

  mutating func end() {
    endList()
    append("}")
  }

  consuming func finish() -> [UInt8] {
    text.append(UInt8(ascii: "]"))
    return text
  }

  private mutating func append(_ string: String) { text.append(contentsOf: string.utf8) }

  private mutating func hex(_ value: UInt64) {
    var shift: UInt64 = 64
    while shift > 0 {
      shift -= 4
      text.append(AttributeValueText.hexDigit(UInt8(truncatingIfNeeded: value >> shift & 15)))
    }
  }
}
