internal import TimeFormats
internal import WireFormat

/// One line of a container's log, taken apart; texts are ranges of the entry's arena.
struct ContainerLine {
  /// Nanoseconds since the Unix epoch.
  var time: UInt64
  /// `stdout` or `stderr`.
  var stream: WireRange
  /// What CRI says about the line, such as `F`; empty in docker's lines.
  var tag = WireRange(start: 0, end: 0)
  /// What the container wrote, without its newline.
  var log: WireRange
  /// Whether the runtime cut the line here, and the rest follows.
  var isPartial: Bool
  /// All that stands in the line, under the names that blocks may read it by.
  var fields: LogChain

  /// Docker cuts lines into pieces of so many bytes.
  static let dockerPiece = 16_384

  /// Reads a line of docker: JSON with `log`, `stream` and `time`, and perhaps `attrs`.
  static func docker(_ text: WireRange, of entry: inout LogEntry) throws(LogOperatorError) -> ContainerLine {
    let found = try JSONParser().parse(.string(text), of: &entry)
    guard let fields = found.chain else { throw LogOperatorError("expected an object") }
    let time = try string("time", in: fields, of: entry)
    let stream = try string("stream", in: fields, of: entry)
    var log = try string("log", in: fields, of: entry)
    let isWhole = !log.isEmpty && entry.arena[log.upperBound - 1] == 0x0A
    let isPartial = !isWhole && log.count >= dockerPiece
    if isWhole { log = WireRange(log.lowerBound, log.upperBound - 1) }
    return ContainerLine(
      time: try nanoseconds(time, of: entry), stream: stream, log: log, isPartial: isPartial,
      fields: fields)
  }

  private static func string(
    _ key: String, in fields: LogChain, of entry: borrowing LogEntry
  ) throws(LogOperatorError) -> WireRange {
    guard let value = entry.value(of: key.utf8.span, in: fields) else {
      throw LogOperatorError("not a line of docker: there is no \"\(key)\"")
    }
    if value.kind != .string {
      throw LogOperatorError("not a line of docker: \"\(key)\" is \(value.kind.noun)")
    }
    return value.range
  }

  /// Reads a line as CRI has it: time, stream, tags, and the rest, with one space between each.
  ///
  /// - Parameter withFields: whether ``fields`` are filled.
  static func cri(
    _ text: WireRange, of entry: inout LogEntry, withFields: Bool
  ) throws(LogOperatorError) -> ContainerLine {
    let (start, end) = (text.lowerBound, text.upperBound)
    let timeEnd = endOfWord(from: start, to: end, entry)
    let streamStart = min(timeEnd + 1, end)
    let streamEnd = endOfWord(from: streamStart, to: end, entry)
    let stream = WireRange(streamStart, streamEnd)
    if !isStream(stream, entry) {
      throw LogOperatorError(
        "not a line of a container runtime: expected stdout or stderr behind a time, at byte \(streamStart - start)"
      )
    }
    let tagStart = min(streamEnd + 1, end)
    let tagEnd = endOfWord(from: tagStart, to: end, entry)
    let tag = WireRange(tagStart, tagEnd)
    if streamEnd == end {
      throw LogOperatorError("not a line of a container runtime: expected a tag at byte \(end - start)")
    }
    let time = WireRange(start, timeEnd)
    let log = WireRange(min(tagEnd + 1, end), end)
    // Of several tags with colons between them the first says whether the line goes on.
    let isPartial =
      !tag.isEmpty && entry.arena[tagStart] == 0x50
      && (tag.count == 1 || entry.arena[tagStart + 1] == 0x3A)
    let nanoseconds = try nanoseconds(time, of: entry)
    let fields = entry.makeMap().chain
    if withFields {
      for (name, range) in [("time", time), ("stream", stream), ("logtag", tag), ("log", log)] {
        entry.append(key: entry.add(name), .string(range), to: fields)
      }
    }
    return ContainerLine(
      time: nanoseconds, stream: stream, tag: tag, log: log, isPartial: isPartial, fields: fields)
  }

  private static func endOfWord(from start: Int, to end: Int, _ entry: borrowing LogEntry) -> Int {
    var place = start
    while place < end, entry.arena[place] != 0x20 { place &+= 1 }
    return place
  }

  private static func isStream(_ range: WireRange, _ entry: borrowing LogEntry) -> Bool {
    let text = entry.text(range)
    return text.hasSameBytes(as: Self.standardOutput.span) || text.hasSameBytes(as: Self.standardError.span)
  }

  private static let standardOutput = Array("stdout".utf8)
  private static let standardError = Array("stderr".utf8)

  private static func nanoseconds(
    _ range: WireRange, of entry: borrowing LogEntry
  ) throws(LogOperatorError) -> UInt64 {
    do throws(TimeTextError) {
      let time = try RFC3339.nanoseconds(entry.text(range))
      return time < 0 ? 0 : UInt64(time)
    } catch {
      throw LogOperatorError("the time is not one of RFC 3339: \(error)")
    }
  }
}
