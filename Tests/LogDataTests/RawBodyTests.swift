import Testing
import WireFormat

@testable import LogData

/// Records whose text holds what is no UTF-8 (`encoding: utf-8-raw`): their body is bytes, and operators read it as the
/// text that it is to the Collector.
@Suite struct RawBodyTests {
  /// A text with one byte in Latin-1.
  private static func raw(_ text: String) -> [UInt8] {
    text.unicodeScalars.flatMap { $0 == "é" ? [0xE9] : Array(String($0).utf8) }
  }

  private static func run(_ text: String, _ yaml: String) throws -> (entry: LogEntry, problems: [String]) {
    let graph = try Operators.graph(yaml)
    var problems: [String] = []
    graph.onFailure = { problems.append("\($0): \($1)") }
    var entry = LogEntry()
    entry.body = .bytes(entry.add(raw(text).span))
    var result = LogEntry()
    graph.process(&entry) { result = $0 }
    graph.flush { result = $0 }
    return (result, problems)
  }

  /// Whether every string of a value is well-formed.
  private static func isWellFormed(_ value: LogValue, of entry: LogEntry) -> Bool {
    switch value.kind {
    case .string: return UTF8Check.isValid(entry.text(value.range))
    case .list, .map:
      var isRight = true
      if let chain = value.chain {
        entry.forEach(in: chain) { key, value in
          isRight = isRight && UTF8Check.isValid(entry.text(key)) && isWellFormed(value, of: entry)
        }
      }
      return isRight
    default: return true
    }
  }

  private static func isWellFormed(_ entry: LogEntry) -> Bool {
    isWellFormed(entry.body, of: entry)
      && isWellFormed(entry.value(at: FieldPath(.attributes)) ?? .null, of: entry)
      && UTF8Check.isValid(entry.text(entry.severityText)) && UTF8Check.isValid(entry.text(entry.scopeName))
  }

