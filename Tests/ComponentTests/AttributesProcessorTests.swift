import ConfigSchema
import PipelineKit
import PipelineTestKit
import Processors
import TelemetryData
import Testing

@Suite struct AttributesProcessorTests {
  /// What is left of attributes after actions, as JSON of the collected batch's first span.
  static func result(
    _ actions: String, on attributes: Attributes, matching: String = "", metadata: RequestMetadata? = nil
  ) throws -> Attributes {
    let processor = try AttributesProcessor.testing("{actions: [\(actions)] \(matching)}")
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "shop"]))
    builder.add(
      SpanValue(
        traceID: Array(1...16), spanID: Array(1...8), name: "GET /cart", kind: 2, attributes: attributes))
    let batch = try #require(processor.process(builder.finish(), metadata: metadata))
    return batch.span(at: 0).attributes.values
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let actions: String
    let before: Attributes
    let after: Attributes
    var testDescription: String { actions }
  }

  @Test(arguments: [
    Row(actions: "{key: a, action: insert, value: 1}", before: ["a": 2], after: ["a": 2]),
    Row(actions: "{key: a, action: insert, value: 1}", before: ["b": 2], after: ["b": 2, "a": 1]),
    Row(actions: "{key: a, action: update, value: x}", before: ["a": 2], after: ["a": "x"]),
    Row(actions: "{key: a, action: update, value: x}", before: [:], after: [:]),
    Row(actions: "{key: a, action: UPSERT, value: 1.5}", before: ["a": true], after: ["a": 1.5]),
    Row(actions: "{key: a, action: upsert, from_attribute: b}", before: ["b": 7], after: ["b": 7, "a": 7]),
    Row(actions: "{key: a, action: upsert, from_attribute: c}", before: ["b": 7], after: ["b": 7]),
    Row(
      actions: "{key: b, action: upsert, value: 1}, {key: a, action: insert, from_attribute: b}",
      before: ["b": 7],
      after: ["b": 1, "a": 1]),
    Row(actions: "{key: a, action: delete}", before: ["a": 1, "b": 2], after: ["b": 2]),
    Row(
      actions: "{pattern: '^db\\.', action: delete}", before: ["db.a": 1, "b": 2, "db.c": 3], after: ["b": 2]),
    Row(
      actions: "{key: a, action: hash}", before: ["a": "abc"],
      after: ["a": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]),
    Row(
      actions: "{key: a, action: hash}", before: ["a": 1],
      after: ["a": "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8"]),
    Row(
      actions: "{key: u, pattern: '^/user/(?P<id>\\d+)(?P<rest>/.*)?', action: extract}",
      before: ["u": "/user/42"],
      after: ["u": "/user/42", "id": "42", "rest": ""]),
    Row(actions: "{key: a, action: convert, converted_type: int}", before: ["a": "42"], after: ["a": 42]),
    Row(actions: "{key: a, action: convert, converted_type: int}", before: ["a": "x"], after: ["a": "x"]),
    Row(
      actions: "{key: a, action: convert, converted_type: string}", before: ["a": 1e21],
      after: ["a": "1000000000000000000000"]),
    Row(
      actions: "{key: a, action: convert, converted_type: double}", before: ["a": "0.25"], after: ["a": 0.25]),
  ])
  func `actions do what the Collector does`(row: Row) throws {
    #expect(try Self.result(row.actions, on: row.before) == row.after)
  }

  @Test(arguments: [
    ("include: {match_type: strict, services: [shop]}", true),
    ("include: {match_type: strict, services: [cart]}", false),
    ("include: {match_type: regexp, span_names: ['^GET ']}", true),
    ("include: {match_type: strict, span_kinds: [SPAN_KIND_CLIENT]}", false),
    ("include: {match_type: strict, attributes: [{key: a, value: 2}]}", true),
    ("include: {match_type: strict, attributes: [{key: a, value: '2'}]}", false),
    ("include: {match_type: regexp, attributes: [{key: a, value: '^2$'}]}", true),
    ("exclude: {match_type: strict, attributes: [{key: b}]}", true),
    ("exclude: {match_type: strict, resources: [{key: service.name, value: shop}]}", false),
  ])
  func `include and exclude choose the spans`(matching: String, isChanged: Bool) throws {
    let after = try Self.result("{key: z, action: upsert, value: 1}", on: ["a": 2], matching: ", \(matching)")
    #expect(after == (isChanged ? ["a": 2, "z": 1] : ["a": 2]))
  }

  @Test func `a value comes from the request's metadata`() throws {
    let metadata = RequestMetadata(["x-tenant": ["a", "b"]])
    let actions = "{key: tenant, action: insert, from_context: metadata.X-Tenant}"
    #expect(try Self.result(actions, on: [:], metadata: metadata) == ["tenant": "a;b"])
    #expect(try Self.result(actions, on: [:]) == [:])
  }

  @Test func `a value comes from who sent the request`() throws {
    let metadata = RequestMetadata([":client.address": ["192.0.2.7"], ":auth.username": ["ann"], "a": ["b"]])
    let actions = """
      {key: address, action: insert, from_context: client.address},
        {key: user, action: upsert, from_context: auth.username},
        {key: subject, action: upsert, from_context: auth.subject}
      """
    #expect(
      try Self.result(actions, on: [:], metadata: metadata) == ["address": "192.0.2.7", "user": "ann"])
    #expect(try Self.result(actions, on: [:]) == [:])
  }
}
