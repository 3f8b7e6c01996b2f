/// A set of bytes, a bit for each.
struct ByteSet: Hashable, Sendable {
  /// The bits of 64 bytes each.
  var words: SIMD4<UInt64> = .zero

  init() {}

  init(_ range: ClosedRange<UInt8>) { for byte in range { insert(byte) } }

  mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
  func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }
  func union(_ other: Self) -> Self {
    var result = self
    result.words |= other.words
    return result
  }
  var inverted: Self {
    var result = self
    result.words = ~words
    return result
  }
  var count: Int { (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount } }

  static let lineEnd = ByteSet(0x0A...0x0A)
  static let words = ByteSet(0x30...0x39).union(ByteSet(0x41...0x5A)).union(ByteSet(0x61...0x7A))
    .union(ByteSet(0x5F...0x5F))
}
