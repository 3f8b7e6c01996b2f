package import ConfigSchema

/// `time_parser`: reads the time of entries.
package struct TimeParserConfig: OperatorSettings {
  package static let type = "time_parser"
  package static let summary = "Reads the time of an entry from one of its fields."
  package var timestamp = TimestampConfig()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [.group(\.timestamp), .group(\.common)]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(timestamp.makeReader()))
  }
}
