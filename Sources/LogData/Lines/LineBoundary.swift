/// Where one record of a stream ends and the next begins.
package enum LineBoundary: Sendable {
  /// At every line feed.
  case lineFeed
  /// Before every match of a pattern, which the record begins with; `omits` leaves the match out of its text.
  case start(BoundaryPattern, omits: Bool)
  /// Behind every match of a pattern, which the record ends with; `omits` leaves the match out of its text.
  case end(BoundaryPattern, omits: Bool)
}

/// A record that a pattern has found at the start of a text.
struct MatchedRecord {
  /// Its text, in bytes from the start.
  let text: Range<Int>
  /// The first byte behind it.
  let end: Int
}

extension LineBoundary {
  /// The record at the start of a text of UTF-8, and how much of an incomplete one would not belong to its text.
  ///
  /// Follows the Collector's `split` package: text before the first start is a record; a start directly behind another
  /// is none; a pattern that matches nothing at all at the start of a record does not end it.
  ///
  /// - Parameter isFinal: whether a match counts although its line goes on beyond the text; otherwise more bytes could
  ///   still make it another.
  func record(in text: Span<UInt8>, isFinal: Bool) -> (record: MatchedRecord?, lead: Int) {
    switch self {
    case .lineFeed: (nil, 0)
    case .start(let pattern, let omits): Self.record(startingWith: pattern, omits, in: text, isFinal)
    case .end(let pattern, let omits): (Self.record(endingWith: pattern, omits, in: text, isFinal), 0)
    }
  }

  private static func record(
    startingWith pattern: BoundaryPattern, _ omits: Bool, in text: Span<UInt8>, _ isFinal: Bool
  ) -> (record: MatchedRecord?, lead: Int) {
    guard let first = pattern.firstMatch(in: text), isFinal || isSettled(first, in: text) else {
      return (nil, 0)
    }
    if first.lowerBound > 0 {
      return (MatchedRecord(text: 0..<first.lowerBound, end: first.lowerBound), 0)
    }
    let lead = omits ? first.upperBound : 0
    var last = first
    while let next = match(of: pattern, behind: last, in: text) {
      if next.lowerBound > first.upperBound {
        guard isFinal || isSettled(next, in: text) else { break }
        return (MatchedRecord(text: lead..<next.lowerBound, end: next.lowerBound), lead)
      }
      last = next
    }
    return (nil, lead)
  }

  private static func record(
    endingWith pattern: BoundaryPattern, _ omits: Bool, in text: Span<UInt8>, _ isFinal: Bool
  ) -> MatchedRecord? {
    var found = pattern.firstMatch(in: text)
    while let match = found, match.upperBound == 0 {
      found = self.match(of: pattern, behind: match, in: text)
    }
    guard let match = found, isFinal || isSettled(match, in: text) else { return nil }
    return MatchedRecord(text: 0..<(omits ? match.lowerBound : match.upperBound), end: match.upperBound)
  }

  /// The match that follows another, as Go's `FindAllIndex` goes on: an empty one is none directly behind another.
  private static func match(of pattern: BoundaryPattern, behind last: Range<Int>, in text: Span<UInt8>)
    -> Range<Int>?
  {
    var position = last.isEmpty ? characterBehind(last.upperBound, in: text) : last.upperBound
    while position <= text.count, let next = pattern.firstMatch(in: text, from: position) {
      if !next.isEmpty || next.lowerBound > last.upperBound { return next }
      position = characterBehind(position, in: text)
    }
    return nil
  }

  private static func characterBehind(_ position: Int, in text: Span<UInt8>) -> Int {
    var next = position + 1
    while next < text.count, next < position + 4, text[next] & 0xC0 == 0x80 { next += 1 }
    return next
  }

  /// Whether the line that a match ends in is complete, so that more bytes do not change it.
  private static func isSettled(_ match: Range<Int>, in text: Span<UInt8>) -> Bool {
    text.firstOffset(of: 0x0A, from: match.upperBound, to: text.count) != nil
  }
}
