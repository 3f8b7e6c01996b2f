@_spi(Inside) internal import TelemetryData
internal import WireFormat

extension ExpressionProgram {
  /// The value of a JSON text, in the entry.
  func parsedJSON(
    _ value: ExpressionValue, _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    guard value.kind == .string else { throw wrong(.fromJSON, value, node) }
    var range = value.range
    if value.extra == ExpressionValue.Home.program {
      range = entry.add(constants.span.extracting(range.range))
    }
    // An element takes two bytes of text at least, and a slot here.
    try frame.take(memory: 4 * range.count)
    try frame.take(work: 4 * range.count)
    var reader = JSONEntryReader(range, keepsIntegers: true)
    while reader.position < reader.end,
      [0x20, 0x09, 0x0A, 0x0D].contains(entry.text(range)[reader.position - range.lowerBound])
    {
      reader.position += 1
    }
    do throws(JSONFault) {
      let read = try reader.readValue(into: &entry, depth: 0)
      try reader.finish(entry)
      return ExpressionValue(read)
    } catch {
      let reason = LogOperatorError(error, as: "text", in: entry.text(range), from: range.lowerBound)
      throw fault(reason.description, node)
    }
  }
}
