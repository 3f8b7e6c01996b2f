internal import WireFormat

/// Reads the severity of an entry from one of its fields: the block `severity` of parsers.
package struct SeverityReader: Sendable {
  package let field: FieldPath
  private let table: SeverityTable
  private let overwritesText: Bool

  init(_ field: FieldPath, _ table: SeverityTable, overwritesText: Bool) {
    self.field = field
    self.table = table
    self.overwritesText = overwritesText
  }

  /// Sets the number and the text of the severity.
  ///
  /// What stands for no severity gets the number 0, and is the text all the same.
  ///
  /// - Throws: when the field is not there, or is neither a text nor a whole number; the entry is left as it was.
  package func apply(_ entry: inout LogEntry) throws(LogOperatorError) {
    guard let value = entry.value(at: field) else { throw .missing(field) }
    let text: WireRange
    switch value.kind {
    case .string, .bytes: text = entry.wellFormed(value.range)
    case .int: text = entry.add(String(value.int))
    case .double:
      guard let whole = Int64(exactly: value.double) else {
        throw LogOperatorError("\(field): a severity must be a whole number")
      }
      text = entry.add(String(whole))
    default: throw LogOperatorError("\(field): a severity cannot be read from \(value.kind.noun)")
    }
    let severity = table.severity(of: entry.text(text)) ?? 0
    entry.severityNumber = severity
    entry.severityText = overwritesText && severity != 0 ? entry.add(Severity.names[Int(severity)]) : text
  }
}
