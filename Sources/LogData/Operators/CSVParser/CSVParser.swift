internal import WireFormat

/// Parses text as one row of comma-separated values: the core of `csv_parser`.
///
/// Rows are read as RFC 4180 and Go's `encoding/csv` have it: quotes only around whole fields, doubled within them; carriage
/// returns before newlines go, and so do blank lines. A text of several lines is one row all the same: what a line begins
/// with continues the last field of the line before.
package struct CSVParser: LogValueParser {
  package enum Quotes: Sendable {
    /// RFC 4180.
    case strict
    /// Quotes may also stand within fields (`lazy_quotes`).
    case lazy
    /// Quotes are characters like others (`ignore_quotes`).
    case ignored
  }

  package enum Header: Sendable {
    /// The same names for all rows.
    case names([String])
    /// The names are in an attribute, between delimiters.
    case attribute(String, delimiter: String)
  }

  private let delimiter: [UInt8]
  private let quotes: Quotes
  /// Where names come from when they differ from row to row.
  private let attribute: String?
  private let headerDelimiter: [UInt8]
  private let names: KeyBlock
  /// The fields of the row at hand; here to keep the memory.
  private var fields: [WireRange] = []

  package init(header: Header, delimiter: String = ",", quotes: Quotes = .strict) {
    self.delimiter = Array(delimiter.utf8)
    self.quotes = quotes
    switch header {
    case .names(let list):
      attribute = nil
      headerDelimiter = []
      names = KeyBlock(list)
    case .attribute(let name, let delimiter):
      attribute = name
      headerDelimiter = Array(delimiter.utf8)
      names = KeyBlock([])
    }
  }

  package mutating func parse(
    _ value: LogValue, of entry: inout LogEntry
  ) throws(LogOperatorError) -> LogValue {
    let text = try entry.wellFormedText(of: value)
    fields.removeAll(keepingCapacity: true)
    if quotes == .ignored {
      split(text, by: delimiter, of: entry)
    } else {
      var reader = CSVRowReader(text, delimiter: delimiter, isLazy: quotes == .lazy)
      try reader.read(of: &entry, into: &fields)
    }
    let (map, result) = entry.makeMap()
    if let attribute { return try name(from: attribute, map, result, of: &entry) }
    if fields.count != names.count { throw wrongCount(expected: names.count, found: fields.count) }
    let start = names.add(to: &entry)
    for number in 0..<names.count {
      let key = names.key(number, from: start)
      let field = LogValue.string(fields[number])
      if names.hasDuplicates {
        entry.set(key, to: field, in: map)
      } else {
        entry.append(key: key, field, to: map)
      }
    }
    return result
  }

  /// Takes the names from an attribute of the entry.
  private mutating func name(
    from attribute: String, _ map: LogChain, _ result: LogValue, of entry: inout LogEntry
  ) throws(LogOperatorError) -> LogValue {
    guard let header = entry.value(of: attribute.utf8.span, in: .attributes) else {
      throw LogOperatorError("there is no attribute \"\(attribute)\" with the names of the fields")
    }
    guard header.isText else {
      throw LogOperatorError(
        "the attribute \"\(attribute)\" with the names of the fields is \(header.kind.noun), not a string")
    }
    let count = fields.count
    split(entry.wellFormed(header.range), by: headerDelimiter, of: entry)
    if fields.count - count != count { throw wrongCount(expected: fields.count - count, found: count) }
    for index in 0..<count {
      entry.append(key: fields[count + index], .string(fields[index]), to: map)
    }
    entry.removeDuplicates(of: map)
    return result
  }

  private mutating func split(_ text: WireRange, by delimiter: [UInt8], of entry: borrowing LogEntry) {
    var start = text.lowerBound
    while true {
      let place = entry.firstPlace(of: delimiter, from: start, to: text.upperBound)
      fields.append(WireRange(start, place < 0 ? text.upperBound : place))
      if place < 0 { return }
      start = place + delimiter.count
    }
  }

  private func wrongCount(expected: Int, found: Int) -> LogOperatorError {
    LogOperatorError("wrong number of fields: expected \(expected), found \(found)")
  }
}
