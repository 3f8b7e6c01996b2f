import TelemetryData
import Testing
import WireFormat

@testable import TraceFormats

@Suite struct JaegerReaderTests {
  /// What ``EmitBatchFixture`` says, in OTLP.
  static let expected: Batch = {
    var builder = BatchBuilder(.traces)
    builder.beginResource(
      ResourceValue(attributes: [
        "service.name": "shop", "host.name": "h", "opencensus.exporterversion": "Jaeger-1",
      ]))
    var span = SpanValue(
      traceID: [UInt8](repeating: 0xFF, count: 7) + [0xFE, 0, 0, 0, 0, 0, 0, 0, 1],
      spanID: [UInt8](repeating: 0xFF, count: 7) + [0xFD], name: "GET /",
      startTime: 1_700_000_000_123_456_000, endTime: 1_700_000_000_128_456_000)
    span.parentSpanID = [0, 0, 0, 0, 0, 0, 0, 4]
    span.kind = 2
    span.flags = 1
    span.attributes = ["n": -3, "b": true, "d": 0.5, "r": .bytes([0xFF, 0])]
    span.status = StatusValue(code: 2)
    var event = SpanEventValue(time: 1_700_000_000_124_456_000, name: "row")
    event.attributes = ["b": false]
    span.events = [event]
    var link = SpanLinkValue(
      traceID: [0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7], spanID: [0, 0, 0, 0, 0, 0, 0, 9])
    link.attributes = ["opentracing.ref_type": "follows_from"]
    span.links = [link]
    builder.add(span)
    return builder.finish()
  }()

  static let messages: [(JaegerMessage, [UInt8])] = [
    (.emitBatchCompact, EmitBatchFixture.compact), (.emitBatchBinary, EmitBatchFixture.binary),
    (.thriftBatch, EmitBatchFixture.batch),
  ]

  @Test(arguments: messages)
  func `what Apache Thrift writes is understood`(message: JaegerMessage, bytes: [UInt8]) throws {
    let reading = try JaegerReader.read(message, bytes)
    #expect(reading.faults.total == 0)
    #expect(TraceFixture.json(reading.batch) == TraceFixture.json(Self.expected))
  }

