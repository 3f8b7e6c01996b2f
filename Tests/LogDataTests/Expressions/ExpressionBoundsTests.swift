import NativeCodecs
import Testing

@testable import LogData

/// Whatever the text and whatever the entry: a clear error, and neither stack nor memory nor time without
/// end.
@Suite struct ExpressionBoundsTests {
  static let bombs: [(name: String, text: String)] = [
    ("brackets", String(repeating: "(", count: 100_000)), ("lists", String(repeating: "[", count: 100_000)),
    ("maps", String(repeating: "{a:", count: 60_000)),
    ("signs", String(repeating: "-", count: 100_000) + "1"),
    ("negations", String(repeating: "!", count: 100_000) + "true"),
    ("nots", String(repeating: "not ", count: 50_000) + "true"),
    ("calls", String(repeating: "len(", count: 50_000)),
    ("powers", String(repeating: "2**", count: 50_000) + "2"),
    ("conditions", String(repeating: "true?1:", count: 30_000) + "1"),
    ("whole conditions", String(repeating: "true?", count: 30_000)),
    ("variables", (0..<20_000).map { "let a\($0)=1;" }.joined() + "1"),
    ("sums", String(repeating: "1+", count: 100_000) + "1"),
    ("members", "body" + String(repeating: ".a", count: 100_000)),
    ("indices", "body" + String(repeating: "[0]", count: 50_000)),
    ("pipes", "body" + String(repeating: "|len()", count: 30_000)),
    ("predicates", String(repeating: "map([1],", count: 20_000)),
    ("coalescences", String(repeating: "nil??", count: 40_000) + "1"),
    ("ifs", String(repeating: "if true{", count: 30_000)),
    ("elses", String(repeating: "if true{1}else ", count: 10_000)),
    ("chains", "body" + String(repeating: "?.a", count: 60_000)),
    ("comparisons", String(repeating: "1<", count: 100_000) + "2"),
  ]

