internal import WireFormat

/// What a parsing operator does to the value it finds at `parse_from`.
package protocol LogValueParser {
  /// Reads a value of an entry.
  ///
  /// - Returns: a map or a list that is not part of the entry yet; texts in it are ranges of the arena.
  /// - Throws: what is wrong with the value, with the byte in it where something else was expected. What has been added
  ///   to the entry by then need not be taken back: the caller does.
  mutating func parse(_ value: LogValue, of entry: inout LogEntry) throws(LogOperatorError) -> LogValue
}

extension LogValue {
  /// Where the text of a value to be parsed stands; bytes will do where the Collector takes them.
  func textRange(orBytes: Bool = false) throws(LogOperatorError) -> WireRange {
    if kind == .string || (orBytes && kind == .bytes) { return range }
    throw LogOperatorError("expected a string, found \(kind.noun)")
  }
}

extension LogEntry {
  /// Where the text of a value to be parsed stands, with malformed UTF-8 in it replaced: so are the texts cut from it.
  mutating func wellFormedText(
    of value: LogValue, orBytes: Bool = false
  ) throws(LogOperatorError) -> WireRange {
    wellFormed(try value.textRange(orBytes: orBytes))
  }
}