  @Test(arguments: messages)
  func `a message that is cut off is refused wherever that is`(message: JaegerMessage, bytes: [UInt8]) {
    // The end of the arguments of a call is one byte.
    for length in 0..<bytes.count {
      #expect(throws: TraceFormatError.self) {
        try JaegerReader.read(message, Array(bytes.prefix(length)))
      }
    }
  }

  @Test(arguments: messages)
  func `a message that is refused leaves those before it as they were`(
    message: JaegerMessage, bytes: [UInt8]
  ) throws {
    let assembly = SpanAssembly()
    _ = try JaegerReader.add(message, bytes.span, to: assembly)
    #expect(throws: TraceFormatError.self) {
      try JaegerReader.add(message, Array(bytes.dropLast(3)).span, to: assembly)
    }
    #expect(try assembly.finish().itemCount == 1)
  }

  @Test func `the older form of a binary call is understood`() throws {
    // The length of the name, the name, the type of the call, and its number.
    let head: [UInt8] = [0, 0, 0, 9] + Array("emitBatch".utf8) + [4, 0, 0, 0, 0]
    let reading = try JaegerReader.read(.emitBatchBinary, head + EmitBatchFixture.binary.dropFirst(21))
    #expect(reading.batch.itemCount == 1)
  }

  @Test func `another method is named`() {
    let bytes: [UInt8] = [0x82, 0x81, 0, 7] + Array("unknown".utf8) + [0]
    #expect(throws: TraceFormatError(.unknownMethod("unknown"), at: 4)) {
      try JaegerReader.read(.emitBatchCompact, bytes)
    }
  }

  @Test func `spans may come before their process`() throws {
    let batch = EmitBatchFixture.batch
    // Field 1 ends where field 2, a list, begins.
    let start = try #require(Self.position(of: [15, 0, 2, 12], in: batch, after: 60))
    let reordered = Array(batch[start..<batch.count - 1]) + Array(batch[..<start]) + [0]
    let reading = try JaegerReader.read(.thriftBatch, reordered)
    #expect(TraceFixture.json(reading.batch) == TraceFixture.json(Self.expected))
  }

  private static func position(of pattern: [UInt8], in bytes: [UInt8], after start: Int) -> Int? {
    (start..<bytes.count - pattern.count).first { Array(bytes[$0..<$0 + pattern.count]) == pattern }
  }

  @Test func `a required field that is missing is named`() {
    // A process, and a span with nothing in it.
    let bytes: [UInt8] = [12, 0, 1, 11, 0, 1, 0, 0, 0, 1, 97, 0, 15, 0, 2, 12, 0, 0, 0, 1, 0, 0]
    #expect(throws: TraceFormatError(.missingField("Span.traceIdLow"), at: 20)) {
      try JaegerReader.read(.thriftBatch, bytes)
    }
    #expect(throws: TraceFormatError(.missingField("Batch.process"), at: 0)) {
      try JaegerReader.read(.thriftBatch, [0])
    }
  }

  @Test(arguments: ThriftProtocol.allCases)
  func `a claimed length allocates nothing`(encoding: ThriftProtocol) {
    // A list of structures, and a string, of two thousand million.
    let bytes: [[UInt8]] =
      encoding == .binary
      ? [
        [15, 0, 2, 12, 0x7F, 0xFF, 0xFF, 0xFF], [11, 0, 9, 0x7F, 0xFF, 0xFF, 0xFF],
        [11, 0, 9, 0xFF, 0xFF, 0xFF, 0xFF],
      ]
      : [[0x29, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0x98, 0xFF, 0xFF, 0xFF, 0xFF, 0x07]]
    for body in bytes {
      var reader = ThriftReader(body.span, encoding)
      let error = #expect(throws: TraceFormatError.self) {
        while let field = try reader.nextField() { try reader.skip(field) }
      }
      #expect(error?.reason == .lengthBeyondEnd)
    }
  }

  @Test func `deep nesting is refused`() {
    let lists = [UInt8](repeating: 0, count: 0) + (0..<500).flatMap { _ in [15, 0, 0, 0, 1] as [UInt8] }
    for body in [(0..<500).flatMap { _ in [12, 0, 9] as [UInt8] }, [15, 0, 9] + lists] {
      let error = #expect(throws: TraceFormatError.self) { try JaegerReader.read(.thriftBatch, body) }
      #expect(error?.reason == .tooDeep)
    }
  }

  // The protobuf form.

  static func postSpans(_ body: (inout WireWriter) -> Void) -> [UInt8] {
    var writer = WireWriter()
    writer.message(1) { batch in
      batch.message(2) { $0.stringField(1, "shop") }
      batch.message(1) { span in
        span.bytesField(1, [UInt8](repeating: 1, count: 16))
        span.bytesField(2, [UInt8](repeating: 2, count: 8))
        body(&span)
      }
    }
    return writer.finish()
  }

  static func attributes(_ tags: [(String, (inout WireWriter) -> Void)]) throws -> (Attributes, StatusValue?)
  {
    let bytes = postSpans { span in
      for (key, value) in tags {
        span.message(8) { tag in
          tag.stringField(1, key)
          value(&tag)
        }
      }
    }
    let batch = try JaegerReader.read(.postSpans, bytes).batch
    let span = batch.span(at: 0)
    guard let status = span.status else { return (span.attributes.values, nil) }
    return (span.attributes.values, StatusValue(message: status.text.string, code: status.code))
  }

  static func text(_ value: String) -> (inout WireWriter) -> Void { { $0.stringField(3, value) } }
  static func int(_ value: Int64) -> (inout WireWriter) -> Void {
    {
      $0.varintField(2, 2)
      $0.intField(5, value)
    }
  }
  static func bool(_ value: Bool) -> (inout WireWriter) -> Void {
    {
      $0.varintField(2, 1)
      $0.boolField(4, value)
    }
  }

  @Test func `a span's own process outranks that of its batch`() throws {
    let bytes = Self.postSpans { span in
      span.message(10) { process in
        process.stringField(1, "other")
        process.message(2) { $0.pairTag("k", "v") }
      }
    }
    let batch = try JaegerReader.read(.postSpans, bytes).batch
    #expect(batch.resource(at: 0).attributes.values == ["service.name": "other", "k": "v"])
  }

  @Test func `an error that is true outranks the status code`() throws {
    let (attributes, status) = try Self.attributes([
      ("error", Self.bool(true)), ("otel.status_code", Self.text("OK")),
      ("otel.status_description", Self.text("m")),
    ])
    #expect(attributes == [])
    #expect(status == StatusValue(message: "m", code: 2))
  }

  @Test(arguments: [(500, 2), (404, 2), (200, 0)] as [(Int64, Int32)])
  func `without a status that of HTTP counts`(code: Int64, expected: Int32) throws {
    let (attributes, status) = try Self.attributes([
      ("span.kind", Self.text("client")), ("http.status_code", Self.int(code)),
      ("http.status_message", Self.text("m")),
    ])
    #expect(attributes == ["http.status_code": .int(code), "http.status_message": "m"])
    #expect((status?.code ?? 0) == expected)
  }

  @Test func `what a client did wrong is no error of the server`() throws {
    let (_, status) = try Self.attributes([
      ("span.kind", Self.text("server")), ("http.status_code", Self.text("404")),
    ])
    #expect(status == nil)
  }

  @Test func `of several equal keys the last counts`() throws {
    let many = (0..<100).map { ("k\($0 % 50)", Self.int($0)) }
    for tags in [Array(many.suffix(60)), [("a", Self.text("x")), ("a", Self.int(1))]] {
      let (attributes, _) = try Self.attributes(tags)
      #expect(Set(attributes.entries.map(\.key)).count == attributes.entries.count)
    }
    #expect(try Self.attributes([("a", Self.text("x")), ("a", Self.int(1))]).0 == ["a": 1])
  }

  @Test func `malformed UTF-8 is replaced`() throws {
    let bytes = Self.postSpans { span in
      span.bytesField(3, [0x61, 0xFF])
      span.message(8) { tag in
        tag.bytesField(1, [0xC0])
        tag.bytesField(3, [0x62, 0xFE])
      }
    }
    let batch = try JaegerReader.read(.postSpans, bytes).batch
    _ = try Batch(bytes: batch.bytes, signal: .traces, validation: .structure)
    #expect(batch.span(at: 0).name.string == "a\u{FFFD}")
    #expect(batch.span(at: 0).attributes.values == ["\u{FFFD}": "b\u{FFFD}"])
  }

  @Test func `times beyond all bounds are bounded`() throws {
    let bytes = Self.postSpans { span in
      span.message(6) { $0.varintField(1, UInt64(Int64.max)) }
      span.message(7) { $0.intField(1, .min) }
    }
    let batch = try JaegerReader.read(.postSpans, bytes).batch
    #expect(batch.span(at: 0).startTime == .max)
    #expect(batch.span(at: 0).endTime == UInt64.max - UInt64(Int64.min.magnitude))
  }

  @Test func `spans with bad ids are counted by what is wrong`() throws {
    var writer = WireWriter()
    writer.message(1) { batch in
      for (trace, span) in [(0, 8), (5, 8), (16, 0), (16, 7), (8, 8)] {
        batch.message(1) {
          $0.bytesField(1, [UInt8](repeating: 1, count: trace))
          $0.bytesField(2, [UInt8](repeating: 1, count: span))
        }
      }
    }
    let reading = try JaegerReader.read(.postSpans, writer.finish())
    #expect(reading.batch.itemCount == 1)
    #expect(reading.faults.byReason.map(\.spans) == [2, 2])
  }

  @Test func `more than the limit is refused`() {
    #expect(throws: TraceFormatError(.tooLarge, at: 0)) {
      try JaegerReader.read(.thriftBatch, EmitBatchFixture.batch, limit: 100)
    }
  }
}

extension WireWriter {
  /// The fields of a tag with a text.
  fileprivate mutating func pairTag(_ key: String, _ value: String) {
    stringField(1, key)
    stringField(3, value)
  }
}
