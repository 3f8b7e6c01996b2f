internal import WireFormat

/// Searches of expositions, eight bytes at a time in a 64-bit word, the first byte in the lowest eight bits.
///
/// (Swift's vectors of sixteen bytes would be the natural means, but most comparisons of them are compiled to loops.)
extension Span where Element == UInt8 {
  private static var ones: UInt64 { 0x0101_0101_0101_0101 }
  private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  /// The place of the first byte from `start` on that is not a letter, digit, underscore or colon, or the end.
  @inline(__always)
  func endOfName(from start: Int) -> Int {
    var place = start
    while place &+ 8 <= count {
      let word = loadUInt64(at: place)
      // No sum reaches the next byte, since all bytes are below 0x80.
      let low = word & ~Self.highBits
      let lower = low | Self.ones &* 0x20
      let letters = (lower &+ Self.ones &* (0x80 - 0x61)) & ~(lower &+ Self.ones &* (0x80 - 0x7B))
      // The colon stands behind the nine.
      let digits = (low &+ Self.ones &* (0x80 - 0x30)) & ~(low &+ Self.ones &* (0x80 - 0x3B))
      let others = (low ^ Self.ones &* 0x5F) &+ Self.ones &* 0x7F
      let found = ~(letters | digits | ~others) & Self.highBits | word & Self.highBits
      if found != 0 { return place &+ found.trailingZeroBitCount &>> 3 }
      place &+= 8
    }
    while place < count, ExpositionCharacters.isName(self[place]) { place &+= 1 }
    return place
  }

  /// The place of the first quote, backslash or line feed from `start` on, or the end, and whether there may be anything
  /// but ASCII before it.
  @inline(__always)
  func endOfPlainText(from start: Int) -> (end: Int, mayNotBeASCII: Bool) {
    var place = start
    var seen: UInt64 = 0
    while place &+ 8 <= count {
      let word = loadUInt64(at: place)
      seen |= word
      let found =
        Self.places(of: 0x22, in: word) | Self.places(of: 0x5C, in: word) | Self.places(of: 0x0A, in: word)
      if found & Self.highBits != 0 {
        return (place &+ (found & Self.highBits).trailingZeroBitCount &>> 3, seen & Self.highBits != 0)
      }
      place &+= 8
    }
    while place < count, self[place] != 0x22, self[place] != 0x5C, self[place] != 0x0A {
      seen |= UInt64(self[place])
      place &+= 1
    }
    return (place, seen & Self.highBits != 0)
  }

  /// The place of the first line feed from `start` on, or the end, and whether there may be anything but ASCII before it.
  @inline(__always)
  func endOfLine(from start: Int) -> (end: Int, mayNotBeASCII: Bool) {
    var place = start
    var seen: UInt64 = 0
    while place &+ 8 <= count {
      let word = loadUInt64(at: place)
      seen |= word
      let found = Self.places(of: 0x0A, in: word) & Self.highBits
      if found != 0 { return (place &+ found.trailingZeroBitCount &>> 3, seen & Self.highBits != 0) }
      place &+= 8
    }
    while place < count, self[place] != 0x0A {
      seen |= UInt64(self[place])
      place &+= 1
    }
    return (place, seen & Self.highBits != 0)
  }

  /// The highest bit of every byte that has a value.
  ///
  /// A borrow may accuse the byte above one that has it, never one below, so that the first one found is right. The other
  /// bits mean nothing.
  @inline(__always)
  private static func places(of byte: UInt64, in word: UInt64) -> UInt64 {
    let difference = word ^ (ones &* byte)
    return (difference &- ones) & ~difference
  }

  /// Whether these bytes stand at a place.
  @inline(__always)
  func hasBytes(_ wanted: Span<UInt8>, at start: Int) -> Bool {
    let length = wanted.count
    if length > count &- start { return false }
    var place = 0
    while place &+ 8 <= length {
      if loadUInt64(at: start &+ place) != wanted.loadUInt64(at: place) { return false }
      place &+= 8
    }
    if place == length { return true }
    if length >= 8 {
      // The last eight once more, overlapping those compared before.
      return loadUInt64(at: start &+ length &- 8) == wanted.loadUInt64(at: length &- 8)
    }
    while place < length {
      if self[start &+ place] != wanted[place] { return false }
      place &+= 1
    }
    return true
  }
}
