import ConfigSchema
import PipelineKit
import PipelineTestKit
import Processors
import TelemetryData
import Testing

@Suite struct RedactionProcessorTests {
  /// What becomes of the attributes of a span.
  private static func result(_ yaml: String, _ attributes: Attributes) throws -> Attributes {
    let batch = try #require(try RedactionProcessor.testing(yaml).process(traces(attributes)))
    return batch.span(at: 0).attributes.values
  }

  private static func traces(_ attributes: Attributes, events: [Attributes] = []) -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["token": "t-1", "service.name": "shop"]))
    var span = SpanValue(
      traceID: Array(1...16), spanID: Array(1...8), name: "GET /cart", kind: 2, attributes: attributes)
    for (number, attributes) in events.enumerated() {
      span.events.append(SpanEventValue(time: UInt64(number), name: "e\(number)", attributes: attributes))
    }
    builder.add(span)
    return builder.finish()
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let yaml: String
    let before: Attributes
    let after: Attributes
    var testDescription: String { yaml }
  }

  @Test(arguments: [
    // An empty list allows nothing.
    Row(yaml: "{}", before: ["a": 1, "b": "x"], after: [:]),
    Row(yaml: "{allow_all_keys: true}", before: ["a": 1, "b": "x"], after: ["a": 1, "b": "x"]),
    Row(
      yaml: "{allowed_keys: [id, name]}", before: ["id": 5, "secret": "s", "name": "n"],
      after: ["id": 5, "name": "n"]),
    Row(
      yaml: "{ignored_keys: [card], blocked_values: ['4\\d{3}']}", before: ["card": "4111", "x": "4111"],
      after: ["card": "4111"]),
    Row(
      yaml: "{allow_all_keys: true, ignored_key_patterns: ['^safe\\.'], blocked_values: ['4\\d{3}']}",
      before: ["safe.card": "4111", "x.safe.card": "a 4111 4222b"],
      after: ["safe.card": "4111", "x.safe.card": "a **** ****b"]),
    // What is no string is looked at when told so.
    Row(yaml: "{allow_all_keys: true, blocked_values: ['4\\d{3}']}", before: ["a": 4111], after: ["a": 4111]),
    Row(
      yaml: "{allow_all_keys: true, redact_all_types: true, blocked_values: ['4\\d{3}', 'tr.e']}",
      before: ["a": 41115, "b": true, "c": .keyValueList(["x": "4111"]), "d": 1.5, "e": 7],
      after: ["a": "****5", "b": "****", "c": "{\"x\":\"****\"}", "d": 1.5, "e": 7]),
    Row(
      yaml: "{allow_all_keys: true, blocked_values: ['@'], allowed_values: ['@example\\.com$', '^ok']}",
      before: ["a": "me@example.com", "b": "me@example.org", "c": "ok@"],
      after: ["a": "me@example.com", "b": "me****example.org", "c": "ok@"]),
    Row(
      yaml:
        "{allow_all_keys: true, blocked_key_patterns: ['token', '.*api_?key.*'], allowed_values: ['^public']}",
      before: ["token": "t", "my.apikey": "a\nb", "token.n": 5, "token.p": "public", "other": "o"],
      after: [
        "token": "****", "my.apikey": "****\n****", "token.n": "****", "token.p": "public", "other": "o",
      ]),
    // Patterns work one after the other, and each takes every match.
    Row(
      yaml: "{allow_all_keys: true, blocked_values: ['b+', '\\*{4}c']}", before: ["a": "abbcbd"],
      after: ["a": "a********d"]),
    Row(
      yaml: "{allow_all_keys: true, blocked_values: ['x*']}", before: ["a": "axb"],
      after: ["a": "****a****b****"]),
    Row(
      yaml:
        "{allow_all_keys: true, hash_function: md5, blocked_values: ['c.t'], blocked_key_patterns: ['^k$']}",
      before: ["a": "a cat", "k": "cat"],
      after: ["a": "a d077f244def8a70e5ea758bd8352fcd8", "k": "d077f244def8a70e5ea758bd8352fcd8"]),
    Row(
      yaml: "{allow_all_keys: true, hash_function: SHA1, blocked_values: ['c.t']}", before: ["a": "cat"],
      after: ["a": "9d989e8d27dc9e0ec3389fc855f142c3d40f0c50"]),
    Row(
      yaml: "{allow_all_keys: true, hash_function: sha3, blocked_values: ['c.t']}", before: ["a": "cat"],
      after: ["a": "d616607d3e4ba96a74f323cffc5f20a3c78e7cab8ecbdbb03b13fa8ffc9bf644"]),
    Row(
      yaml:
        "{allow_all_keys: true, hash_function: hmac-sha256, hmac_key: 0123456789abcdef0123456789abcdef, blocked_values: ['c.t']}",
      before: ["a": "cat"], after: ["a": "5ac53e4a3467ef6cb592e6073407f7d5e1637c86473198828e41c2c5d7d7ccee"]),
    Row(
      yaml:
        "{allow_all_keys: true, hash_function: hmac-sha512, hmac_key: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef, blocked_values: ['c.t']}",
      before: ["a": "cat"],
      after: [
        "a":
          "ed23a25b48fb620b73f10b4e49194ae8a4b61b9ea76581c2468de9f4b04b199df403ac61d7b90e61909040465b3a0e90a160ed42863bc3774974cc3e520c354f"
      ]),
    Row(
      yaml: "{allow_all_keys: true, blocked_values: ['[0-9]+', 'ü']}", before: ["a": "Zürich 12"],
      after: ["a": "Z****rich ****"]),
  ])
  func `attributes are removed, masked and hashed`(row: Row) throws {
    #expect(try Self.result(row.yaml, row.before) == row.after)
  }

  @Test(arguments: [
    Row(
      yaml:
        "{allowed_keys: [c, b, e], ignored_keys: [i], blocked_values: ['4\\d'], allowed_values: ['^ok'], summary: debug}",
      before: ["z": 1, "c": "41", "y": "2", "b": "42", "i": "43", "e": "ok 44"],
      after: [
        "c": "****", "b": "****", "i": "43", "e": "ok 44", "redaction.redacted.keys": "y,z",
        "redaction.redacted.count": 2, "redaction.masked.keys": "b,c", "redaction.masked.count": 2,
        "redaction.allowed.keys": "e", "redaction.allowed.count": 1, "redaction.ignored.count": 1,
      ]),
    Row(
      yaml: "{allowed_keys: [c], blocked_values: ['4\\d'], summary: info}", before: ["z": 1, "c": "41"],
      after: ["c": "****", "redaction.redacted.count": 1, "redaction.masked.count": 1]),
    // What an earlier one said is kept and added to.
    Row(
      yaml: "{summary: debug}",
      before: [
        "a": 1, "redaction.redacted.keys": "b,x", "redaction.redacted.count": 2, "redaction.masked.count": 1,
      ],
      after: ["redaction.redacted.keys": "a,b,x", "redaction.redacted.count": 3, "redaction.masked.count": 1]),
    Row(yaml: "{allow_all_keys: true, summary: debug}", before: ["a": 1], after: ["a": 1]),
    Row(yaml: "{summary: ''}", before: ["a": 1], after: [:]),
  ])
  func `a summary tells what was done`(row: Row) throws {
    #expect(try Self.result(row.yaml, row.before) == row.after)
  }

  @Test func `resources, scopes, spans and events are looked at`() throws {
    let processor = try RedactionProcessor.testing(
      "{allow_all_keys: true, blocked_key_patterns: [token], summary: info}")
    let before = Self.traces(
      ["token": "t-2", "a": 1],
      events: [["x": 1], ["y": 2, "token": "t-3", "z": "3"], [:], ["token": "t-4"]])
    let batch = try #require(processor.process(before))
    let masked = ["token": "****", "redaction.masked.count": 1] as Attributes
    #expect(
      batch.resource(at: 0).attributes.values
        == ["token": "****", "service.name": "shop", "redaction.masked.count": 1])
    let span = batch.span(at: 0)
    #expect(span.attributes.values == ["token": "****", "a": 1, "redaction.masked.count": 1])
    #expect(span.name.string == "GET /cart")
    var events: [(UInt64, String, Attributes)] = []
    span.events.forEach { events.append(($0.time, $0.name.string, $0.attributes.values)) }
    #expect(events.map(\.0) == [0, 1, 2, 3] && events.map(\.1) == ["e0", "e1", "e2", "e3"])
    #expect(
      events.map(\.2) == [
        ["x": 1], ["y": 2, "token": "****", "z": "3", "redaction.masked.count": 1], [:], masked,
      ])
    // What has no secrets goes on as it came.
    let clean = Self.traces(["a": 1], events: [["b": 2]])
    let same = try #require(
      RedactionProcessor.testing("{allow_all_keys: true, blocked_values: [secret]}").process(clean))
    #expect(same.bytes == clean.bytes)
  }

  private static func logs(_ body: AnyValue?, _ attributes: Attributes = [:]) -> Batch {
    var builder = BatchBuilder(.logs)
    builder.add(LogRecordValue(time: 1, severityText: "INFO", body: body, attributes: attributes))
    return builder.finish()
  }

  private static func body(of batch: Batch) -> AnyValue? {
    let record = batch.logRecord(at: 0)
    guard let body = record.body else { return nil }
    return body.value
  }

  struct Body: Sendable, CustomTestStringConvertible {
    let yaml: String
    let before: AnyValue?
    let after: AnyValue?
    var attributes: Attributes = [:]
    var testDescription: String { yaml }
  }

  @Test(arguments: [
    Body(
      yaml: "{allow_all_keys: true, blocked_values: ['4\\d{3}'], summary: debug}", before: "card 4111",
      after: "card ****",
      attributes: ["redaction.body.masked.keys": "body", "redaction.body.masked.count": 1]),
    Body(
      yaml: "{allow_all_keys: true, blocked_values: ['4\\d{3}'], summary: debug}", before: "hello",
      after: "hello"),
    Body(
      yaml: "{blocked_values: ['4\\d{3}'], summary: info}", before: 4111, after: "****",
      attributes: ["redaction.body.masked.count": 1]),
    Body(
      yaml: "{allow_all_keys: true, blocked_values: ['4\\d{3}'], allowed_values: [ok], summary: info}",
      before: "ok 4111", after: "ok 4111"),
    Body(yaml: "{blocked_values: ['.*']}", before: nil, after: nil),
    Body(
      yaml:
        "{allowed_keys: [a, b, list, n], ignored_keys: [i], blocked_key_patterns: ['^b$'], blocked_values: ['4\\d'], allowed_values: ['^ok'], summary: debug}",
      before: .keyValueList([
        "a": "41", "b": 5, "gone": "x", "i": .keyValueList(["gone": "41"]),
        "n": .keyValueList(["a": "ok 42", "gone": 1, "b": "x"]),
        "list": .array(["43", .keyValueList(["a": 44, "gone": 2]), "x"]),
      ]),
      after: .keyValueList([
        "a": "****", "b": "****", "i": .keyValueList(["gone": "41"]),
        "n": .keyValueList(["a": "ok 42", "b": "****"]),
        "list": .array(["****", .keyValueList(["a": "****"]), "x"]),
      ]),
      attributes: [
        "redaction.body.redacted.keys": "gone,list.[1].gone,n.gone", "redaction.body.redacted.count": 3,
        "redaction.body.masked.keys": "a,b,list.[0],list.[1].a,n.b", "redaction.body.masked.count": 5,
        "redaction.body.allowed.keys": "n.a", "redaction.body.allowed.count": 1,
        "redaction.body.ignored.count": 1,
      ]),
    Body(
      yaml: "{allow_all_keys: true, blocked_values: ['4\\d'], summary: debug}",
      before: .array(["41", .array(["42"])]),
      after: .array(["****", .array(["****"])]),
      attributes: ["redaction.body.masked.keys": "[0],[1].[0]", "redaction.body.masked.count": 2]),
    Body(
      yaml: "{allow_all_keys: true, blocked_values: ['AQI', '0\\.5', 'true']}",
      before: .array([.bytes([1, 2]), 0.5, true, .empty]), after: .array(["****=", "****", "****", .empty])),
  ])
  func `bodies of log records are looked at to any depth`(row: Body) throws {
    let batch = try #require(try RedactionProcessor.testing(row.yaml).process(Self.logs(row.before)))
    let record = batch.logRecord(at: 0)
    #expect(Self.body(of: batch) == row.after)
    #expect(record.attributes.values == row.attributes)
    #expect(record.severityText.string == "INFO" && record.time == 1)
  }

  @Test func `attributes and body of a record are redacted in one go`() throws {
    let yaml = "{allowed_keys: [a], blocked_values: ['4\\d'], summary: info}"
    let batch = try #require(
      try RedactionProcessor.testing(yaml).process(Self.logs("is 41", ["a": "42", "b": 1])))
    let record = batch.logRecord(at: 0)
    #expect(Self.body(of: batch) == "is ****")
    #expect(
      record.attributes.values == [
        "a": "****", "redaction.redacted.count": 1, "redaction.masked.count": 1,
        "redaction.body.masked.count": 1,
      ])
  }

  @Test func `data points of every kind are looked at`() throws {
    let secret: Attributes = ["token": "t"]
    let masked: Attributes = ["token": "****"]
    func batch(_ attributes: Attributes) -> Batch {
      var builder = BatchBuilder(.metrics)
      let number = NumberDataPointValue(attributes: attributes, time: 1, value: .int(1))
      for data: MetricDataValue in [
        .gauge([number, number]), .sum([number], .cumulative, isMonotonic: true),
        .histogram([HistogramDataPointValue(attributes: attributes, time: 1, count: 1)], .delta),
        .exponentialHistogram(
          [ExponentialHistogramDataPointValue(attributes: attributes, time: 1, count: 1)], .delta),
        .summary([SummaryDataPointValue(attributes: attributes, time: 1, count: 1)]),
      ] {
        builder.add(MetricValue(name: "m", data: data))
      }
      return builder.finish()
    }
    let processor = try RedactionProcessor.testing(
      "{allow_all_keys: true, blocked_key_patterns: ['^token$']}")
    let result = try #require(processor.process(batch(secret)))
    #expect(result.bytes == batch(masked).bytes)
  }

  @Test(arguments: [
    ("{blocked_values: ['(']}", "not a regular expression"),
    ("{allowed_keys: [a], hash_function: sha256}", "hash_function"),
    ("{allowed_keys: [a], hash_function: hmac-sha256, hmac_key: short}", "at least 32 bytes"),
    (
      "{allowed_keys: [a], hash_function: hmac-sha512, hmac_key: 0123456789abcdef0123456789abcdef}",
      "at least 64"
    ),
    ("{allowed_keys: [a], hash_function: hmac-sha512}", "at least 64"),
    ("{allowed_keys: [a], hmac_key: abc}", "hmac-sha256 and hmac-sha512 only"),
    ("{allowed_keys: [a], summary: loud}", "debug, info, silent"),
    ("{allowed_keys: [a], url_sanitizer: {enabled: true, attributes: [url.full]}}", "classifier"),
    ("{allowed_keys: [a], db_sanitizer: {sql: {enabled: true}}}", "not supported"),
    ("{allowed_keys: [a], blocked_keys: [b]}", "blocked_key"),
  ])
  func `what cannot be is refused at check`(_ yaml: String, _ said: String) {
    let (config, diagnostics) = decoding(yaml, as: RedactionConfig.self)
    #expect(diagnostics.hasErrors && config == nil || diagnostics.hasErrors)
    #expect(diagnostics.render().contains(said), "\(diagnostics.render())")
    #expect(!diagnostics.render().contains("0123456789abcdef0"))
  }

  @Test func `a list that allows nothing is warned of`() {
    let (config, diagnostics) = decoding("{}", as: RedactionConfig.self)
    #expect(config != nil && diagnostics.render().contains("all of them are removed"))
    let (_, off) = decoding("{allowed_keys: [a], url_sanitizer: {enabled: false}}", as: RedactionConfig.self)
    #expect(off.isEmpty, "\(off.render())")
  }
}
