package import ConfigSchema

/// The block `scope_name` of parsers, and the keys of `scope_name_parser`: where the name of the scope stands.
package struct ScopeNameConfig: ConfigGroup {
  package var parseFrom: FieldPath?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "parse_from", \.parseFrom, "The field that holds the name of the logger or library.", required: true)
  ]

  /// The compiled form, of settings that were found right.
  package func makeReader() -> ScopeNameReader { ScopeNameReader(parseFrom ?? FieldPath(.body)) }
}

/// Takes the name of an entry's scope from one of its fields: the block `scope_name` of parsers.
package struct ScopeNameReader: Sendable {
  package let field: FieldPath

  package init(_ field: FieldPath) { self.field = field }

  /// Sets the name of the scope.
  ///
  /// - Throws: when the field is not there or not a string; the entry is left as it was.
  package func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { throw .missing(field) }
    guard value.isText else {
      throw LogOperatorError("\(field): the name of a scope must be a string, found \(value.kind.noun)")
    }
    entry.scopeName = entry.wellFormed(value.range)
  }
}
