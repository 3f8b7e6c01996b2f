import ConfigSchema
import Testing

@testable import LogData

/// Ids and outputs of lists of operators.
@Suite struct OperatorPlanTests {
  @Test(arguments: [
    ("- type: noop\n- type: noop\n- type: noop\n", ["noop", "noop1", "noop2"]),
    ("- type: noop\n- {type: noop, id: noop1}\n- type: noop\n", ["noop", "noop1", "noop2"]),
    ("- {type: noop, id: a}\n- {type: noop, id: noop}\n- type: noop\n", ["a", "noop", "noop1"]),
  ])
  func `operators without an id are called after their type`(yaml: String, ids: [String]) throws {
    #expect(try #require(try Operators.decode(yaml).0).plan.ids == ids)
  }

  @Test func `entries go to the next operator, or to those that are named`() throws {
    let yaml = """
      - {type: noop, id: a, output: [c, b]}
      - {type: noop, id: b, output: log_emitter}
      - {type: noop, id: c}
      """
    let plan = try #require(try Operators.decode(yaml).0).plan
    #expect(plan.outputs == [[2, 1], [3], [3]])
    #expect(plan.order.first == 0)
  }

  @Test func `an output may point backwards as long as no entry goes in a circle`() throws {
    let yaml = """
      - {type: noop, id: a, output: c}
      - {type: noop, id: b, output: log_emitter}
      - {type: noop, id: c, output: b}
      """
    let (list, diagnostics) = try Operators.decode(yaml)
    #expect(diagnostics.isEmpty)
    #expect(list?.plan.order == [0, 2, 1])
  }

  @Test(arguments: [
    ("- {type: noop, output: b}\n", "unknown-operator", "test.yaml:2:24", "the ids are noop"),
    (
      "- {type: noop, output: pasre}\n- {type: noop, id: parse}\n", "unknown-operator", "test.yaml:2:24",
      "did you mean \"parse\"?"
    ),
    ("- {type: noop, id: a}\n- {type: noop, id: a}\n", "duplicate-id", "test.yaml:3:20", ""),
    (
      "- {type: noop, id: a}\n- {type: noop, output: a}\n", "circle", "test.yaml:3:24",
      "send them to an operator further down, or to log_emitter, the end of the list"
    ),
    (
      "- {type: noop, id: a, output: a}\n", "circle", "test.yaml:2:31",
      "send them to an operator further down, or to log_emitter, the end of the list"
    ),
    ("- {type: noop, output: [b, b]}\n- {type: noop, id: b}\n", "duplicate-output", "test.yaml:2:28", ""),
    (
      "- {type: noop, output: log_emitter}\n- {type: noop, id: b}\n", "unreachable", "test.yaml:3:10",
      "name it in the output of another operator, or remove it"
    ),
    ("- {type: nop}\n", "unknown-type", "test.yaml:2:10", "did you mean \"noop\"?"),
    ("- {type: noop, on_error: ignore}\n", "wrong-type", "test.yaml:2:26", ""),
    ("- {type: noop, outputs: a}\n", "unknown-key", "test.yaml:2:16", "did you mean \"output\"?"),
  ])
  func `what does not fit is shown where it is`(yaml: String, code: String, place: String, help: String)
    throws
  {
    let (list, diagnostics) = try Operators.decode(yaml)
    let found = try #require(diagnostics.all.first)
    #expect(diagnostics.all.count == 1 && found.code == code, "\(diagnostics.render())")
    #expect(found.location?.description == place && found.help ?? "" == help)
    #expect((list == nil) == (code != "unreachable"))
  }

  @Test func `a circle is told step by step`() throws {
    let yaml =
      "- {type: noop, id: a}\n- {type: noop, id: b}\n- {type: noop, id: c, output: [log_emitter, b]}\n"
    let found = try #require(try Operators.decode(yaml).1.all.first)
    #expect(found.message == "entries would go in a circle: b → c → b")
    #expect(found.path == "receivers.file_log.operators[2].output")
  }

  @Test func `an entry for several outputs comes out once for each`() throws {
    let graph = try Operators.graph(
      "- {type: noop, output: [b, log_emitter]}\n- {type: noop, id: b}\n")
    var entry = LogEntry()
    entry.body = .int(7)
    try entry.set(entry.string("x"), at: FieldPath(.attributes, ["k"]))
    var bodies: [String] = []
    graph.process(&entry) { bodies.append($0.summary) }
    #expect(bodies == Array(repeating: "{\"body\":7,\"attributes\":{\"k\":\"x\"},\"resource\":{}}", count: 2))
    #expect(graph.counts.map(\.entries) == [1, 1])
  }
}
