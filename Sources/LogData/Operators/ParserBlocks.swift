package import ConfigSchema

/// The blocks that every parser accepts, for what it found: `body`, `timestamp`, `severity`, `trace`, `scope_name`.
///
/// Parsers inline it with `.group(\.blocks)`.
package struct ParserBlocks: ConfigGroup {
  package var body: FieldPath?
  package var timestamp: TimestampConfig?
  package var severity: SeverityConfig?
  package var trace: TraceConfig?
  package var scopeName: ScopeNameConfig?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "body", \.body, "A field that becomes the body after parsing; nothing happens when it is not there."),
    Field("timestamp", \.timestamp, "Reads the time of the entry after parsing."),
    Field("severity", \.severity, "Reads the severity of the entry after parsing."),
    Field("trace", \.trace, "Reads trace id, span id and trace flags after parsing."),
    Field("scope_name", \.scopeName, "Reads the name of the scope after parsing."),
  ]

  /// The steps that follow a parser, in their order; each is taken even when the one before it fails.
  package func makeOperators() -> [any LogOperator] {
    var steps: [any LogOperator] = []
    if let body { steps.append(EntryStep(BodyReader(field: body))) }
    if let timestamp { steps.append(EntryStep(timestamp.makeReader())) }
    if let severity { steps.append(EntryStep(severity.makeReader())) }
    if let trace { steps.append(EntryStep(trace.makeReader())) }
    if let scopeName { steps.append(EntryStep(scopeName.makeReader())) }
    return steps
  }
}

/// Sets one field of entries from their contents.
package protocol EntryReader: Sendable {
  func apply(_ entry: inout LogEntry) throws(LogOperatorError)
}

extension TimestampReader: EntryReader {}
extension SeverityReader: EntryReader {}
extension TraceReader: EntryReader {}
extension ScopeNameReader: EntryReader {}

/// An ``EntryReader`` as an operator.
package final class EntryStep<Reader: EntryReader>: LogOperator {
  private let reader: Reader

  package init(_ reader: Reader) { self.reader = reader }

  package func process(_ entry: inout LogEntry) throws(LogOperatorError) -> LogVerdict {
    try reader.apply(&entry)
    return .pass
  }
}

/// Makes a field the body.
struct BodyReader: EntryReader {
  let field: FieldPath

  /// Does nothing when the field is not there.
  func apply(_ entry: inout LogEntry) {
    if let value = entry.value(at: field) { entry.body = entry.duplicate(value) }
  }
}
