@_spi(Inside) internal import TelemetryData
internal import WireFormat

/// Parses text as a JSON array: the core of `json_array_parser`.
///
/// With a header it becomes a map, or else a list. Objects and lists within it stay JSON text, as in the Collector.
package struct JSONArrayParser: LogValueParser {
  /// Nil for a list.
  private let names: KeyBlock?

  /// - Parameter header: the names of the elements.
  package init(header: [String]? = nil) { names = header.map { KeyBlock($0) } }

  package func parse(_ value: LogValue, of entry: inout LogEntry) throws(LogOperatorError) -> LogValue {
    let text = try value.textRange()
    let list: LogChain
    let result: LogValue
    do throws(JSONFault) {
      var reader = JSONEntryReader(text, keepsIntegers: true)
      (list, result) = try reader.readArray(into: &entry)
    } catch {
      throw LogOperatorError(error, as: "array", in: entry.text(text), from: text.lowerBound)
    }
    guard let names else { return result }
    let count = entry.count(of: list)
    if count != names.count {
      throw LogOperatorError("wrong number of fields: expected \(names.count), found \(count)")
    }
    let start = names.add(to: &entry)
    var position = entry.chains[list.position].first
    for number in 0..<count {
      entry.slots[Int(position)].key = names.key(number, from: start)
      position = entry.slots[Int(position)].next
    }
    entry.removeDuplicates(of: list)
    return LogValue(.map, bits: UInt64(list.position))
  }
}

extension JSONEntryReader {
  /// Reads the text, which must hold one array and nothing else; what is nested in it stays text.
  fileprivate mutating func readArray(
    into entry: inout LogEntry
  ) throws(JSONFault) -> (chain: LogChain, value: LogValue) {
    let list = entry.makeList()
    var goesOn = try openArray(entry)
    while goesOn {
      let nested = try skipNested(entry)
      let value: LogValue
      if let nested {
        value = .string(entry.wellFormed(nested))
      } else {
        value = try readValue(into: &entry, depth: 1)
      }
      entry.append(value, to: list.chain)
      goesOn = try separateElements(entry)
    }
    try finish(entry)
    return list
  }
}
