internal import WireFormat

/// A text put together from pieces of an entry's arena; nothing is copied while the pieces follow each other.
///
/// - Important: nothing else may be put into the arena between the first piece and the end of the text.
struct ArenaText {
  private var start = 0
  private var end = 0
  private var isCopied = false

  var isEmpty: Bool { start == end }
  var range: WireRange { WireRange(start, end) }

  /// Adds the bytes between two offsets of the arena.
  @inline(__always)
  mutating func append(from pieceStart: Int, to pieceEnd: Int, of entry: inout LogEntry) {
    if pieceStart == pieceEnd { return }
    if start == end && !isCopied {
      (start, end) = (pieceStart, pieceEnd)
    } else if end == pieceStart && !isCopied {
      end = pieceEnd
    } else {
      copy(from: pieceStart, to: pieceEnd, of: &entry)
    }
  }

  /// Drops what stands from an offset of the arena on; nothing is added afterwards.
  mutating func cut(to place: Int) { end = place }

  @inline(never)
  private mutating func copy(from pieceStart: Int, to pieceEnd: Int, of entry: inout LogEntry) {
    if !isCopied {
      let copyStart = entry.arena.count
      entry.repeatArena(from: start, to: end)
      start = copyStart
      isCopied = true
    }
    entry.repeatArena(from: pieceStart, to: pieceEnd)
    end = entry.arena.count
  }
}

extension LogEntry {
  /// The range without the white space at both ends, as Unicode defines it.
  @inline(__always)
  func trimmed(_ range: WireRange) -> WireRange {
    if range.isEmpty { return range }
    let (first, last) = (arena[range.lowerBound], arena[range.upperBound &- 1])
    // Nearly always.
    if first > 0x20 && first < 0x80 && last > 0x20 && last < 0x80 { return range }
    return trimmedSlowly(range)
  }

  @inline(never)
  private func trimmedSlowly(_ range: WireRange) -> WireRange {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end {
      let length = spaceLength(at: start, before: end)
      if length == 0 { break }
      start += length
    }
    while start < end {
      let length = spaceLength(endingAt: end, from: start)
      if length == 0 { break }
      end -= length
    }
    return WireRange(start, end)
  }

  /// The bytes of the white space that begins at a place, or 0.
  private func spaceLength(at place: Int, before end: Int) -> Int {
    let byte = arena[place]
    if byte < 0x80 { return byte == 0x20 || 0x09...0x0D ~= byte ? 1 : 0 }
    if byte == 0xC2, place + 1 < end { return arena[place + 1] == 0x85 || arena[place + 1] == 0xA0 ? 2 : 0 }
    if place + 2 < end, 0xE1...0xE3 ~= byte {
      return isWideSpace(byte, arena[place + 1], arena[place + 2]) ? 3 : 0
    }
    return 0
  }

  private func spaceLength(endingAt end: Int, from start: Int) -> Int {
    let byte = arena[end - 1]
    if byte < 0x80 { return byte == 0x20 || 0x09...0x0D ~= byte ? 1 : 0 }
    for length in 2...3 where end - length >= start && spaceLength(at: end - length, before: end) == length {
      return length
    }
    return 0
  }

  /// U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000.
  private func isWideSpace(_ first: UInt8, _ second: UInt8, _ third: UInt8) -> Bool {
    switch (first, second) {
    case (0xE1, 0x9A): third == 0x80
    case (0xE2, 0x80): 0x80...0x8A ~= third || third == 0xA8 || third == 0xA9 || third == 0xAF
    case (0xE2, 0x81): third == 0x9F
    case (0xE3, 0x80): third == 0x80
    default: false
    }
  }

  /// The first place of a text between two offsets of the arena, or -1.
  @inline(__always)
  func firstPlace(of text: [UInt8], from start: Int, to end: Int) -> Int {
    guard let first = text.first else { return start }
    let bytes = arena.span
    var place = bytes.firstPlace(of: first, first, from: start, to: end)
    while place >= 0, text.count > 1, !holds(text, at: place, before: end) {
      place = bytes.firstPlace(of: first, first, from: place &+ 1, to: end)
    }
    return place
  }

  /// Whether a text stands at an offset of the arena.
  @inline(__always)
  func holds(_ text: [UInt8], at place: Int, before end: Int) -> Bool {
    if end &- place < text.count { return false }
    for index in text.indices where arena[place &+ index] != text[index] { return false }
    return true
  }
}

extension Span where Element == UInt8 {
  /// The first place of either of two bytes between two offsets, or -1.
  ///
  /// Looks at eight bytes at a time, without the cost of a call: fields of lines are short.
  @inline(__always)
  func firstPlace(of first: UInt8, _ second: UInt8, from start: Int, to end: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let (firsts, seconds) = (ones &* UInt64(first), ones &* UInt64(second))
    var place = start
    while place < end, place &+ 8 <= count {
      let word = loadUInt64(at: place)
      let (one, other) = (word ^ firsts, word ^ seconds)
      // A borrow can accuse only bytes behind one that is found rightly.
      let found = ((one &- ones) & ~one | (other &- ones) & ~other) & 0x8080_8080_8080_8080
      if found != 0 {
        let hit = place &+ found.trailingZeroBitCount &>> 3
        return hit < end ? hit : -1
      }
      place &+= 8
    }
    while place < end {
      let byte = self[place]
      if byte == first || byte == second { return place }
      place &+= 1
    }
    return -1
  }
}
