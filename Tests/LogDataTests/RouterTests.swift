import Testing

@testable import LogData

/// Ways of entries through routers and lists of outputs.
@Suite struct RouterTests {
  /// Takes bodies through operators; what comes out, with attributes.
  static func run(_ yaml: String, _ entries: [String]) throws -> (output: [String], graph: OperatorGraph) {
    let graph = try Operators.graph(yaml)
    var output: [String] = []
    for text in entries {
      var entry = try LogEntry(text)
      graph.process(&entry) { output.append($0.json($0.body) + $0.attributesJSON) }
    }
    return (output, graph)
  }

  @Test func `an entry goes the way of the first route that matches`() throws {
    let yaml = """
      - type: router
        routes:
          - {output: one, expr: 'body.format == "json"'}
          - {output: two, expr: 'body.format == "syslog" or body.format == "json"'}
      - {type: add, id: one, field: attributes.way, value: 1, output: noop}
      - {type: add, id: two, field: attributes.way, value: 2}
      - type: noop
      """
    let (output, graph) = try Self.run(
      yaml, ["{body: {format: json}}", "{body: {format: syslog}}", "{body: {format: csv}}"])
    #expect(output == [#"{"format":"json"}{"way":1}"#, #"{"format":"syslog"}{"way":2}"#])
    #expect(graph.filtered == 1 && graph.dropped == 0)
    #expect(graph.counts.map(\.entries) == [3, 1, 1, 2])
  }

  @Test func `what has no route goes the default way, and routes add attributes`() throws {
    let yaml = """
      - type: router
        default: log_emitter
        routes:
          - {output: [a, b], expr: 'body == "x"', attributes: {k: v, p: 'is-EXPR(body)-EXPR(attributes.q)'}}
      - {type: add, id: a, field: attributes.way, value: a, output: log_emitter}
      - {type: add, id: b, field: attributes.way, value: b}
      """
    let (output, _) = try Self.run(yaml, ["{body: x, attributes: {q: 'yes'}}", "{body: z}"])
    #expect(
      output == [
        #""x"{"q":"yes","k":"v","p":"is-x-yes","way":"a"}"#,
        #""x"{"q":"yes","k":"v","p":"is-x-yes","way":"b"}"#, #""z"{}"#,
      ])
  }

  @Test func `an expression that fails is no match, and told when nothing else matches`() throws {
    let yaml = """
      - type: router
        routes:
          - {output: log_emitter, expr: 'body.n > 1'}
          - {output: log_emitter, expr: 'body.m == 1'}
      """
    var errors: [String] = []
    let graph = try Operators.graph(yaml)
    graph.onFailure = { id, error in errors.append("\(id): \(error)") }
    var output = 0
    for text in ["{body: {m: 1}}", "{body: {n: x}}", "{body: {n: 2}}"] {
      var entry = try LogEntry(text)
      graph.process(&entry) { _ in output += 1 }
    }
    #expect(output == 2 && errors.count == 1 && errors.first?.hasPrefix("router: ") == true)
    #expect(graph.dropped == 1 && graph.filtered == 0)
  }

  @Test func `outputs of a router are checked`() throws {
    let (_, diagnostics) = try Operators.decode(
      "- type: router\n  routes:\n  - {output: nope, expr: 'true'}\n  default: router\n")
    #expect(diagnostics.all.map(\.code) == ["unknown-operator", "circle"])
    #expect(diagnostics.all.map { $0.location?.description } == ["test.yaml:4:14", "test.yaml:5:12"])
  }
}
