import TelemetryData
import WireFormat

@testable import TraceFormats

/// What must hold for spans in the formats of Jaeger and Zipkin.
enum TraceFormatOracle {
  static func check(_ input: [UInt8], _ message: JaegerMessage) throws {
    let assembly = SpanAssembly()
    guard let faults = try? JaegerReader.add(message, input.span, to: assembly) else {
      return try require(assembly.spanCount == 0, "a message that was refused left spans behind")
    }
    let batch = try demand("finishing the batch") { try assembly.finish() }
    try check(TraceReading(batch: batch, faults: faults), of: input)
    try checkWayBack(batch, mayDrop: false)
  }

  static func check(_ input: [UInt8], _ message: ZipkinMessage) throws {
    for parses in [false, true] {
      guard let reading = try? ZipkinReader.read(message, input, parsesTags: parses) else { continue }
      try check(reading, of: input)
      try checkWayBack(reading.batch, mayDrop: false)
    }
  }

  private static func check(_ reading: TraceReading, of input: [UInt8]) throws {
    let batch = reading.batch
    _ = try demand("checking the batch") {
      try Batch(bytes: batch.bytes, signal: .traces, validation: .structure)
    }
    // A tag of an unknown kind becomes a text of some length, and each span can have a resource of its own.
    try require(
      batch.byteCount <= input.count * 64 + 1024, "\(batch.byteCount) bytes were made of \(input.count)")
    for position in 0..<batch.recordCount {
      let span = batch.span(at: position)
      try require(span.traceID.count == 16 && span.spanID.count == 8, "a span without ids")
      var keys = Set<[UInt8]>()
      var attributes = span.attributes.makeIterator()
      while let attribute = attributes.next() { keys.insert(attribute.key.array) }
      try require(!keys.isEmpty || span.attributes.isEmpty, "attributes without keys")
    }
  }

  /// Every format carries all spans, and reads back what it has written.
  ///
  /// - Parameter mayDrop: whether there may be spans without ids, which no format carries.
  static func checkWayBack(_ batch: Batch, mayDrop: Bool) throws {
    try checkWay(batch, JaegerProtoEncoder().encode(batch), mayDrop) { try JaegerReader.read(.postSpans, $0) }
    try checkWay(batch, JaegerThriftEncoder().encode(batch), mayDrop) {
      try JaegerReader.read(.thriftBatch, $0)
    }
    for message in ZipkinMessage.allCases {
      let requests = ZipkinEncoder(message, defaultServiceName: "none").encode(batch)
      try checkWay(batch, requests, mayDrop) { try ZipkinReader.read(message, $0, parsesTags: true) }
    }
  }

  private static func checkWay(
    _ batch: Batch, _ requests: TraceRequests, _ mayDrop: Bool, _ read: ([UInt8]) throws -> TraceReading
  ) throws {
    try require(mayDrop || requests.drops.total == 0, "\(requests.drops.total) spans with ids were dropped")
    var spans = 0
    for part in requests.parts {
      let reading = try demand("reading what was written") { try read(part.body) }
      try require(
        reading.batch.itemCount == part.spans && reading.faults.total == 0,
        "\(reading.batch.itemCount) of \(part.spans) spans came back")
      _ = try demand("checking what came back") {
        try Batch(bytes: reading.batch.bytes, signal: .traces, validation: .structure)
      }
      spans += part.spans
    }
    spans += requests.drops.total
    try require(spans == batch.itemCount, "\(spans) of \(batch.itemCount) spans were written or dropped")
  }

  // Inputs to start from.

  static func seeds(_ message: JaegerMessage) -> [[UInt8]] {
    switch message {
    case .postSpans: JaegerProtoEncoder().encode(sample).parts.map(\.body)
    case .thriftBatch: JaegerThriftEncoder().encode(sample).parts.map(\.body)
    case .emitBatchBinary:
      JaegerThriftEncoder().encode(sample).parts.map {
        [0x80, 1, 0, 4, 0, 0, 0, 9] + Array("emitBatch".utf8) + [0, 0, 0, 0, 12, 0, 1] + $0.body + [0]
      }
    case .emitBatchCompact: [compactCall]
    }
  }

  static func seeds(_ message: ZipkinMessage) -> [[UInt8]] {
    ZipkinEncoder(message, defaultServiceName: "none").encode(sample).parts.map(\.body)
  }

  /// Two resources, and a span with everything that a span can hold.
  private static let sample: Batch = {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "shop", "host.name": "h", "n": 1]))
    builder.beginScope(ScopeValue(name: "lib", version: "1"))
    var span = SpanValue(
      traceID: [UInt8](repeating: 1, count: 16), spanID: [UInt8](repeating: 2, count: 8), name: "a",
      startTime: 1_700_000_000_000_000_000, endTime: 1_700_000_001_000_000_000)
    span.parentSpanID = [UInt8](repeating: 3, count: 8)
    span.traceState = "a=1"
    span.kind = 3
    span.flags = 1
    span.attributes = [
      "t": "x", "i": -1, "b": true, "d": 0.5, "r": .bytes([0xFF]), "l": .array([1]),
      "m": .keyValueList(["k": "v"]), "http.status_code": 500, "peer.service": "p", "net.peer.ip": "::1",
    ]
    span.droppedEventsCount = 1
    span.status = StatusValue(message: "m", code: 2)
    var event = SpanEventValue(time: 1_700_000_000_500_000_000, name: "e")
    event.attributes = ["k": "v"]
    event.droppedAttributesCount = 1
    span.events = [event]
    span.links = [SpanLinkValue(traceID: span.spanID + span.spanID, spanID: span.spanID)]
    builder.add(span)
    builder.beginResource(ResourceValue(attributes: ["faas.name": "f"]))
    builder.add(
      SpanValue(
        traceID: [UInt8](repeating: 1, count: 16), spanID: [UInt8](repeating: 3, count: 8), name: "b",
        startTime: 1_700_000_000_000_000_000, endTime: 1_700_000_001_000_000_000))
    return builder.finish()
  }()

  /// A call of `emitBatch` as Apache Thrift writes it in the compact protocol.
  private static let compactCall: [UInt8] = {
    let span: [UInt8] =
      [
        0x16, 2, 0x16, 3, 0x16, 5, 0x16, 8, 0x18, 1, 0x61, 0x19, 0x1C, 0x15, 2, 0x16, 14, 0x16, 16, 0x16, 18,
        0,
      ]
      + [0x15, 2, 0x16, 0x80, 1, 0x16, 0x10, 0x19, 0x2C, 0x18, 1, 0x62, 0x15, 4, 0x31, 0, 0x18, 1, 0x64]
      + [0x15, 2, 0x27, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F, 0, 0x19, 0x1C, 0x16, 2, 0x19, 0x1C, 0x18, 1, 0x65]
      + [0x15, 0, 0x18, 1, 0x78, 0, 0, 0]
    return [0x82, 0x81, 0, 9] + Array("emitBatch".utf8) + [
      0x1C, 0x1C, 0x18, 1, 0x73, 0x19, 0x0C, 0, 0x19, 0x1C,
    ]
      + span + [0, 0]
  }()
}
