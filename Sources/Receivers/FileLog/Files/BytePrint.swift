internal import WireFormat

/// A hash of some bytes and how many they are: enough to tell later whether the same bytes still stand there.
///
/// Stored in checkpoints, so the function never changes.
struct BytePrint: Sendable, Hashable {
  let count: Int
  let hash: UInt64

  static let none = BytePrint(count: 0, hash: 0)

  init(count: Int, hash: UInt64) {
    self.count = count
    self.hash = hash
  }

  init(_ bytes: Span<UInt8>) {
    count = bytes.count
    guard !bytes.isEmpty else {
      hash = 0
      return
    }
    var state = 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
    var position = 0
    while position + 8 <= bytes.count {
      var word: UInt64 = 0
      for place in 0..<8 { word |= UInt64(bytes[position + place]) &<< UInt64(place * 8) }
      state = Self.mix(state ^ word)
      position += 8
    }
    while position < bytes.count {
      state = Self.mix(state ^ UInt64(bytes[position]))
      position += 1
    }
    hash = state
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    let product = (value ^ value &>> 29).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return product.low ^ product.high
  }
}
