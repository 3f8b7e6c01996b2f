package import ConfigSchema
internal import WireFormat

/// `unquote`: takes the quotes off a text.
package struct UnquoteConfig: OperatorSettings {
  package static let type = "unquote"
  package static let summary =
    "Takes the quotes off a text that is quoted as Go writes it: with double quotes, back quotes, or one character in single quotes."
  package var field: FieldPath?
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("field", \.field, "The field, which must be a string.", required: true), .group(\.common),
  ]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(Unquoter(field: field ?? FieldPath(.body))))
  }
}

/// Takes the quotes off a text, as Go's `strconv.Unquote`.
struct Unquoter: EntryReader {
  let field: FieldPath

  /// Does nothing when the field is not there.
  func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { return }
    guard value.isText else {
      throw LogOperatorError("\(field) is \(value.kind.noun), which cannot be unquoted")
    }
    let range = value.range
    guard let text = GoQuotation.content(of: entry.text(range)) else {
      throw LogOperatorError("\(field) is not quoted as Go quotes strings")
    }
    let start = entry.arena.count
    _ = entry.add(text.span)
    try entry.set(.string(entry.repairUTF8(from: start)), at: field)
  }
}
