package import WireFormat

extension LogEntry {
  /// Makes the text from a place to the end of the arena well-formed: each malformed sequence becomes U+FFFD.
  ///
  /// - Returns: where the text stands.
  package mutating func repairUTF8(from start: Int) -> WireRange {
    let end = arena.count
    if UTF8Check.firstInvalid(in: arena.span, from: start, to: end) >= 0 {
      // `String` replaces as the Unicode standard recommends (maximal subparts), which is what Go and Python do.
      let repaired = String(decoding: arena[start..<end], as: UTF8.self)
      arena.removeLast(end - start)
      arena.append(contentsOf: repaired.utf8)
    }
    return WireRange(start, arena.count)
  }

  /// The range itself when it is well-formed, or else a repaired copy of it.
  package mutating func wellFormed(_ range: WireRange) -> WireRange {
    if UTF8Check.firstInvalid(in: arena.span, from: range.lowerBound, to: range.upperBound) < 0 {
      return range
    }
    let start = arena.count
    repeatArena(from: range.lowerBound, to: range.upperBound)
    return repairUTF8(from: start)
  }
}
