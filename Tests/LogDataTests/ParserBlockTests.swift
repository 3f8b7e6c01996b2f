import Testing

@testable import LogData

/// `trace_parser`, `scope_name_parser`, and the blocks within parsers.
@Suite struct ParserBlockTests {
  private func hex(_ entry: LogEntry) -> String {
    [entry.traceID, entry.spanID].map { range in
      entry.arena[range.range].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }.joined(separator: " ") + " \(entry.traceFlags)"
  }

  @Test(arguments: [
    (
      #"{"trace_id":"480140f3d770a5ae32f0a22b6a812cff","span_id":"92c3792d54ba94f3","trace_flags":"01"}"#,
      "480140f3d770a5ae32f0a22b6a812cff 92c3792d54ba94f3 1"
    ),
    (
      #"{"trace_id":"480140F3D770A5AE","span_id":"92C3792D54BA94F3"}"#,
      "0000000000000000480140f3d770a5ae 92c3792d54ba94f3 0"
    ),
    (#"{"trace_id":"","span_id":null,"trace_flags":1}"#, "  1"),
    (#"{"trace_id":"00000000000000000000000000000000","trace_flags":"ff"}"#, "  255"), ("{}", "  0"),
  ]) func `ids of hex digits become the trace context`(_ json: String, _ expected: String) throws {
    let run = try EntryRun(json, "- type: trace_parser")
    #expect(hex(run.entry) == expected)
    #expect(run.problems.isEmpty)
  }

  @Test(arguments: [
    (
      #"{"trace_id":"48014","span_id":"92c3792d54ba94f3"}"#,
      "body.trace_id: expected 32 hex digits, found 5 bytes"
    ),
    (
      #"{"trace_id":"480140f3d770a5ae32f0a22b6a812cfg","span_id":"92c3792d54ba94f3"}"#,
      "body.trace_id: expected 32 hex digits, found something else"
    ),
    (
      #"{"trace_id":12,"span_id":"92c3792d54ba94f3"}"#,
      "body.trace_id: expected 32 hex digits, found an integer"
    ),
    (#"{"trace_flags":"x1","span_id":"92c3792d54ba94f3"}"#, "body.trace_flags: expected two hex digits"),
    (#"{"trace_flags":true,"span_id":"92c3792d54ba94f3"}"#, "body.trace_flags: expected two hex digits"),
  ]) func `a wrong id does not keep the others out`(_ json: String, _ problem: String) throws {
    let run = try EntryRun(json, "- type: trace_parser")
    #expect(run.problems == ["trace_parser: \(problem)"])
    #expect(hex(run.entry) == " 92c3792d54ba94f3 0")
  }

  @Test func `the fields of the trace context can be told`() throws {
    let run = try EntryRun(
      #"{"ctx":{"t":"480140f3d770a5ae32f0a22b6a812cff"}}"#,
      "- {type: trace_parser, trace_id: {parse_from: body.ctx.t}}")
    #expect(hex(run.entry) == "480140f3d770a5ae32f0a22b6a812cff  0")
  }

  @Test func `the name of the scope is a string of the entry`() throws {
    let yaml = "- {type: scope_name_parser, parse_from: body.logger}"
    let run = try EntryRun(#"{"logger":"com.example.Main"}"#, yaml)
    #expect(run.entry.string(run.entry.scopeName) == "com.example.Main")
    #expect(
      try EntryRun(#"{"logger":7}"#, yaml).problems == [
        "scope_name_parser: body.logger: the name of a scope must be a string, found an integer"
      ])
    #expect(try EntryRun(#"{}"#, yaml).problems == ["scope_name_parser: there is no body.logger"])
  }

  private static let yaml = """
    - type: json_parser
      parse_from: body.raw
      body: attributes.message
      timestamp: {parse_from: attributes.time, layout: '%Y-%m-%dT%H:%M:%S.%sZ'}
      severity: {parse_from: attributes.level, mapping: {error: oops}}
      trace: {trace_id: {parse_from: attributes.trace}, span_id: {parse_from: attributes.span}}
      scope_name: {parse_from: attributes.logger}
    """

  @Test func `the blocks of a parser read what it found`() throws {
    let inner =
      #"{"message":"it broke","time":"2024-06-15T11:12:13.014Z","level":"OOPS","logger":"main","#
      + #""trace":"480140f3d770a5ae32f0a22b6a812cff","span":"92c3792d54ba94f3"}"#
    let run = try EntryRun("{\"raw\":\"\(inner.replacing("\"", with: "\\\""))\"}", Self.yaml)
    #expect(run.problems.isEmpty)
    #expect(run.time == "2024-06-15T11:12:13.014Z")
    #expect(run.severity == "17 OOPS")
    #expect(hex(run.entry) == "480140f3d770a5ae32f0a22b6a812cff 92c3792d54ba94f3 0")
    #expect(run.entry.string(run.entry.scopeName) == "main")
    #expect(run.entry.json(run.entry.body) == "\"it broke\"")
  }

  @Test func `a block that fails does not keep those behind it from their work`() throws {
    let inner = #"{"time":"today","level":"warn"}"#
    let run = try EntryRun("{\"raw\":\"\(inner.replacing("\"", with: "\\\""))\"}", Self.yaml)
    #expect(run.problems.count == 1)
    #expect(run.entry.timestamp == 0)
    #expect(run.severity == "13 warn")
  }
}
