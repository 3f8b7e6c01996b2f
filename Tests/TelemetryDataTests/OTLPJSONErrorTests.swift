import TelemetryData
import Testing

@Suite struct OTLPJSONErrorTests {
  private static func record(_ fields: String) -> String { OTLPJSONReaderTests.record(fields) }

  /// Where the fields of ``OTLPJSONReaderTests/record(_:)`` begin.
  private static let start = 47

  /// A text, the path and the byte of its fault, and the explanation.
  private struct Case: CustomTestStringConvertible, Sendable {
    var text: String
    var path: String
    var offset: Int
    var explanation: String
    var testDescription: String { explanation + " in " + text.prefix(80) }

    init(_ text: String, _ path: String, _ offset: Int, _ explanation: String) {
      (self.text, self.path, self.offset, self.explanation) = (text, path, offset, explanation)
    }

    /// A fault within a log record, its offset counted from the record's first field.
    init(record fields: String, _ path: String, _ offset: Int, _ explanation: String) {
      let prefix = "resourceLogs[0].scopeLogs[0].logRecords[0]"
      let path = path.isEmpty ? prefix : "\(prefix).\(path)"
      self.init(OTLPJSONErrorTests.record(fields), path, start + offset, explanation)
    }
  }

  private static let cases: [Case] = [
    Case("", "", 0, "the text ends too early"),
    Case("  ", "", 2, "the text ends too early"),
    Case("[]", "", 0, "expected an object, found '['"),
    Case("\u{FEFF}{}", "", 0, "expected an object, found byte 0xEF"),
    Case("{}x", "", 2, "text after the end of the message"),
    Case("{", "", 1, "the text ends too early"),
    Case("{1}", "", 1, "expected a field name in quotes, found '1'"),
    Case("{\"a\"}", "", 4, "expected ':', found '}'"),
    Case("{\"a\":}", "", 5, "expected a value, found '}'"),
    Case("{\"a\":1 \"b\":2}", "", 7, "expected ',' or '}', found '\"'"),
    Case("{\"a\":[1 2]}", "", 8, "expected ',' or ']', found '2'"),
    Case("{\"a\":1,}", "", 7, "expected a field name in quotes, found '}'"),
    Case("{\"a\":tru}", "", 5, "expected a value, found 't'"),
    Case("{\"a\":01}", "", 5, "not a valid number"),
    Case("{\"a\":1.}", "", 5, "not a valid number"),
    Case("{\"a\":-}", "", 5, "not a valid number"),
    Case("{\"a\":1e+}", "", 5, "not a valid number"),
    Case("{\"a\":\"x", "", 7, "the text ends too early"),
    Case("{\"a\":\"\\x\"}", "", 6, "invalid escape sequence in a string"),
    Case("{\"a\":\"\\u12g4\"}", "", 6, "invalid escape sequence in a string"),
    Case("{\"a\":\"\u{1}\"}", "", 6, "a control character in a string must be escaped"),
    Case("{\"resourceLogs\":{}}", "resourceLogs", 16, "expected an array, found '{'"),
    Case("{\"resourceLogs\":[1]}", "resourceLogs[0]", 17, "expected an object, found '1'"),
    Case(
      "{\"resourceLogs\":[{},{\"resource\":7}]}", "resourceLogs[1].resource", 32,
      "expected an object, found '7'"),
    Case(
      "{\"resourceLogs\":[{\"schemaUrl\":7}]}", "resourceLogs[0].schemaUrl", 30,
      "expected a string, found '7'"),
    Case(record: #""timeUnixNano":"12x""#, "timeUnixNano", 15, "not a valid number"),
    Case(
      record: #""timeUnixNano":true"#, "timeUnixNano", 15,
      "expected an integer, as a number or a string, found 't'"),
    Case(record: #""timeUnixNano":1.5"#, "timeUnixNano", 15, "an integer must not have a fraction"),
    Case(record: #""timeUnixNano":-1"#, "timeUnixNano", 15, "the number is out of the field's range"),
    Case(
      record: #""timeUnixNano":"18446744073709551616""#, "timeUnixNano", 15,
      "the number is out of the field's range"),
    Case(record: #""timeUnixNano":1e30"#, "timeUnixNano", 15, "the number is out of the field's range"),
    Case(record: #""flags":4294967296"#, "flags", 8, "the number is out of the field's range"),
    Case(
      record: #""body":{"intValue":9223372036854775808}"#, "body.intValue", 19,
      "the number is out of the field's range"),
    Case(
      record: #""body":{"doubleValue":1e400}"#, "body.doubleValue", 22,
      "the number is out of the field's range"),
    Case(record: #""body":{"doubleValue":"inf"}"#, "body.doubleValue", 22, "not a valid number"),
    Case(record: #""body":{"doubleValue":{}}"#, "body.doubleValue", 22, "expected a number, found '{'"),
    Case(record: #""body":{"boolValue":"true"}"#, "body.boolValue", 20, "expected true or false, found '\"'"),
    Case(record: #""body":{"bytesValue":"a"}"#, "body.bytesValue", 21, "not valid base64"),
    Case(record: #""body":{"bytesValue":"ab*="}"#, "body.bytesValue", 21, "not valid base64"),
    Case(
      record: #""body":{"arrayValue":{"values":[{},{"stringValue":1}]}}"#,
      "body.arrayValue.values[1].stringValue", 50, "expected a string, found '1'"),
    Case(record: #""severityNumber":"LOUD""#, "severityNumber", 17, "unknown name of an enum value"),
    Case(
      record: #""severityNumber":[]"#, "severityNumber", 17,
      "expected the number or the name of an enum value, found '['"),
    Case(
      record: #""severityNumber":2147483648"#, "severityNumber", 17,
      "the number is out of the field's range"),
    Case(record: #""traceId":"00""#, "traceId", 10, "a trace id has 32 hexadecimal digits"),
    Case(
      record: #""traceId":"0011223344556677g899aabbccddeeff""#, "traceId", 10,
      "a trace id has 32 hexadecimal digits"),
    Case(record: #""spanId":"AAECAwQFBgc=""#, "spanId", 9, "a span id has 16 hexadecimal digits"),
    Case(
      record: #""attributes":[{"key":"a"},{"key":5}]"#, "attributes[1].key", 33,
      "expected a string, found '5'"),
  ]

  @Test(arguments: cases)
  private func `bad text is refused with its place, path and reason`(_ test: Case) throws {
    let error = #expect(throws: OTLPJSONError.self) {
      _ = try Batch(json: Array(test.text.utf8), signal: .logs)
    }
    #expect(error?.explanation == test.explanation)
    #expect(error?.path == test.path)
    #expect(error?.offset == test.offset)
  }

  @Test func `null is not an element of a list of strings or numbers`() throws {
    let text = OTLPJSONReaderTests.point(#""positive":{"bucketCounts":["1",null]}"#)
    let error = #expect(throws: OTLPJSONError.self) {
      _ = try Batch(json: Array(text.utf8), signal: .metrics)
    }
    #expect(error?.reason == .nullElement)
    #expect(error?.path.hasSuffix(".dataPoints[0].positive.bucketCounts[1]") == true)
  }

  @Test func `line and column are counted in the text`() throws {
    let text =
      "{\n  \"resourceSpans\": [{\n    \"scopeSpans\": [{}, {\"spans\": [{},\n {\"traceId\": \"xyz\"}]}]}]}"
    let error = #expect(throws: OTLPJSONError.self) { _ = try Batch(json: Array(text.utf8), signal: .traces) }
    #expect(
      error?.description
        == "line 4, column 14 (byte 75), resourceSpans[0].scopeSpans[1].spans[1].traceId: "
        + "a trace id has 32 hexadecimal digits")
  }

  @Test(
    arguments: [
      [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80], [0x41, 0x80],
    ] as [[UInt8]])
  func `strings that are not UTF-8 are refused`(_ bytes: [UInt8]) throws {
    for padding in [0, 3, 8, 20] {
      let fill = [UInt8](repeating: 0x61, count: padding)
      let text = Array(#"{"resourceLogs":[{"schemaUrl":""#.utf8) + fill + bytes + fill + Array(#""}]}"#.utf8)
      let error = #expect(throws: OTLPJSONError.self) { _ = try Batch(json: text, signal: .logs) }
      #expect(error?.reason == .invalidUTF8)
      #expect(error?.path == "resourceLogs[0].schemaUrl")
    }
  }

  @Test func `values 10,000 deep are refused, known and unknown`() throws {
    let depth = 10_000
    let texts = [
      Self.record(#""body":"# + String(repeating: #"{"arrayValue":{"values":["#, count: depth)),
      Self.record(#""body":"# + String(repeating: #"{"kvlistValue":{"values":[{"value":"#, count: depth)),
      #"{"unknown":"# + String(repeating: "[", count: depth),
      #"{"unknown":"# + String(repeating: #"{"a":"#, count: depth),
    ]
    for text in texts {
      let error = #expect(throws: OTLPJSONError.self) { _ = try Batch(json: Array(text.utf8), signal: .logs) }
      #expect(error?.reason == .tooDeep)
    }
  }

  @Test func `a request that ends anywhere is refused`() throws {
    let text = Array(Self.record(#""body":{"doubleValue":-1.5e3},"eventName":"a\u0041","flags":1"#).utf8)
    for length in 0..<text.count {
      #expect(throws: OTLPJSONError.self) { _ = try Batch(json: Array(text[..<length]), signal: .logs) }
    }
  }
}
