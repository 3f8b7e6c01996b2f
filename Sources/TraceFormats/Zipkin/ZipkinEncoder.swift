package import TelemetryData
internal import WireFormat

/// Writes batches of spans as Zipkin's second format, one request for each batch.
///
/// Sources: zipkin-api `zipkin2-api.yaml` and `zipkin.proto`; for the mapping see ``ZipkinName``. What describes the
/// resource and the scope becomes tags of each span; of equal keys that of the span counts.
package struct ZipkinEncoder: Sendable {
  private let message: ZipkinMessage
  private let defaultServiceName: [UInt8]

  /// - Parameter defaultServiceName: the name of services whose resource has none.
  package init(_ message: ZipkinMessage, defaultServiceName: String) {
    self.message = message
    self.defaultServiceName = Array(defaultServiceName.utf8)
  }

  /// The request that stands for a batch of traces.
  package func encode(_ batch: Batch) -> TraceRequests {
    switch message {
    case .json: encode(batch, into: ZipkinJSONSink(capacity: batch.byteCount * 2 + 256))
    case .protobuf:
      encode(batch, into: ZipkinProtoSink(capacity: batch.byteCount + batch.byteCount / 2 + 256))
    }
  }

  private func encode<Sink: ZipkinSink & ~Copyable>(_ batch: Batch, into sink: consuming Sink)
    -> TraceRequests
  {
    var requests = TraceRequests()
    if batch.signal != .traces { return requests }
    var spans = 0
    for position in 0..<batch.resourceCount {
      let resource = ZipkinResource(batch.resource(at: position), defaultServiceName)
      for scopePosition in batch.resource(at: position).scopes {
        let scope = batch.scope(at: scopePosition)
        let outer = resource.adding(scope)
        for item in scope.items {
          let span = batch.span(at: item)
          let fields = SpanFields(span)
          if let fault = fields.fault(in: span.message.bytes) {
            requests.drops.add(fault)
          } else {
            sink.write(span, fields, outer)
            spans += 1
          }
        }
      }
    }
    if spans > 0 { requests.parts.append(TracePart(body: sink.finish(), spans: spans)) }
    return requests
  }
}

/// What spans of one resource and scope have in common.
struct ZipkinResource {
  var service: [UInt8]
  var tags: [(key: [UInt8], value: [UInt8])] = []

  init(_ resource: borrowing ResourceView, _ defaultServiceName: [UInt8]) {
    service = defaultServiceName
    let names = [JaegerName.serviceName] + ZipkinName.serviceNames
    let name = names.first { resource.attributes.first($0) != nil }
    var attributes = resource.attributes.makeIterator()
    while let attribute = attributes.next() {
      var value: [UInt8] = []
      AttributeValueText.append(attribute.value, to: &value)
      let key = attribute.key.array
      if let name, attribute.key == name {
        service = value
        // Else the way back would not know.
        if name != JaegerName.serviceName {
          tags.append((Array(ZipkinName.serviceNameSource.utf8), Array(name.utf8)))
        }
      } else {
        tags.append((key, value))
      }
    }
  }

  /// The same with the tags of a scope.
  func adding(_ scope: borrowing ScopeView) -> ZipkinResource {
    var outer = self
    if !scope.name.isEmpty { outer.tags.append((Array(JaegerName.scopeName.utf8), scope.name.array)) }
    if !scope.version.isEmpty {
      outer.tags.append((Array(JaegerName.scopeVersion.utf8), scope.version.array))
    }
    return outer
  }

  /// The value of a tag; nil when there is none.
  func first(_ key: String) -> [UInt8]? {
    tags.first { $0.key.span.hasSameBytes(as: key.utf8.span) }?.value
  }
}

/// One side of a span, for writing.
struct ZipkinSide {
  var service: [UInt8] = []
  /// 4 or 16 bytes, or none.
  var address: [UInt8] = []
  var addressText: [UInt8] = []
  var port: UInt16 = 0

  var isEmpty: Bool { service.isEmpty && address.isEmpty }

  /// The address that an attribute names, and whether it was one.
  mutating func setAddress(_ text: [UInt8]) -> Bool {
    guard let bytes = InternetAddress.bytes(String(decoding: text, as: UTF8.self)) else { return false }
    (address, addressText) = (bytes, text)
    return true
  }
}

/// Writes spans in one of Zipkin's forms. The parts of a span come in this order.
protocol ZipkinSink: ~Copyable {
  mutating func begin(_ ids: ZipkinIDs, name: Span<UInt8>, kind: UInt64, timestamp: UInt64, duration: UInt64)
  mutating func endpoint(_ side: ZipkinSide, isLocal: Bool)
  mutating func annotation(_ time: UInt64, _ value: Span<UInt8>)
  mutating func tag(_ key: Span<UInt8>, _ value: Span<UInt8>)
  mutating func end()
  consuming func finish() -> [UInt8]
}

/// Where the ids of a span stand.
struct ZipkinIDs {
  var traceHigh: UInt64
  var traceLow: UInt64
  var id: UInt64
  /// 0 for a root.
  var parent: UInt64
}

