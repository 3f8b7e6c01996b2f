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
  /// Whether operators can read it as text: bytes are text with something in it that is no UTF-8 (`utf-8-raw`).
  var isText: Bool { kind == .string || kind == .bytes }

  /// Where the text of a value to be parsed stands, which need not be well-formed.
  func textRange() throws(LogOperatorError) -> WireRange {
    if isText { return range }
    throw LogOperatorError("expected a string, found \(kind.noun)")
  }
}

extension LogEntry {
  /// Where the text of a value to be parsed stands, with malformed UTF-8 in it replaced: so are the texts cut from it.
  mutating func wellFormedText(of value: LogValue) throws(LogOperatorError) -> WireRange {
    wellFormed(try value.textRange())
  }

  /// Text in the arena as a value: a string, or bytes when some of it is no UTF-8.
  func textValue(_ range: WireRange) -> LogValue {
    let wrong = UTF8Check.firstInvalid(in: arena.span, from: range.lowerBound, to: range.upperBound)
    return wrong < 0 ? .string(range) : .bytes(range)
  }
}
