package import ConfigSchema

/// `add`: puts a value into a field.
package struct AddConfig: OperatorSettings {
  package static let type = "add"
  package static let summary = "Puts a value, written out or computed, into a field."
  package var field: FieldPath?
  package var value: ValueOrExpression?
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("field", \.field, "The field that gets the value.", required: true),
    Field(
      "value", \.value,
      "A value of any type, or an expression that is computed for each entry: `EXPR(body.a + body.b)`. A map is merged into one that is there.",
      required: true),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(
      EntryStep(
        FieldAdder(
          field: field ?? FieldPath(.body), value: value ?? .constant(.null),
          environment: context.environment)))
  }
}

/// Puts a value into a field.
struct FieldAdder: EntryReader {
  let field: FieldPath
  let value: ValueOrExpression
  let environment: ExpressionEnvironment

  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    // What an expression gives may be a part of the entry.
    let value = entry.duplicate(try value.value(for: &entry, environment))
    try entry.set(value, at: field)
  }
}
