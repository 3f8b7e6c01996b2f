import WireFormat

@testable import LogData

/// What must hold for any text of an expression, and for any entry.
///
/// It is refused with a place within it, or printed from its tree it is read as the same tree again and gives
/// the same for the same entry. Nothing of the entry changes, all that it adds is well-formed, and a
/// condition adds nothing.
enum ExpressionOracle {
  static func check(_ input: [UInt8]) throws {
    let text = String(decoding: input, as: UTF8.self)
    let syntax: ExpressionSyntax
    do throws(ExpressionError) {
      syntax = try ExpressionParser.parse(text)
    } catch {
      return try require(isWithin(error, text), "\(error) of \(text.utf8.count) bytes")
    }
    let expression: Expression
    do throws(ExpressionError) {
      expression = try Expression(text)
    } catch {
      return try require(isWithin(error, text), "\(error) of \(text.utf8.count) bytes")
    }
    let first = try result(of: expression)
    // With brackets everywhere it is longer and may be too long, and an excerpt in a message differs.
    let printed = ExpressionPrinter.text(syntax)
    guard let again = try? ExpressionParser.parse(printed) else {
      return try require(
        text.utf8.count > 1000 || syntax.height > 60, "refused when printed: \(printed)")
    }
    try require(ExpressionPrinter.text(again) == printed, "printed differently: \(printed)")
    guard let other = try? Expression(printed) else {
      throw OracleFailure(description: "does not compile when printed: \(printed)")
    }
    try require(try result(of: other) == first, "gives another value when printed: \(printed)")
  }

  private static func isWithin(_ error: ExpressionError, _ text: String) -> Bool {
    error.offset >= 0 && error.length >= 0 && error.offset + error.length <= text.utf8.count
      && !error.reason.isEmpty
  }

  /// What it gives for the entry; nil when it fails.
  private static func result(of expression: Expression) throws -> String? {
    let original = entry()
    var entry = original
    var value: LogValue?
    do throws(LogOperatorError) {
      value = try expression.evaluate(&entry, environment)
    } catch {
      try require(entry.arena.count == original.arena.count, "a failure adds to the entry")
    }
    try require(entry.arena.starts(with: original.arena), "the text of the entry is changed")
    try require(shown(entry.body, entry) == shown(original.body, original), "the body is changed")
    for map in [LogChain.attributes, .resource] {
      let (after, before) = (LogValue(.map, bits: UInt64(map.position)), original)
      try require(shown(after, entry) == shown(after, before), "the attributes are changed")
    }
    if let value { try checkText(value, entry) }

    var conditioned = original
    let condition = try? expression.isTrue(&conditioned, environment)
    try require(conditioned.arena.count == original.arena.count, "a condition adds text to the entry")
    try require(conditioned.slots.count == original.slots.count, "a condition adds elements to the entry")
    if let condition {
      try require(
        value == .bool(condition) || (value == .null && !condition), "a condition differs from its value")
    }
    return value.map { shown($0, entry) }
  }

  /// That strings are well-formed, as OTLP wants them.
  private static func checkText(_ value: LogValue, _ entry: LogEntry) throws {
    switch value.kind {
    case .string: try require(UTF8Check.isValid(entry.text(value.range)), "a string that is not well-formed")
    case .list, .map:
      var parts: [LogValue] = []
      if let chain = value.chain {
        entry.forEach(in: chain) { key, element in parts += [.string(key), element] }
      }
      for part in parts { try checkText(part, entry) }
    default: break
    }
  }

  private static func shown(_ value: LogValue, _ entry: LogEntry) -> String {
    switch value.kind {
    case .string, .bytes: return "'" + String(decoding: entry.arena[value.range.range], as: UTF8.self) + "'"
    case .list, .map:
      var parts: [String] = []
      if let chain = value.chain {
        entry.forEach(in: chain) { key, element in
          parts.append(shown(.string(key), entry) + ":" + shown(element, entry))
        }
      }
      return "\(value.kind)(" + parts.joined(separator: ",") + ")"
    default: return "\(value.kind)(\(value.int),\(value.double),\(value.bool))"
    }
  }

  private static let environment = ExpressionEnvironment(
    variables: ["HOST": "web-1"], now: { 1_700_000_000_000_000_000 })

  private static func entry() -> LogEntry {
    var entry = LogEntry()
    entry.body = entry.string("ERROR: Zürich 98% full")
    entry.timestamp = 1_692_000_000_500_000_000
    entry.severityNumber = 17
    entry.severityText = entry.add("ERROR")
    entry.append(key: entry.add("status"), entry.string("500"), to: .attributes)
    entry.append(key: entry.add("bytes"), .int(1234), to: .attributes)
    entry.append(key: entry.add("ratio"), .double(0.25), to: .attributes)
    let raw: [UInt8] = Array("caf".utf8) + [0xE9, 0x20, 0xC3]
    entry.append(key: entry.add("raw"), .bytes(entry.add(raw.span)), to: .attributes)
    entry.append(key: entry.add("json"), entry.string(#"{"a": [1, {"b": "\u00e4"}]}"#), to: .attributes)
    let (list, value) = entry.makeList()
    for number in [3, 1, 2] { entry.append(.int(Int64(number)), to: list) }
    entry.append(key: entry.add("list"), value, to: .attributes)
    let (map, nested) = entry.makeMap()
    entry.append(key: entry.add("b"), .null, to: map)
    entry.append(key: entry.add("a"), nested, to: .attributes)
    entry.append(key: entry.add("service.name"), entry.string("checkout"), to: .resource)
    return entry
  }

  static let seeds: [[UInt8]] = [
    "attributes.raw + '!' + upper(attributes.raw[1:])", "{(attributes.raw): split(attributes.raw, ' ')}",
    #"attributes.status == "500" and body matches "^ERROR""#, "attributes.a?.b ?? attributes['bytes'] > 0x10",
    "let x = split(body, ' ') | map(lower(#)); x[1:-1] == ['zürich'] ? {a: x, (x[0]): 1.5e3} : nil",
    "filter(attributes.list, {# > 1}) | sum() not in 1..4",
    "reduce(attributes.list, #acc + # * #index, 0) ** 2",
    "fromJSON(attributes.json).a[1].b + `raw` + 'e\\u00e4\\n'",
    "timestamp - date('2023-08-14') < duration('1h30m') // so",
    "toJSON({a: sort(keys(attributes)), b: string(attributes.list)})",
    "if 'status' in attributes { env('HOST') } else { -1 }",
    "replace(repeat('ab', 3), 'b', '') | trim('a') | len()",
    "1 < attributes.list[-1] <= 3 || !(severity >= 17)",
    "sortBy([{k: 2}, {k: 1}], .k, 'desc') | groupBy(string(.k))",
    "now().Format('2006-01-02') startsWith '2023'",
  ].map { Array($0.utf8) }
}
