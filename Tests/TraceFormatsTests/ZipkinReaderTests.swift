import TelemetryData
import Testing

@testable import TraceFormats

@Suite struct ZipkinReaderTests {
  static func read(_ json: String, parsesTags: Bool = false) throws -> Batch {
    let reading = try ZipkinReader.read(.json, Array(json.utf8), parsesTags: parsesTags)
    _ = try Batch(bytes: reading.batch.bytes, signal: .traces, validation: .structure)
    return reading.batch
  }

  static func attributes(_ tags: String, parsesTags: Bool = false) throws -> Attributes {
    let batch = try read(
      #"[{"traceId":"1","id":"2","timestamp":1,"tags":{\#(tags)}}]"#, parsesTags: parsesTags)
    return batch.span(at: 0).attributes.values
  }

  @Test func `tags become numbers where that is wanted`() throws {
    let tags =
      #""a":"1","b":"-2.5","c":"true","d":"1.","e":"0x1","f":"99999999999999999999","g":"","h":"1e5""#
    #expect(
      try Self.attributes(tags, parsesTags: true) == [
        "a": 1, "b": -2.5, "c": true, "d": "1.", "e": "0x1", "f": "99999999999999999999", "g": "", "h": "1e5",
      ])
    #expect(try Self.attributes(#""a":"1""#) == ["a": "1"])
  }

  @Test func `a tag that is no string is taken as it is written`() throws {
    #expect(
      try Self.attributes(#""a":1,"b":true,"c":null,"d":{"e":[1]}"#) == [
        "a": "1", "b": "true", "d": #"{"e":[1]}"#,
      ])
  }

  @Test func `spans of one process share a resource`() throws {
    func span(_ id: Int, _ service: String, _ tags: String) -> String {
      #"{"traceId":"1","id":"\#(id)","localEndpoint":{"serviceName":"\#(service)"},"tags":{\#(tags)}}"#
    }
    let batch = try Self.read(
      "["
        + [
          span(1, "a", #""host.name":"h","k":"v""#), span(2, "b", ""), span(3, "a", #""host.name":"h""#),
          span(4, "a", #""host.name":"i""#),
        ].joined(separator: ",") + "]")
    let resources: [Attributes] = (0..<batch.resourceCount).map { batch.resource(at: $0).attributes.values }
    #expect(
      resources == [
        ["service.name": "a", "host.name": "h"], ["service.name": "b"],
        ["service.name": "a", "host.name": "i"],
      ])
    #expect(batch.scope(at: 0).items.count == 2)
  }

  @Test func `a span without a time says so`() throws {
    let batch = try Self.read(#"[{"traceId":"1","id":"2","duration":3}]"#)
    let span = batch.span(at: 0)
    #expect(span.startTime == 0)
    #expect(span.endTime == 3000)
    #expect(span.attributes.values == ["otel.zipkin.absentField.startTime": true])
  }

  @Test(
    arguments: [
      (#""error":"true""#, 2, "", []), (#""error":"""#, 2, "", []), (#""error":"no""#, 2, "no", ["error"]),
      (#""error":"false""#, 0, "", ["error"]),
      (#""otel.status_code":"ERROR","error":"no""#, 2, "no", []),
      (#""otel.status_code":"STATUS_CODE_OK""#, 1, "", []),
      (#""otel.status_code":"ERROR","otel.status_description":"m","error":"true""#, 2, "m", []),
    ] as [(String, Int32, String, [String])])
  func `statuses are read`(tags: String, code: Int32, text: String, left: [String]) throws {
    let batch = try Self.read(#"[{"traceId":"1","id":"2","timestamp":1,"tags":{\#(tags)}}]"#)
    let status = batch.span(at: 0).status
    #expect((status?.code ?? 0) == code)
    #expect((status?.text.string ?? "") == text)
    #expect(batch.span(at: 0).attributes.values.entries.map(\.key) == left)
  }

  @Test func `an annotation that is not ours is a name`() throws {
    for value in ["a|b", "a|{|1", #"a|{}|x"#, "|||", ""] {
      let batch = try Self.read(
        #"[{"traceId":"1","id":"2","annotations":[{"timestamp":1,"value":"\#(value)"}]}]"#)
      var names: [String] = []
      batch.span(at: 0).events.forEach { names.append($0.name.string) }
      #expect(names == [value])
    }
  }

  @Test func `a fault is shown with its place`() {
    let error = #expect(throws: TraceFormatError.self) {
      try Self.read("[{\"traceId\":\"1\"},\n{\"id\":7}]")
    }
    #expect(error?.description.contains("line 2, column 7") == true)
    #expect(error?.description.contains("[1]") == true)
  }

  @Test(
    arguments: [
      ([1, 2, 3, 4], "1.2.3.4"),
      ([0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], "2001:db8::7"),
      ([UInt8](repeating: 0, count: 16), "::"), ([UInt8](repeating: 0, count: 15) + [1], "::1"),
      ([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0], "1:0:2::3:0"),
    ] as [([UInt8], String)])
  func `addresses are written and read`(bytes: [UInt8], text: String) {
    #expect(InternetAddress.text(bytes.span) == text)
    #expect(InternetAddress.bytes(text) == bytes)
  }

  @Test(arguments: [
    "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1::", "1:2:3", "g::", "", "a.b.c.d", "12345::", "+1.2.3.4",
  ])
  func `what is no address is none`(text: String) { #expect(InternetAddress.bytes(text) == nil) }
}
