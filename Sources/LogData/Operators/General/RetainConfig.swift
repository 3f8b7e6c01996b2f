package import ConfigSchema

/// `retain`: keeps some fields and removes the others.
package struct RetainConfig: OperatorSettings {
  package static let type = "retain"
  package static let summary =
    "Keeps the fields of a list and removes the others; body, attributes or resource without a field in the list stay as they are."
  package var retained: [FieldPath] = []
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("fields", \.retained, "The fields to keep.", check: .nonEmpty, required: true),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator { .plain(Retain(retained)) }
}

/// Keeps some fields of entries. Time, severity, trace context and scope stay: the Collector loses the last three.
private final class Retain: LogOperator {
  private let fields: [FieldPath]
  private let roots: Set<FieldPath.Root>
  /// What the entry has at each of the fields.
  private var values: [LogValue?]

  init(_ fields: [FieldPath]) {
    self.fields = fields
    roots = Set(fields.map(\.root))
    values = Array(repeating: nil, count: fields.count)
  }

  func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict {
    for index in fields.indices { values[index] = entry.value(at: fields[index]) }
    for root in roots { _ = entry.remove(at: FieldPath(root)) }
    for index in fields.indices {
      if let value = values[index] { try entry.set(value, at: fields[index]) }
    }
    return .pass
  }
}
