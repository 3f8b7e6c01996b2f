package import ConfigSchema

/// `remove`: takes a field out.
package struct RemoveConfig: OperatorSettings {
  package static let type = "remove"
  package static let summary = "Removes a field."
  package var field: RootableFieldPath?
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "field", \.field, "The field to remove; `attributes` or `resource` stands for all of them.",
      required: true),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(FieldRemover(field: field?.path ?? FieldPath(.attributes))))
  }
}

/// Removes a field.
struct FieldRemover: EntryReader {
  let field: FieldPath

  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard entry.remove(at: field) != nil else { throw LogOperatorError.missing(field) }
  }
}