extension ZipkinSink where Self: ~Copyable {
  mutating func write(_ span: borrowing SpanView, _ fields: SpanFields, _ resource: ZipkinResource) {
    let bytes = span.message.bytes
    let trace = fields.traceID.lowerBound
    let ids = ZipkinIDs(
      traceHigh: bytes.bigEndian64(at: trace), traceLow: bytes.bigEndian64(at: trace + 8),
      id: bytes.bigEndian64(at: fields.spanID.lowerBound),
      parent: fields.hasParent(in: bytes) ? bytes.bigEndian64(at: fields.parentSpanID.lowerBound) : 0)
    let nanoseconds = max(0, fields.duration)
    // What took less than a microsecond took some time nevertheless.
    let duration = nanoseconds == 0 ? 0 : max(1, UInt64(nanoseconds) / 1000)
    begin(
      ids, name: bytes.extracting(fields.name.range), kind: fields.kind, timestamp: fields.start / 1000,
      duration: duration)
    let sides = ZipkinSides(span, fields, resource)
    endpoint(sides.local, isLocal: true)
    if !sides.remote.isEmpty { endpoint(sides.remote, isLocal: false) }
    if fields.events > 0 { annotations(of: span) }
    tags(of: span, fields, resource, without: sides.consumed)
    end()
  }

  private mutating func annotations(of span: borrowing SpanView) {
    var events = span.events.makeIterator()
    while let event = events.next() {
      let dropped = event.droppedAttributesCount
      if dropped == 0, event.attributes.isEmpty {
        annotation(event.time / 1000, event.name.span)
      } else {
        var text = event.name.array
        text.append(UInt8(ascii: "|"))
        AttributeValueText.appendJSON(event.attributes, to: &text)
        text.append(contentsOf: "|\(dropped)".utf8)
        annotation(event.time / 1000, text.span)
      }
    }
  }

  private mutating func tags(
    of span: borrowing SpanView, _ fields: SpanFields, _ resource: ZipkinResource, without consumed: [String]
  ) {
    let bytes = span.message.bytes
    for (key, value) in resource.tags {
      // The span's own counts, and what stands in an endpoint needs no tag.
      let isConsumed = consumed.contains { key.span.hasSameBytes(as: $0.utf8.span) }
      if isConsumed || span.attributes.first(key) != nil { continue }
      tag(key.span, value.span)
    }
    var text: [UInt8] = []
    var attributes = span.attributes.makeIterator()
    while let attribute = attributes.next() {
      if attribute.key == JaegerName.error || consumed.contains(where: { attribute.key == $0 }) { continue }
      text.removeAll(keepingCapacity: true)
      AttributeValueText.append(attribute.value, to: &text)
      tag(attribute.key.span, text.span)
    }
    if fields.kind == 1 { tag(JaegerName.spanKind, "internal") }
    if let status = JaegerName.status(fields.statusCode) { tag(JaegerName.statusCode, status) }
    if fields.statusCode == 2 { tag(JaegerName.error, "true") }
    if !fields.statusText.isEmpty {
      tag(JaegerName.statusDescription.utf8.span, bytes.extracting(fields.statusText.range))
    }
    if !fields.traceState.isEmpty {
      tag(JaegerName.traceState.utf8.span, bytes.extracting(fields.traceState.range))
    }
    for (name, count) in [
      (JaegerName.droppedAttributes, fields.droppedAttributes),
      (JaegerName.droppedEvents, fields.droppedEvents),
      (JaegerName.droppedLinks, fields.droppedLinks),
    ] where count > 0 {
      tag(name, String(count))
    }
    if fields.links > 0 { links(of: span) }
  }

  private mutating func links(of span: borrowing SpanView) {
    var number = 0
    var links = span.links.makeIterator()
    while let link = links.next() {
      var text = Array("\(link.traceID.hex)|\(link.spanID.hex)|".utf8)
      link.traceState.append(to: &text)
      text.append(UInt8(ascii: "|"))
      AttributeValueText.appendJSON(link.attributes, to: &text)
      text.append(contentsOf: "|\(link.droppedAttributesCount)".utf8)
      tag((ZipkinName.link + String(number)).utf8.span, text.span)
      number += 1
    }
  }

  private mutating func tag(_ key: String, _ value: String) { tag(key.utf8.span, value.utf8.span) }
}

/// Both sides of a span, and the attributes that said so.
struct ZipkinSides {
  var local = ZipkinSide()
  var remote = ZipkinSide()
  private(set) var consumed: [String] = []

  init(_ span: borrowing SpanView, _ fields: SpanFields, _ resource: ZipkinResource) {
    local.service = resource.service
    func text(_ key: String) -> [UInt8]? {
      guard let value = span.attributes.first(key) else { return resource.first(key) }
      var text: [UInt8] = []
      AttributeValueText.append(value, to: &text)
      return text
    }
    func port(_ key: String) -> UInt16? {
      text(key).flatMap { UInt16(String(decoding: $0, as: UTF8.self)) }
    }
    if let value = text(ZipkinName.hostIP), local.setAddress(value) { consumed.append(ZipkinName.hostIP) }
    if let value = port(ZipkinName.hostPort) {
      local.port = value
      consumed.append(ZipkinName.hostPort)
    }
    if let value = text(ZipkinName.peerService) {
      remote.service = value
      consumed.append(ZipkinName.peerService)
    }
    if let value = text(ZipkinName.peerIP), remote.setAddress(value) { consumed.append(ZipkinName.peerIP) }
    // Without its other side, Zipkin sees no dependency in a client.
    if remote.service.isEmpty, fields.kind == 3 || fields.kind == 4 {
      for key in ZipkinName.peerNames {
        guard let value = text(key), !value.isEmpty else { continue }
        remote.service = value
        break
      }
    }
    if !remote.isEmpty, let value = port(ZipkinName.peerPort) {
      remote.port = value
      consumed.append(ZipkinName.peerPort)
    }
  }
}
