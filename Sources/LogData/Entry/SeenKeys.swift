internal import WireFormat

/// Which keys of an object have been seen, roughly: one bit of 64 for each.
struct SeenKeys {
  /// Up to so many keys are compared with each other one by one.
  static let maxCompared = 24

  private var bits: UInt64 = 0
  /// The number of keys.
  var count = 0

  /// Whether a key with this hash may be there already; remembers it.
  @inline(__always)
  mutating func mayHold(_ hash: UInt64) -> Bool {
    let bit: UInt64 = 1 &<< hash
    let isSeen = bits & bit != 0
    bits |= bit
    return isSeen
  }

  /// Remembers a key whose hash is not known: any may be there from now on.
  mutating func rememberAll() { bits = .max }

  /// A number below 64 made of the first and last eight bytes and the length.
  @inline(__always)
  static func hash(_ text: Span<UInt8>, from start: Int, to end: Int) -> UInt64 {
    let length = end &- start
    var word = UInt64(truncatingIfNeeded: length)
    if length >= 8 {
      word = word &+ text.loadUInt64(at: start) &+ text.loadUInt64(at: end &- 8) &* 31
    } else if start &+ 8 <= text.count {
      // Shifted out are the bytes behind the key.
      let shift = UInt64(truncatingIfNeeded: (8 &- length) &* 8)
      word = word &+ (length == 0 ? 0 : text.loadUInt64(at: start) &<< shift)
    } else {
      var last: UInt64 = 0
      for place in start..<end { last = last &>> 8 | UInt64(text[place]) &<< 56 }
      word = word &+ last
    }
    return (word &* 0x9E37_79B9_7F4A_7C15) &>> 58
  }
}
