import Testing
import WireFormat

@testable import LogData

/// An expression and what it gives, written as an expression too or shown as ``shown(_:of:)`` does.
struct ExpressionCase: CustomTestStringConvertible, Sendable {
  let text: String
  let result: String

  init(_ text: String, _ result: String) {
    self.text = text
    self.result = result
  }

  var testDescription: String { text }
}

enum ExpressionTable {
  static let environment = ExpressionEnvironment(
    variables: ["STACK": "blue", "EMPTY": ""], now: { 1_700_000_000_123_456_789 })

  /// An entry with something of everything.
  static func entry() throws -> LogEntry {
    var entry = LogEntry()
    entry.body = entry.string("ERROR: disk /dev/sda1 is full (98%)")
    entry.timestamp = 1_692_000_000_500_000_000
    entry.severityNumber = 17
    entry.severityText = entry.add("ERROR")
    let strings = [
      "status": "500", "method": "GET", "path": "/api/v1/users", "empty": "", "spaces": "  a b  ",
      "unicode": "Zürich ß",
      "csv": "apple,orange,grape", "number": "42", "base64": "SGVsbG8gV29ybGQ=",
    ]
    for (key, value) in strings.sorted(by: { $0.key < $1.key }) {
      try entry.set(entry.string(value), at: FieldPath(.attributes, [key]))
    }
    try entry.set(entry.string("a.b"), at: FieldPath(.attributes, ["http.method"]))
    try entry.set(.int(1234), at: FieldPath(.attributes, ["bytes"]))
    try entry.set(.double(0.25), at: FieldPath(.attributes, ["seconds"]))
    try entry.set(.bool(true), at: FieldPath(.attributes, ["flag"]))
    try entry.set(.null, at: FieldPath(.attributes, ["nothing"]))
    try entry.set(entry.string("inner"), at: FieldPath(.attributes, ["nested", "a", "b"]))
    let (list, value) = entry.makeList()
    for number in [3, 1, 4, 1, 5] { entry.append(.int(Int64(number)), to: list) }
    try entry.set(value, at: FieldPath(.attributes, ["list"]))
    let (users, userList) = entry.makeList()
    for (name, age) in [("John", 30), ("Jane", 25), ("Bob", 41)] {
      let (map, value) = entry.makeMap()
      entry.append(key: entry.add("name"), entry.string(name), to: map)
      entry.append(key: entry.add("age"), .int(Int64(age)), to: map)
      entry.append(value, to: users)
    }
    try entry.set(userList, at: FieldPath(.attributes, ["users"]))
    try entry.set(.bytes(entry.add("\u{1}raw")), at: FieldPath(.attributes, ["raw"]))
    try entry.set(entry.string("checkout"), at: FieldPath(.resource, ["service.name"]))
    return entry
  }

  /// What an expression gives for the entry; an error as `error: …`.
  static func result(_ text: String) throws -> String {
    let expression: Expression
    do { expression = try Expression(text) } catch {
      return "at \(error.offset)+\(error.length): \(error.reason)"
    }
    var entry = try entry()
    do {
      let value = try expression.evaluate(&entry, environment)
      return shown(value, of: entry)
    } catch {
      return "error: \(error.description)"
    }
  }

  /// A value with its types to be seen: `"text"`, `1`, `1.0`, `[1, 2]`, `{a: 1}`, `bytes(…)`.
  static func shown(_ value: LogValue, of entry: LogEntry) -> String {
    func text(_ range: WireRange) -> String { String(decoding: entry.arena[range.range], as: UTF8.self) }
    switch value.kind {
    case .null: return "nil"
    case .bool: return "\(value.bool)"
    case .int: return "\(value.int)"
    case .double: return "\(value.double)"
    case .string: return "\"\(text(value.range))\""
    case .bytes: return "bytes(\(text(value.range)))"
    case .list, .map:
      var parts: [String] = []
      if let chain = value.chain {
        entry.forEach(in: chain) { key, element in
          let prefix = value.kind == .map ? "\(text(key)): " : ""
          parts.append(prefix + shown(element, of: entry))
        }
      }
      let joined = parts.joined(separator: ", ")
      return value.kind == .map ? "{\(joined)}" : "[\(joined)]"
    }
  }
}
