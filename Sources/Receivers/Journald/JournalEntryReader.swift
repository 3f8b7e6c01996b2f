internal import LogData
internal import WireFormat

/// Makes a log record of an entry of the journal, as `journalctl --output=json` shows it.
struct JournalEntryReader {
  let convertsMessageBytes: Bool
  let usesSemanticConventions: Bool
  private var parser = JSONParser()

  init(_ config: JournaldConfig) {
    convertsMessageBytes = config.convertMessageBytes
    usesSemanticConventions = config.convertToSemanticConventions
  }

  /// Fills in a record from a line.
  ///
  /// - Returns: the cursor of the entry.
  /// - Throws: what is wrong with the line.
  mutating func read(_ line: Span<UInt8>, into entry: inout LogEntry) throws(LogOperatorError) -> String {
    let text = entry.add(line)
    let value = try parser.parse(.string(text), of: &entry)
    guard let map = value.chain else { throw LogOperatorError("not a JSON object") }
    guard let cursor = entry.value(of: "__CURSOR".utf8.span, in: map), cursor.kind == .string else {
      throw LogOperatorError("the entry has no __CURSOR")
    }
    guard let time = entry.remove("__REALTIME_TIMESTAMP".utf8.span, from: map),
      let microseconds = number(time, entry), microseconds >= 0
    else { throw LogOperatorError("the entry has no __REALTIME_TIMESTAMP") }
    let (nanoseconds, overflow) = UInt64(microseconds).multipliedReportingOverflow(by: 1000)
    entry.timestamp = overflow ? 0 : nanoseconds
    let position = entry.string(of: cursor.range)
    if convertsMessageBytes { convertMessage(in: map, &entry) }
    if usesSemanticConventions { JournalFields.place(map, in: &entry) } else { entry.body = value }
    return position
  }

  private func number(_ value: LogValue, _ entry: borrowing LogEntry) -> Int64? {
    value.kind == .int ? value.int : Int64(entry.string(of: value.range))
  }

  /// A message that is a list of numbers becomes text.
  private func convertMessage(in map: LogChain, _ entry: inout LogEntry) {
    guard let message = entry.value(of: "MESSAGE".utf8.span, in: map), message.kind == .list,
      let list = message.chain
    else { return }
    var bytes: [UInt8] = []
    var isRight = true
    entry.forEach(in: list) { _, element in
      if element.kind == .int, let byte = UInt8(exactly: element.int) {
        bytes.append(byte)
      } else {
        isRight = false
      }
    }
    guard isRight else { return }
    entry.set(entry.add("MESSAGE"), to: entry.string(String(decoding: bytes, as: UTF8.self)), in: map)
  }
}

extension LogEntry {
  /// The text of a range.
  func string(of range: WireRange) -> String { String(decoding: arena[range.range], as: UTF8.self) }
}
