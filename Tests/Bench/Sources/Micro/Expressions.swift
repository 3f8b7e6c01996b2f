@testable import LogData

/// Conditions of log operators; items are evaluations, on an access line with ten attributes.
extension Operation {
  static func expressions() throws -> [Operation] {
    let conditions: [(name: String, text: String, goal: Double?)] = [
      ("attributes.status == \"500\"", "attributes.status == \"500\"", 50),
      ("body matches \"^ERROR\"", "body matches \"^ERROR\"", 50),
      ("body contains \"Chrome\"", "body contains 'Chrome'", 50),
      (
        "status in [\"500\", \"503\"] and …",
        "attributes.status in ['500', '503'] and attributes.method == 'GET'", 100
      ),
      ("attributes.bytes > 1000", "attributes.bytes > 1000", 50),
      ("attributes.missing?.name ?? \"\" == …", "(attributes.missing?.name ?? '') == 'x'", 100),
      ("body matches a regular expression", "body matches 'orders/[0-9]+ HTTP'", nil),
      ("lower(attributes.method) == \"get\"", "lower(attributes.method) == 'get'", nil),
      ("any(list, # > 3)", "any(attributes.list, # > 3)", nil),
    ]
    let environment = ExpressionEnvironment(now: { 0 })
    return try conditions.map { name, text, goal in
      let expression = try Expression(text)
      let box = try ExpressionBox()
      return Operation("expression: \(name)".replacing("\"", with: "'"), items: 1000, goal: goal, bytes: nil)
      {
        var count = 0
        for _ in 0..<1000 where try expression.isTrue(&box.entry, environment) { count += 1 }
        return count
      }
    }
  }

  private final class ExpressionBox {
    var entry = LogEntry()

    init() throws {
      let line = accessLines()[0]
      entry.body = .string(entry.add(line.span))
      for (key, value) in [
        ("client", "10.1.0.0"), ("user", "-"), ("method", "GET"), ("path", "/api/v1/orders/0"),
      ] {
        try entry.set(entry.string(value), at: FieldPath(.attributes, [key]))
      }
      try entry.set(entry.string("200"), at: FieldPath(.attributes, ["status"]))
      try entry.set(.int(1234), at: FieldPath(.attributes, ["bytes"]))
      for (key, value) in [("referrer", "-"), ("agent", "Mozilla/5.0"), ("host", "web-1")] {
        try entry.set(entry.string(value), at: FieldPath(.attributes, [key]))
      }
      let (list, value) = entry.makeList()
      for number in 0..<5 { entry.append(.int(Int64(number)), to: list) }
      try entry.set(value, at: FieldPath(.attributes, ["list"]))
    }
  }
}
