import ConfigSchema
import PipelineKit
import PipelineTestKit
import Processors
import TelemetryData
import Testing

@Suite struct SpanProcessorTests {
  private static func traces(_ name: String, _ attributes: Attributes, status: StatusValue? = nil) -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "shop"]))
    builder.add(
      SpanValue(
        traceID: Array(1...16), spanID: Array(1...8), name: name, kind: 2, attributes: attributes,
        status: status))
    return builder.finish()
  }

  private static func status(of batch: Batch) -> StatusValue? {
    let span = batch.span(at: 0)
    guard let status = span.status else { return nil }
    return StatusValue(message: status.text.string, code: status.code)
  }

  private static func result(
    _ yaml: String, _ name: String, _ attributes: Attributes = [:]
  ) throws -> (name: String, attributes: Attributes) {
    let batch = try #require(try SpanProcessor.testing(yaml).process(traces(name, attributes)))
    #expect(batch.recordCount == 1 && batch.span(at: 0).kind == 2)
    return (batch.span(at: 0).name.string, batch.span(at: 0).attributes.values)
  }

  @Test(arguments: [
    ("[db.svc, operation, id]", "::", "location::get::1234"), ("[operation]", "::", "get"),
    ("[id, ok, ratio]", "", "1234true0.5"), ("[list]", "", "<unknown-attribute-type>"),
    ("[operation, missing]", "::", "before"), ("[operation, operation]", " ", "get get"),
  ])
  func `the name is made of attributes that are all there`(keys: String, separator: String, expected: String)
    throws
  {
    let attributes: Attributes = [
      "db.svc": "location", "operation": "get", "id": 1234, "ok": true, "ratio": 0.5, "list": .array([1]),
    ]
    let (name, after) = try Self.result(
      "{name: {from_attributes: \(keys), separator: '\(separator)'}}", "before", attributes)
    #expect(name == expected)
    #expect(after == attributes)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let yaml: String
    let name: String
    let after: String
    var before: Attributes = [:]
    let attributes: Attributes
    var testDescription: String { yaml }
  }

  @Test(arguments: [
    Row(
      yaml: "rules: ['^/api/v1/document/(?P<documentId>.*)/update$']",
      name: "/api/v1/document/12345678/update",
      after: "/api/v1/document/{documentId}/update", attributes: ["documentId": "12345678"]),
    Row(
      yaml: "rules: ['^/o/(?P<order>\\d+)/i/(?P<item>\\d+)']", name: "/o/12/i/3?x=1",
      after: "/o/{order}/i/{item}?x=1",
      before: ["item": 7, "a": 1], attributes: ["item": "3", "a": 1, "order": "12"]),
    // Each rule works on what the one before has left.
    Row(
      yaml: "rules: ['^/a/(?P<a>\\d+)', '/b/(?P<b>\\d+)$', '^/a/(?P<c>\\{a\\})']", name: "/a/1/b/2",
      after: "/a/{c}/b/{b}",
      attributes: ["a": "1", "b": "2", "c": "{a}"]),
    Row(
      yaml: "break_after_match: true, rules: ['none(?P<n>)', '^/a/(?P<a>\\d+)', '/b/(?P<b>\\d+)$']",
      name: "/a/1/b/2",
      after: "/a/{a}/b/2", attributes: ["a": "1"]),
    Row(
      yaml: "keep_original_name: true, rules: ['^/a/(?P<a>\\d+)', '/b/(?P<b>\\d+)$']", name: "/a/1/b/2",
      after: "/a/1/b/2",
      attributes: ["a": "1", "b": "2"]),
    Row(yaml: "rules: ['(?P<a>x)']", name: "nothing", after: "nothing", attributes: [:]),
    Row(yaml: "rules: ['(?P<a>.*)']", name: "", after: "", attributes: [:]),
    // A group without a part in the match, and one within another, have no place in the name.
    Row(
      yaml: "rules: ['^(?P<a>x)?(?P<b>y(?P<c>z))']", name: "yz!", after: "{b}!",
      attributes: ["a": "", "b": "yz", "c": "z"]),
    Row(
      yaml: "rules: ['über (?P<a>.+)$']", name: "über Zürich", after: "über {a}", attributes: ["a": "Zürich"]),
  ])
  func `attributes are taken out of the name`(row: Row) throws {
    let (name, attributes) = try Self.result("{name: {to_attributes: {\(row.yaml)}}}", row.name, row.before)
    #expect(name == row.after)
    #expect(attributes == row.attributes)
  }

  @Test func `rules work on the name that attributes have made`() throws {
    let yaml = "{name: {from_attributes: [route], to_attributes: {rules: ['^/(?P<first>[^/]*)']}}}"
    let (name, attributes) = try Self.result(yaml, "old", ["route": "/shop/cart"])
    #expect(name == "/{first}/cart")
    #expect(attributes == ["route": "/shop/cart", "first": "shop"])
  }

  @Test(arguments: [
    ("{code: Error, description: it broke}", StatusValue(message: "it broke", code: 2)),
    ("{code: Error}", StatusValue(code: 2)), ("{code: Ok}", StatusValue(code: 1)), ("{code: Unset}", nil),
  ])
  func `the status is set whatever it was`(yaml: String, expected: StatusValue?) throws {
    for before in [nil, StatusValue(message: "before", code: 2), StatusValue(code: 1)] {
      let processor = try SpanProcessor.testing("{status: \(yaml)}")
      let batch = try #require(processor.process(Self.traces("n", ["a": 1], status: before)))
      #expect(Self.status(of: batch) == expected)
      #expect(batch.span(at: 0).attributes.values == ["a": 1])
    }
  }

  @Test func `name, attributes and status of many spans change in one go`() throws {
    var builder = BatchBuilder(.traces)
    for number in 0..<50 {
      builder.add(
        SpanValue(
          traceID: Array(1...16), spanID: [UInt8](repeating: UInt8(number + 1), count: 8),
          name: number % 3 == 0 ? "" : "/item/\(number)", kind: 3, startTime: UInt64(number),
          attributes: number % 2 == 0 ? [:] : ["id": 0, "other": .int(Int64(number))],
          status: StatusValue(code: 1)))
    }
    let processor = try SpanProcessor.testing(
      "{name: {to_attributes: {rules: ['^/item/(?P<id>\\d+)$']}}, status: {code: Error, description: d}}")
    let batch = try #require(processor.process(builder.finish()))
    #expect(batch.recordCount == 50)
    for number in 0..<50 {
      let span = batch.span(at: number)
      #expect(span.startTime == UInt64(number) && span.status?.code == 2)
      #expect(span.name.string == (number % 3 == 0 ? "" : "/item/{id}"))
      var expected: Attributes = number % 2 == 0 ? [:] : ["id": 0, "other": .int(Int64(number))]
      if number % 3 != 0 {
        if number % 2 == 0 {
          expected.append("id", .string("\(number)"))
        } else {
          expected.entries[0].value = .string("\(number)")
        }
      }
      #expect(span.attributes.values == expected)
    }
  }

  @Test func `include and exclude choose the spans`() throws {
    let name = "status: {code: Error}"
    for (matching, isChanged) in [
      ("include: {match_type: strict, span_names: [GET]}", true),
      ("include: {match_type: regexp, span_names: ['^P', '^G.T$']}", true),
      ("include: {match_type: regexp, span_names: ['^P', 'x']}", false),
      ("exclude: {match_type: strict, services: [shop]}", false),
    ] {
      let processor = try SpanProcessor.testing("{\(name), \(matching)}")
      let before = Self.traces("GET", [:])
      let batch = try #require(processor.process(before))
      #expect((batch.span(at: 0).status?.code == 2) == isChanged, "\(matching)")
      #expect((batch.bytes == before.bytes) != isChanged)
    }
  }

  @Test(arguments: [
    ("{}", "does nothing"), ("{name: {separator: x}}", "does nothing"),
    ("{name: {to_attributes: {rules: []}}}", "rules"),
    ("{name: {to_attributes: {rules: ['(']}}}", "regular expression"),
    ("{name: {to_attributes: {rules: ['a.*']}}}", "no named group"),
    ("{name: {to_attributes: {rules: ['(?P<a>.)(.)']}}}", "a group without a name"),
    ("{status: {code: OK}}", "Ok"), ("{status: {}}", "code"),
    ("{status: {code: Ok, description: d}}", "for the code Error only"),
    ("{status: {code: Ok}, include: {match_type: strict}}", "says nothing about what matches"),
    ("{name: {from_attributes: [a], rename: b}}", "rename"),
  ])
  func `what cannot be is refused at check`(_ yaml: String, _ said: String) {
    let (_, diagnostics) = decoding(yaml, as: SpanConfig.self)
    #expect(diagnostics.hasErrors)
    #expect(diagnostics.render().contains(said), "\(diagnostics.render())")
  }

  @Test func `properties of other signals are refused`() throws {
    let config = try SpanProcessor.settings(
      "{status: {code: Ok}, include: {match_type: strict, log_bodies: [a]}}")
    #expect(SpanProcessor.problem(of: config, carrying: [.traces])?.contains("log_bodies") == true)
  }
}
