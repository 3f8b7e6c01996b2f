package import ConfigSchema

/// `copy` : puts the value of a field into another one too.
package struct CopyConfig: OperatorSettings {
  package static let type = "copy"
  package static let summary = "Copies the value of a field to another."
  package var from: FieldPath?
  package var to: FieldPath?
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("from", \.from, "The field that is copied.", required: true),
    Field(
      "to", \.to, "The field that gets the value; a map is merged into one that is there.", required: true),
    .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(FieldCopier(from: from ?? FieldPath(.body), to: to ?? FieldPath(.body))))
  }
}

/// Copies a field.
struct FieldCopier: EntryReader {
  let from: FieldPath
  let to: FieldPath

  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: from) else { throw LogOperatorError.missing(from) }
    let copy = entry.duplicate(value)
    try entry.set(copy, at: to)
  }
}
