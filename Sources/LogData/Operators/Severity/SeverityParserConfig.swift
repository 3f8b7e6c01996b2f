package import ConfigSchema

/// `severity_parser`: reads the severity of entries.
package struct SeverityParserConfig: OperatorSettings {
  package static let type = "severity_parser"
  package static let summary = "Reads the severity of an entry from one of its fields."
  package var severity = SeverityConfig()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [.group(\.severity), .group(\.common)]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(severity.makeReader()))
  }
}
