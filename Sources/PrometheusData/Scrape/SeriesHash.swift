internal import WireFormat

/// Hashes the bytes of series.
///
/// Targets choose these bytes, so the hash is seeded: nobody can choose them to collide. Sixteen bytes are taken at a
/// time with one wide multiplication.
struct SeriesHash: Sendable {
  private let first: UInt64
  private let second: UInt64

  init(seed: UInt64) {
    first = Self.mix(seed ^ 0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93)
    second = Self.mix(first ^ 0xa076_1d64_78bd_642f, seed | 1)
  }

  @inline(__always)
  func callAsFunction(_ bytes: Span<UInt8>) -> UInt64 {
    let count = bytes.count
    var state = first ^ (UInt64(truncatingIfNeeded: count) &* 0xe703_7ed1_a0b4_28db)
    if count < 16 {
      var low: UInt64 = 0
      var high: UInt64 = 0
      if count >= 8 {
        low = bytes.loadUInt64(at: 0)
        high = bytes.loadUInt64(at: count &- 8)
      } else if count >= 4 {
        low = UInt64(bytes.loadUInt32(at: 0))
        high = UInt64(bytes.loadUInt32(at: count &- 4))
      } else {
        for position in 0..<count { low = low &<< 8 | UInt64(bytes[position]) }
      }
      return Self.mix(Self.mix(low ^ second, high ^ state), second)
    }
    var position = 0
    while position &+ 16 < count {
      state = Self.mix(bytes.loadUInt64(at: position) ^ second, bytes.loadUInt64(at: position &+ 8) ^ state)
      position &+= 16
    }
    // The last sixteen bytes, which may overlap those before.
    state = Self.mix(
      bytes.loadUInt64(at: count &- 16) ^ second, bytes.loadUInt64(at: count &- 8) ^ state)
    return Self.mix(state ^ first, second)
  }

  @inline(__always)
  private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}
