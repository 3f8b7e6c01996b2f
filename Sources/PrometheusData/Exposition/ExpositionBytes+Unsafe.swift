internal import WireFormat

/// Searches of expositions, sixteen bytes at a time.
///
/// Unsafe in name only: the loads are bounds-checked, and every bit pattern is a valid vector or number.
extension Span where Element == UInt8 {
  @inline(__always)
  private func sixteen(at offset: Int) -> SIMD16<UInt8> {
    unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
  }

  /// The place of the first byte from `start` on that is not a letter, digit, underscore or colon, or the end.
  @inline(__always)
  func endOfName(from start: Int) -> Int {
    var place = start
    while place &+ 16 <= count {
      let vector = sixteen(at: place)
      let letter = ((vector | SIMD16(repeating: 0x20)) &- SIMD16(repeating: 0x61)) .< SIMD16(repeating: 26)
      // The colon stands behind the nine.
      let digit = (vector &- SIMD16(repeating: 0x30)) .< SIMD16(repeating: 11)
      let underscore = vector .== SIMD16(repeating: 0x5F)
      let length = Self.prefix(before: .!(letter .| digit .| underscore))
      place &+= length
      if length < 16 { return place }
    }
    while place < count, ExpositionCharacters.isName(self[place]) { place &+= 1 }
    return place
  }

  /// The place of the first quote, backslash or line feed from `start` on, or the end, and whether there may be anything
  /// but ASCII before it.
  @inline(__always)
  func endOfPlainText(from start: Int) -> (end: Int, mayNotBeASCII: Bool) {
    var place = start
    var seen = SIMD16<UInt8>(repeating: 0)
    while place &+ 16 <= count {
      let vector = sixteen(at: place)
      seen |= vector
      let quote = vector .== SIMD16(repeating: 0x22)
      let escape = vector .== SIMD16(repeating: 0x5C)
      let length = Self.prefix(before: quote .| escape .| (vector .== SIMD16(repeating: 0x0A)))
      place &+= length
      if length < 16 { return (place, Self.hasHighBit(seen)) }
    }
    var bits: UInt8 = 0
    while place < count, self[place] != 0x22, self[place] != 0x5C, self[place] != 0x0A {
      bits |= self[place]
      place &+= 1
    }
    return (place, bits >= 0x80 || Self.hasHighBit(seen))
  }

  /// The place of the first line feed from `start` on, or the end, and whether there may be anything but ASCII before it.
  @inline(__always)
  func endOfLine(from start: Int) -> (end: Int, mayNotBeASCII: Bool) {
    var place = start
    var seen = SIMD16<UInt8>(repeating: 0)
    while place &+ 16 <= count {
      let vector = sixteen(at: place)
      seen |= vector
      let length = Self.prefix(before: vector .== SIMD16(repeating: 0x0A))
      place &+= length
      if length < 16 { return (place, Self.hasHighBit(seen)) }
    }
    var bits: UInt8 = 0
    while place < count, self[place] != 0x0A {
      bits |= self[place]
      place &+= 1
    }
    return (place, bits >= 0x80 || Self.hasHighBit(seen))
  }

  /// Whether these bytes stand at a place.
  @inline(__always)
  func hasBytes(_ wanted: Span<UInt8>, at start: Int) -> Bool {
    let length = wanted.count
    if length > count &- start { return false }
    var place = 0
    while place &+ 16 <= length {
      if sixteen(at: start &+ place) != wanted.sixteen(at: place) { return false }
      place &+= 16
    }
    if place == length { return true }
    if length >= 16 {
      // The last sixteen once more, overlapping those compared before.
      return sixteen(at: start &+ length &- 16) == wanted.sixteen(at: length &- 16)
    }
    while place < length {
      if self[start &+ place] != wanted[place] { return false }
      place &+= 1
    }
    return true
  }

  /// How many of sixteen lanes stand before the first that is set.
  @inline(__always)
  private static func prefix(before mask: SIMDMask<SIMD16<Int8>>) -> Int {
    let halves = unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    if halves[0] != 0 { return halves[0].trailingZeroBitCount &>> 3 }
    return 8 &+ halves[1].trailingZeroBitCount &>> 3
  }

  @inline(__always)
  private static func hasHighBit(_ vector: SIMD16<UInt8>) -> Bool {
    let halves = unsafe unsafeBitCast(vector, to: SIMD2<UInt64>.self)
    return (halves[0] | halves[1]) & 0x8080_8080_8080_8080 != 0
  }
}
