package import ConfigSchema

/// `trace_parser`: reads the trace context of entries.
package struct TraceParserConfig: OperatorSettings {
  package static let type = "trace_parser"
  package static let summary = "Reads trace id, span id and trace flags of an entry from its fields."
  package var trace = TraceConfig()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [.group(\.trace), .group(\.common)]

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(EntryStep(trace.makeReader()))
  }
}