  @Test(arguments: [
    (#"{"name":"café","n":1}"#, "- {type: json_parser}", "{\"name\":\"caf\u{FFFD}\",\"n\":1}"),
    (#"["café",1]"#, "- {type: json_array_parser, header: 'a,b'}", "{\"a\":\"caf\u{FFFD}\",\"b\":1}"),
    ("GET café 200", "- {type: regex_parser, regex: '^\\S+ (?P<x>.+) \\d'}", "{\"x\":\"caf\u{FFFD}\"}"),
    ("café,2", "- {type: csv_parser, header: 'a,b'}", "{\"a\":\"caf\u{FFFD}\",\"b\":\"2\"}"),
    ("a=café b=2", "- {type: key_value_parser}", "{\"a\":\"caf\u{FFFD}\",\"b\":\"2\"}"),
    ("http://h/?q=café", "- {type: uri_parser}", "\"q\":[\"caf\u{FFFD}\"]"),
    (
      "<34>1 2024-06-15T11:12:13Z host app 1 ID - café", "- {type: syslog_parser, protocol: rfc5424}",
      "\"message\":\"caf\u{FFFD}\""
    ),
    (
      "2024-06-15T11:12:13.5Z stdout F café",
      "- {type: container, format: containerd, add_metadata_from_filepath: false}",
      "\"log.iostream\":\"stdout\""
    ),
  ]) func `parsers read it, and what they find is well-formed`(
    _ text: String, _ yaml: String, _ expected: String
  ) throws {
    let (entry, problems) = try Self.run(text, yaml)
    #expect(problems.isEmpty)
    #expect(entry.attributesJSON.contains(expected), "\(entry.attributesJSON)")
    #expect(Self.isWellFormed(entry))
  }

  @Test func `a parser leaves the body as it was, bytes and all`() throws {
    let (entry, _) = try Self.run(#"{"a":"é"}"#, "- {type: json_parser}")
    #expect(entry.body.kind == .bytes)
    #expect(Array(entry.arena[entry.body.range.range]) == Self.raw(#"{"a":"é"}"#))
  }

  /// Runs of what is no UTF-8 become one character, as of Go's `strings.ToValidUTF8`.
  @Test(arguments: [("café", "caf\u{FFFD}"), ("éé aéb", "\u{FFFD} a\u{FFFD}b"), ("plain", "plain")])
  func `sanitize_utf8 makes a string of it`(_ text: String, _ expected: String) throws {
    let (entry, problems) = try Self.run(text, "- {type: sanitize_utf8}")
    #expect(problems.isEmpty && entry.body.kind == .string)
    #expect(entry.string(entry.body.range) == expected)
  }

  @Test func `what is read by itself is well-formed too`() throws {
    let (severity, _) = try Self.run("é", "- {type: severity_parser, parse_from: body}")
    #expect(severity.string(severity.severityText) == "\u{FFFD}")
    let (scope, problems) = try Self.run("é", "- {type: scope_name_parser, parse_from: body}")
    #expect(scope.string(scope.scopeName) == "\u{FFFD}" && problems.isEmpty)
    #expect(Self.isWellFormed(severity) && Self.isWellFormed(scope))
  }

  @Test func `other operators keep what is no UTF-8, or take it away`() throws {
    let (kept, _) = try Self.run(
      "café 1", "- {type: regex_replace, field: body, regex: '\\d', replace_with: x}")
    #expect(kept.body.kind == .bytes && Array(kept.arena[kept.body.range.range]) == Self.raw("café x"))
    let (gone, _) = try Self.run(
      "café", "- {type: regex_replace, field: body, regex: 'caf\\C', replace_with: x}")
    #expect(gone.body.kind == .string && gone.string(gone.body.range) == "x")
    let (unquoted, problems) = try Self.run("\"é\"", "- {type: unquote, field: body}")
    #expect(problems.isEmpty && unquoted.string(unquoted.body.range) == "\u{FFFD}")
    #expect(Self.isWellFormed(unquoted))
  }

  @Test func `lines of bytes are recombined`() throws {
    let graph = try Operators.graph(
      "- {type: recombine, combine_field: body, is_first_entry: 'body matches \"^é?START\"', source_identifier: attributes.file}"
    )
    var results: [LogEntry] = []
    var problems: [String] = []
    graph.onFailure = { problems.append("\($0): \($1)") }
    for line in ["START é", " second", "START 2"] {
      var entry = LogEntry()
      let bytes = Self.raw(line)
      let range = entry.add(bytes.span)
      entry.body = line.contains("é") ? .bytes(range) : .string(range)
      entry.append(key: entry.add("file"), .bytes(entry.add([0xE9].span)), to: .attributes)
      graph.process(&entry) { results.append($0) }
    }
    graph.flush { results.append($0) }
    #expect(problems.isEmpty)
    #expect(results.map(\.body.kind) == [.bytes, .string])
    #expect(
      results.map { Array($0.arena[$0.body.range.range]) } == [
        Self.raw("START é\n second"), Self.raw("START 2"),
      ])
  }

  @Test(arguments: [
    ("body matches '^caf'", "true"), ("body contains 'caf'", "true"), ("len(body)", "6"),
    ("body + '!'", "\"caf\u{FFFD} x!\""), ("upper(body)", "\"CAF\u{FFFD} X\""),
    (
      "{a: body + '', (body): [body + 'y']}",
      "{\"a\":\"caf\u{FFFD} x\",\"caf\u{FFFD} x\":[\"caf\u{FFFD} xy\"]}"
    ),
    ("split(body, ' ')[1]", "\"x\""),
  ]) func `expressions see text, and make well-formed text of it`(
    _ expression: String, _ expected: String
  ) throws {
    let (entry, problems) = try Self.run(
      "café x", "- {type: add, field: attributes.r, value: \"EXPR(\(expression))\"}")
    #expect(problems.isEmpty)
    #expect(entry.attributesJSON == "{\"r\":\(expected)}")
    #expect(Self.isWellFormed(entry))
  }
}

/// Blocks within parsers refuse what they do not know.
@Suite struct EmbeddedBlockTests {
  @Test(arguments: [
    ("timestamp: {parse_from: attributes.t, layout: '%Y', layout_type: native}", "layout_type"),
    ("timestamp: {parse_from: attributes.t, layout: '%Y', preserve: true}", "preserve"),
    ("timestamp: {layout: '%Y'}", "parse_from"), ("timestamp: {parse_from: attributes.t}", "layout"),
    ("timestamp: {parse_from: attributes.t, layout: '%Q'}", "layout"),
    ("timestamp: {parse_from: attributes.t, layout: d, layout_type: epoch}", "layout"),
    ("timestamp: {parse_from: attributes.t, layout: '%Y', location: Mars/Olympus}", "location"),
    ("timestamp: {parse_from: attributes.t, layout: '%Y', if: 'true'}", "if"),
    ("severity: {parse_from: attributes.s, preset: log4j}", "preset"),
    ("severity: {parse_from: attributes.s, mapping: {loud: x}}", "loud"),
    ("severity: {parse_from: attributes.s, mapping: {info: {min: 1}}}", "mapping"),
    ("severity: {parse_from: attributes.s, preserve_to: attributes.x}", "preserve_to"),
    ("severity: {preset: otel}", "parse_from"), ("severity: {parse_from: message}", "parse_from"),
    ("trace: {trace_id: attributes.t}", "trace_id"),
    ("trace: {trace_id: {parse_from: attributes.t, encoding: base64}}", "encoding"),
    ("trace: {span: {parse_from: attributes.t}}", "span"),
    ("trace: {span_id: {parse_from: somewhere.else}}", "parse_from"),
    ("scope_name: {}", "parse_from"), ("scope_name: {parse_from: body, version: 1}", "version"),
    ("scope_name: {parse_from: 7}", "parse_from"),
  ]) func `what a block does not know is refused at the check`(_ block: String, _ key: String) throws {
    for parser in ["json_parser", "csv_parser, header: a", "regex_parser, regex: '(?P<a>.)'"] {
      let (_, diagnostics) = try Operators.decode("- {type: \(parser), \(block)}")
      #expect(diagnostics.hasErrors, "\(block) of \(parser)")
      #expect(diagnostics.render().contains(key), "\(diagnostics.render())")
    }
  }

  @Test func `a block is written once`() throws {
    let (_, diagnostics) = try Operators.decode(
      "- {type: time_parser, parse_from: body, layout: '%Y', timestamp: {parse_from: body, layout: '%Y'}}")
    #expect(diagnostics.hasErrors)
  }
}
