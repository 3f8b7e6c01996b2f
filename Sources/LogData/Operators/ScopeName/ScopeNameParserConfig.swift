package import ConfigSchema

/// `scope_name_parser`: takes the name of the scope from entries.
package struct ScopeNameParserConfig: OperatorSettings {
  package static let type = "scope_name_parser"
  package static let summary = "Takes the name of the scope from a field of the entry."
  package var scopeName = ScopeNameConfig()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [.group(\.scopeName), .group(\.common)]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(scopeName.makeReader()))
  }
}
