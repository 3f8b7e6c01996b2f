package import NativeCodecs
internal import WireFormat

/// Parses text with a regular expression whose named groups become fields: the core of `regex_parser`.
package struct RegexParser: LogValueParser {
  private let pattern: CapturePattern
  /// The groups that have a name, and where it stands in ``names``.
  private let fields: [(group: Int, key: Range<Int>)]
  /// All names in one piece.
  private let names: [UInt8]
  /// Here to keep the memory.
  private var match = PatternMatch()

  package init(_ pattern: Pattern) {
    self.pattern = CapturePattern(pattern)
    var names: [UInt8] = []
    fields = pattern.groupNames.enumerated().filter { !$0.element.isEmpty }.map { group, name in
      let start = names.count
      names += Array(name.utf8)
      return (group, start..<names.count)
    }
    self.names = names
  }

  /// A group that took no part in the match gives an empty text.
  package mutating func parse(_ value: LogValue, of entry: inout LogEntry) throws(LogOperatorError)
    -> LogValue
  {
    let text = try entry.wellFormedText(of: value)
    guard pattern.find(in: entry.text(text), into: &match) else {
      throw LogOperatorError("the regular expression does not match")
    }
    let (map, found) = entry.makeMap()
    let base = entry.add(names.span).lowerBound
    for (group, key) in fields {
      let place = match[group] ?? 0..<0
      entry.append(
        key: WireRange(base + key.lowerBound, base + key.upperBound),
        .string(WireRange(text.lowerBound + place.lowerBound, text.lowerBound + place.upperBound)), to: map)
    }
    return found
  }
}