  @Test(arguments: bombs.map(\.name)) func `deep or long nesting is refused`(_ name: String) throws {
    let text = try #require(Self.bombs.first { $0.name == name }).text
    let error = try #require(throws: ExpressionError.self) { try Expression(text) }
    #expect(
      error.reason.contains("nested more than 200 deep") || error.reason.contains("more than 10000 parts"),
      "\(error)")
    #expect(error.offset <= text.utf8.count)
  }

  @Test func `a text of a megabyte is refused`() throws {
    let text = "body == '" + String(repeating: "a", count: 1 << 20) + "'"
    let error = try #require(throws: ExpressionError.self) { try Expression(text) }
    #expect(error.reason == "the expression is longer than 256 KiB")
  }

  @Test func `long rows of and, or and constants are fine`() throws {
    var entry = try ExpressionTable.entry()
    let row = (0..<3000).map { "body == '\($0)'" }.joined(separator: " or ")
    #expect(try !Expression(row).isTrue(&entry, ExpressionTable.environment))
    #expect(try Expression(row + " or true").isTrue(&entry, ExpressionTable.environment))
    let list = (0..<9000).map { "'\($0)'" }.joined(separator: ", ")
    #expect(try Expression("attributes.status in [\(list)]").isTrue(&entry, ExpressionTable.environment))
  }

  @Test(arguments: [
    "body matches '((a{0,100}){0,100}){0,100}'",
    "body matches '" + String(repeating: "(", count: 5_000) + "'", "body matches '(a+)\\\\1'",
    "body matches '(?=a)'",
  ]) func `a pattern that cannot be had is refused`(_ text: String) throws {
    let error = try #require(throws: ExpressionError.self) { try Expression(text) }
    #expect(error.reason.hasPrefix("the pattern does not compile: "), "\(error)")
  }

  static let expensive = [
    "1..100000000", "-9223372036854775807..9223372036854775807", "repeat('a', 9223372036854775807)",
    "repeat(repeat('a', 100000), 100000)",
    "reduce(1..40, #acc + #acc, 'aa')", "reduce(1..64, concat(#acc, #acc), [1])",
    "map(1..10000, map(1..10000, map(1..10000, #)))",
    "len(split(repeat('a', 1000000), ''))", "all(1..30000, all(1..30000, true))",
    "join(map(1..1000, repeat('a', 10000)))",
    "replace(repeat('a', 100000), 'a', repeat('b', 100000))", "toJSON(reduce(1..20, [#acc, #acc], []))",
    "uniq(1..30000)",
    "lastIndexOf(repeat('a', 1000000), repeat('a', 500000))", "sum(map(1..30000, count(1..1000, true)))",
    "flatten(reduce(1..20, [#acc, #acc], [1]))",
    "string(reduce(1..150, [#acc], []))", "toJSON(reduce(1..150, {{a: #acc}}, {}))",
    "flatten(reduce(1..150, [#acc], []))",
    "reduce(1..150, [#acc], []) == reduce(1..150, [#acc], [])", "max(reduce(1..150, [#acc], [1]))",
    "any(1..10000, body matches string(#) + 'x')",
    "groupBy(map(1..20000, string(#)), #)", "map(1..2000, repeat('a', 1000))",
  ]

  @Test(arguments: expensive) func `what takes too much is given up`(_ text: String) throws {
    var entry = try ExpressionTable.entry()
    let expression = try Expression(text)
    let error = try #require(throws: LogOperatorError.self) {
      try expression.evaluate(&entry, ExpressionTable.environment)
    }
    let reasons = ["takes more memory", "takes more steps", "nested more than 100 deep", "too many elements"]
    #expect(reasons.contains { error.description.contains($0) }, "\(error)")
    #expect(entry.arena.count < 4 << 20)
  }

  @Test func `what a predicate makes for one element is gone at the next`() throws {
    var entry = try ExpressionTable.entry()
    let text = "count(1..2000, upper(repeat('a', 1000)) contains 'AB' or len([1..100, {a: #}]) == 2)"
    #expect(try Expression(text).evaluate(&entry, ExpressionTable.environment) == .int(2000))
    #expect(entry.arena.count < 1 << 20)
  }

  @Test func `a result that is nested too deep is refused`() throws {
    var entry = try ExpressionTable.entry()
    let expression = try Expression("reduce(1..150, [#acc], [])")
    #expect(throws: LogOperatorError.self) { try expression.evaluate(&entry, ExpressionTable.environment) }
  }

  @Test func `the memory of a large entry may be taken a few times`() throws {
    var entry = LogEntry()
    entry.body = entry.string(String(repeating: "Aa", count: 1 << 20))
    #expect(
      try Expression("lower(body) + upper(body) contains 'aAA'").isTrue(&entry, ExpressionTable.environment))
  }

  @Test func `a condition leaves nothing behind in the entry`() throws {
    var entry = try ExpressionTable.entry()
    let (arena, slots, chains) = (entry.arena.count, entry.slots.count, entry.chains.count)
    for text in [
      "lower(body) contains 'error'", "fromJSON('{\"a\": [1]}').a[0] == 1", "upper(body) == upper(body)",
      "len([{a: body + 'x'}]) == 1",
    ] {
      #expect(try Expression(text).isTrue(&entry, ExpressionTable.environment))
      #expect(entry.arena.count == arena && entry.slots.count == slots && entry.chains.count == chains)
    }
    #expect(throws: LogOperatorError.self) {
      try Expression("lower(body) < attributes.bytes").isTrue(&entry, ExpressionTable.environment)
    }
    #expect(entry.arena.count == arena)
  }

  @Test func `a text is the only thing a result puts into the arena`() throws {
    var entry = try ExpressionTable.entry()
    let arena = entry.arena.count
    let value = try Expression("replace(lower(body) + 'x', 'error', 'E')").evaluate(
      &entry, ExpressionTable.environment)
    #expect(ExpressionTable.shown(value, of: entry) == "\"E: disk /dev/sda1 is full (98%)x\"")
    #expect(entry.arena.count == arena + value.range.count)
    _ = try Expression("len(lower(body))").evaluate(&entry, ExpressionTable.environment)
    #expect(entry.arena.count == arena + value.range.count)
  }

  @Test func `malformed text is compared, cut and counted without harm`() throws {
    var entry = LogEntry()
    let bytes: [UInt8] = [0xFF, 0x41, 0xC3, 0x28, 0xE2, 0x82, 0xF0, 0x9F, 0x98]
    entry.body = .string(entry.add(bytes.span))
    let result = try Expression(
      "[len(body), len(trim(body)), len(split(body, '')), len(upper(body)), len(lower(body)), len(body[1:4])]"
    )
    .evaluate(&entry, ExpressionTable.environment)
    #expect(ExpressionTable.shown(result, of: entry).hasPrefix("[9, 9, 9,"))
  }
}
