internal import NativeCodecs

extension LineFramer {
  /// The next record of those that a pattern begins or ends.
  mutating func nextMatched(in buffer: Span<UInt8>, at cursor: inout Int, _ input: Input) -> FramedLine? {
    let width = framing.units.width
    while true {
      let rest = buffer.count - cursor
      let window = min(rest - rest % width, framing.longestRest)
      let isFull = window == framing.longestRest
      let bytes = buffer.extracting(cursor..<(cursor + window))
      let (record, lead) = framing.record(in: bytes, isFinal: isFull || input != .flowing)
      if isSkipping {
        guard skip(record, isFull: isFull, rest: rest, at: &cursor, input) else { return nil }
        continue
      }
      if let record {
        if record.end > framing.limit { return cut(in: buffer, at: &cursor, lead: record.text.lowerBound) }
        let text = (cursor + record.text.lowerBound)..<(cursor + record.text.upperBound)
        return take(in: buffer, at: &cursor, text: text, end: cursor + record.end)
      }
      if isFull { return cut(in: buffer, at: &cursor, lead: lead) }
      return takeRest(in: buffer, at: &cursor, whole: window, lead: lead, input)
    }
  }

  /// Passes over the rest of a truncated record.
  ///
  /// - Returns: whether to look again.
  private mutating func skip(
    _ record: MatchedRecord?, isFull: Bool, rest: Int, at cursor: inout Int, _ input: Input
  ) -> Bool {
    if let record {
      pass(record.end, at: &cursor)
      isSkipping = false
    } else if isFull {
      pass(framing.limit, at: &cursor)
    } else {
      if input == .ended { pass(rest, at: &cursor) }
      return false
    }
    return true
  }
}

extension LineFraming {
  /// The record at the start of bytes in the stream's encoding, and how much of an incomplete one is not its text.
  func record(in bytes: Span<UInt8>, isFinal: Bool) -> (record: MatchedRecord?, lead: Int) {
    guard let decoders else { return boundary.record(in: bytes, isFinal: isFinal) }
    return decoders.withDecoder { decoder in
      // Converting all of a large buffer for each of its records would be work without end.
      var size = min(bytes.count, 4096)
      while true {
        let part = bytes.extracting(0..<size)
        let isWhole = size == bytes.count
        var text: [UInt8] = []
        decoder.append(part, to: &text)
        let (record, lead) = boundary.record(in: text.span, isFinal: isWhole && isFinal)
        if record == nil, !isWhole {
          size = min(bytes.count, 4 * size)
          continue
        }
        guard let record else { return (nil, decoder.length(of: part, convertedTo: lead)) }
        let start = decoder.length(of: part, convertedTo: record.text.lowerBound)
        let textEnd = decoder.length(of: part, convertedTo: record.text.upperBound)
        let end = decoder.length(of: part, convertedTo: record.end)
        return (MatchedRecord(text: start..<max(start, textEnd), end: max(1, end)), start)
      }
    }
  }
}
