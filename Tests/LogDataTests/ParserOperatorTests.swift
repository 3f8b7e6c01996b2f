import Testing
import WireFormat

@testable import LogData

/// Parsers as a receiver runs them: settings, where values come from and go to, what happens to those that cannot be parsed.
@Suite struct ParserOperatorTests {
  /// An entry with a text as its body, behind the operators; nil when it was dropped.
  private func run(_ yaml: String, body: String, prepare: (inout LogEntry) throws -> Void = { _ in }) throws
    -> String?
  {
    let graph = try Operators.graph(yaml)
    var entry = LogEntry()
    entry.body = entry.string(body)
    try prepare(&entry)
    var result: String?
    graph.process(&entry) { result = $0.summary }
    return result
  }

  @Test func `what was parsed becomes attributes and the body stays`() throws {
    #expect(
      try run("- type: json_parser", body: #"{"a":1}"#) {
        try $0.set(.int(2), at: FieldPath(.attributes, ["b"]))
      }
        == #"{"body":"{\"a\":1}","attributes":{"b":2,"a":1},"resource":{}}"#)
  }

  @Test func `maps are merged and what is in the way is replaced`() throws {
    #expect(
      try run("- {type: json_parser, parse_to: body}", body: #"{"a":{"b":1},"c":2}"#)
        == #"{"body":{"a":{"b":1},"c":2},"attributes":{},"resource":{}}"#)
    #expect(
      try run("- {type: key_value_parser, parse_to: body.test}", body: "name=stanza age=10")
        == #"{"body":{"test":{"name":"stanza","age":"10"}},"attributes":{},"resource":{}}"#)
    let steps = """
      - {type: json_parser, parse_to: body}
      - {type: json_parser, parse_from: body.message, parse_to: body}
      - {type: uri_parser, parse_from: body.url, parse_to: resource.request.url}
      """
    #expect(
      try run(steps, body: #"{"message":"{\"x\":1,\"message\":null}","url":"/p"}"#)
        == #"{"body":{"message":null,"url":"/p","x":1},"attributes":{},"resource":{"request":{"url":{"path":"/p"}}}}"#
    )
  }

  @Test func `a list goes where it may`() throws {
    #expect(
      try run("- {type: json_array_parser, parse_to: attributes.output}", body: "[1,\"a\"]")
        == #"{"body":"[1,\"a\"]","attributes":{"output":[1,"a"]},"resource":{}}"#)
    #expect(
      try run("- {type: json_array_parser, parse_to: body}", body: "[true]")
        == #"{"body":[true],"attributes":{},"resource":{}}"#)
    #expect(
      try run("- {type: json_array_parser, header: 'a,b'}", body: "[1,2]")
        == #"{"body":"[1,2]","attributes":{"a":1,"b":2},"resource":{}}"#)
  }

  @Test func `of many and few keys the later value counts when maps are merged`() throws {
    for present in [1, 3, 40] {
      let graph = try Operators.graph("- type: json_parser")
      var entry = LogEntry()
      for number in 0..<present { try entry.set(.int(0), at: FieldPath(.attributes, ["k\(number)"])) }
      entry.body = entry.string("{" + (0..<50).map { "\"k\($0)\":\($0 + 1)" }.joined(separator: ",") + "}")
      graph.process(&entry) { entry in
        #expect(entry.count(of: .attributes) == 50)
        for number in 0..<50 {
          #expect(entry.value(at: FieldPath(.attributes, ["k\(number)"])) == .int(Int64(number + 1)))
        }
      }
    }
  }

  @Test func `an entry that cannot be parsed goes on as it was, or is dropped`() throws {
    let before = #"{"body":"{\"a\":1,\"b\":}","attributes":{"a":0},"resource":{}}"#
    for onError in ["send", "send_quiet"] {
      #expect(
        try run("- {type: json_parser, on_error: \(onError)}", body: #"{"a":1,"b":}"#) {
          try $0.set(.int(0), at: FieldPath(.attributes, ["a"]))
        } == before)
    }
    for onError in ["drop", "drop_quiet"] {
      #expect(try run("- {type: json_parser, on_error: \(onError)}", body: "no JSON") == nil)
    }
  }

  @Test func `a field that was parsed can be dropped`() throws {
    let steps = """
      - type: json_parser
      - {type: key_value_parser, parse_from: attributes.log, drop_field: true}
      """
    #expect(
      try run(steps, body: #"{"log":"a=b log=c"}"#)
        == #"{"body":"{\"log\":\"a=b log=c\"}","attributes":{"a":"b","log":"c"},"resource":{}}"#)
  }

  @Test func `blocks work on what was found`() throws {
    let steps = """
      - type: json_parser
        timestamp: {parse_from: attributes.seconds, layout_type: epoch, layout: s}
        severity: {parse_from: attributes.level}
        body: attributes.msg
      """
    let graph = try Operators.graph(steps)
    var entry = LogEntry()
    entry.body = entry.string(#"{"seconds":1136214245,"level":"warn","msg":"hello"}"#)
    graph.process(&entry) { entry in
      #expect(entry.timestamp == 1_136_214_245_000_000_000)
      #expect(entry.severityNumber == 13)
      #expect(entry.json(entry.body) == "\"hello\"")
    }
  }

  @Test(arguments: [
    ("- type: csv_parser", "\"header\" or \"header_attribute\" is required"),
    ("- {type: csv_parser, header: a}", "at least two names"),
    ("- {type: csv_parser, header: 'a,b', header_attribute: c}", "cannot be set along with \"header\""),
    ("- {type: csv_parser, header: 'a,b', delimiter: ';;'}", "must be one character"),
    ("- {type: csv_parser, header: 'a,b', header_delimiter: \"\\n\"}", "must not be a line end or a quote"),
    (
      "- {type: csv_parser, header: 'a,b', lazy_quotes: true, ignore_quotes: true}",
      "along with \"lazy_quotes\""
    ),
    ("- {type: key_value_parser, delimiter: ''}", "must not be empty"),
    ("- {type: key_value_parser, delimiter: ' '}", "must differ"),
    ("- {type: key_value_parser, delimiter: '|', pair_delimiter: '|'}", "must differ"),
    ("- type: json_array_parser", "an array cannot become attributes as a whole"),
    ("- {type: json_parser, parse_to: body, body: attributes.x}", "both say what becomes the body"),
    ("- {type: json_parser, drop_field: true}", "cannot be true when body is parsed"),
    (
      "- {type: json_parser, parse_from: body.a, parse_to: body.a.b, drop_field: true}",
      "the field that is dropped"
    ),
    ("- {type: json_parser, parse_form: body.a}", "parse_from"),
  ])
  func `wrong settings are refused`(yaml: String, expected: String) throws {
    let (list, diagnostics) = try Operators.decode(yaml)
    #expect(list == nil)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }
}
