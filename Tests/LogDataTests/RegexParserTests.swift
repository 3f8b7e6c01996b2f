import Testing
import WireFormat

@testable import LogData

@Suite struct RegexParserTests {
  /// Attributes and body after the operators, and what failed.
  static func run(_ yaml: String, body: String, prepare: (inout LogEntry) throws -> Void = { _ in })
    throws -> (summary: String, failures: [String])
  {
    let graph = try Operators.graph(yaml)
    var failures: [String] = []
    graph.onFailure = { id, error in failures.append("\(id): \(error)") }
    var entry = LogEntry()
    entry.body = entry.string(body)
    try prepare(&entry)
    var summary = ""
    graph.process(&entry) { summary = $0.summary }
    return (summary, failures)
  }

  @Test func `named groups become attributes, and others do not`() throws {
    let (summary, failures) = try Self.run(
      #"""
        - type: regex_parser
          regex: '^Host=(?P<host>[^,]+), (Type)=(?<type>.*)$'
      """#, body: "Host=127.0.0.1, Type=HTTP")
    #expect(failures == [])
    #expect(
      summary
        == #"{"body":"Host=127.0.0.1, Type=HTTP","attributes":{"host":"127.0.0.1","type":"HTTP"},"resource":{}}"#
    )
  }

  @Test func `a group that took no part gives an empty text`() throws {
    let (summary, _) = try Self.run(
      #"""
        - type: regex_parser
          regex: '^(?P<a>x)?(?P<b>y)'
      """#, body: "y")
    #expect(summary == #"{"body":"y","attributes":{"a":"","b":"y"},"resource":{}}"#)
  }

  @Test func `a field is parsed into another, over what was there`() throws {
    let (summary, failures) = try Self.run(
      #"""
        - type: regex_parser
          parse_from: attributes.line
          parse_to: body
          regex: '(?P<first>\w+) (?P<second>\w+)'
        - type: regex_parser
          parse_from: body.second
          regex: '(?P<line>.)'
      """#, body: "x"
    ) { entry in try entry.set(entry.string("ä b ccc ddd"), at: FieldPath(.attributes, ["line"])) }
    #expect(failures == [])
    #expect(summary == #"{"body":{"first":"b","second":"ccc"},"attributes":{"line":"c"},"resource":{}}"#)
  }

  @Test func `embedded blocks read what was found`() throws {
    let (summary, failures) = try Self.run(
      #"""
        - type: regex_parser
          regex: '^Time=(?P<time>\d{4}-\d{2}-\d{2}), Level=(?P<level>\w+): (?P<message>.*)$'
          body: attributes.message
          timestamp:
            parse_from: attributes.time
            layout: '%Y-%m-%d'
          severity:
            parse_from: attributes.level
      """#, body: "Time=2020-01-31, Level=warn: full")
    #expect(failures == [])
    #expect(
      summary.hasPrefix(#"{"body":"full","attributes":{"time":"2020-01-31","level":"warn","message":"full"}"#)
    )
  }

  @Test func `what does not match, is not there or is no text stays as it was`() throws {
    let yaml = #"""
        - type: regex_parser
          regex: '^(?P<a>x)$'
        - type: regex_parser
          parse_from: attributes.none
          regex: '^(?P<a>x)$'
        - type: regex_parser
          parse_from: attributes.number
          regex: '^(?P<a>x)$'
      """#
    let (summary, failures) = try Self.run(yaml, body: "y") { entry in
      try entry.set(.int(7), at: FieldPath(.attributes, ["number"]))
    }
    #expect(summary == #"{"body":"y","attributes":{"number":7},"resource":{}}"#)
    #expect(
      failures == [
        "regex_parser: the regular expression does not match", "regex_parser1: there is no attributes.none",
        "regex_parser2: expected a string, found an integer",
      ])
  }

  @Test(arguments: [
    ("{type: regex_parser}", "missing-key", 2, 7),
    ("{type: regex_parser, regex: 'a(b)c'}", "invalid-config", 2, 28),
    ("{type: regex_parser, regex: 'a(?P<x>b'}", "invalid-regex", 2, 37),
    ("{type: regex_parser, regex: 'a(?P<x>b)+*'}", "invalid-regex", 2, 45),
    ("{type: regex_replace, field: body}", "invalid-config", 2, 7),
    ("{type: regex_replace, regex: a}", "missing-key", 2, 7),
    (
      "{type: regex_replace, field: body, regex: a, regex_name: ansi_control_sequences}", "invalid-config", 2,
      52
    ),
  ])
  func `a mistake is shown where it is`(settings: String, code: String, line: Int, column: Int) throws {
    let (list, diagnostics) = try Operators.decode("    - \(settings)")
    #expect(list == nil)
    let found = diagnostics.all.map { "\($0.code) \($0.location?.description ?? "")" }
    #expect(found == ["\(code) test.yaml:\(line):\(column)"], "\(diagnostics.render())")
  }

  @Test func `a cache is accepted and said to be without effect`() throws {
    let (list, diagnostics) = try Operators.decode(
      "    - {type: regex_parser, regex: '(?P<a>x)', cache: {size: 100}}")
    #expect(list != nil)
    #expect(diagnostics.all.map(\.code) == ["no-effect"])
  }
}

@Suite struct RegexReplaceTests {
  @Test(arguments: [
    ("regex: ' +', replace_with: ' '", "Hello  World", "Hello World"),
    ("regex: '{(.*?)}', replace_with: '$${1}'", "{a}{bb}{ccc}", "abbccc"),
    ("regex: '(?P<first>\\w)(\\w)?', replace_with: '<$${first}|$2|$9|$$2>'", "abc", "<a|b||b><c|||>"),
    ("regex: x, replace_with: y", "abc", "abc"), ("regex: 'b*', replace_with: '-'", "äbbc", "-ä-c-"),
    ("regex: '^', replace_with: '> '", "", "> "), ("regex: '[a-c]'", "xaybzc", "xyz"),
    ("regex_name: ansi_control_sequences", "\u{1B}[31mred\u{1B}[0m \u{1B}[38;5;1mx\u{1B}]", "red x\u{1B}]"),
  ])
  func `every match is replaced`(settings: String, body: String, expected: String) throws {
    let (summary, failures) = try RegexParserTests.run(
      "    - {type: regex_replace, field: body, \(settings)}", body: body)
    #expect(failures == [])
    var entry = LogEntry()
    entry.body = entry.string(expected)
    #expect(summary == entry.summary)
  }

  @Test func `a field that is not there is passed over, and one that is no text is an error`() throws {
    let (_, failures) = try RegexParserTests.run(
      """
          - {type: regex_replace, field: attributes.none, regex: a}
          - {type: regex_replace, field: attributes.number, regex: a}
      """, body: "a"
    ) { entry in try entry.set(.bool(true), at: FieldPath(.attributes, ["number"])) }
    #expect(failures == ["regex_replace1: attributes.number: expected a string, found a boolean"])
  }
}
