package import ConfigSchema

/// `move`: moves or renames a field.
package struct MoveConfig: OperatorSettings {
  package static let type = "move"
  package static let summary = "Moves the value of a field to another, or renames it."
  package var from: FieldPath?
  package var to: FieldPath?
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("from", \.from, "The field that is moved.", required: true),
    Field(
      "to", \.to, "The field that gets the value; a map is merged into one that is there.", required: true),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(FieldMover(from: from ?? FieldPath(.body), to: to ?? FieldPath(.body))))
  }
}

/// Moves a field.
struct FieldMover: EntryReader {
  let from: FieldPath
  let to: FieldPath

  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.remove(at: from) else { throw LogOperatorError.missing(from) }
    try entry.set(value, at: to)
  }
}
