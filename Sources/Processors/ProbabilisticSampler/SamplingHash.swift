internal import TelemetryData

/// The hash behind the mode `hash_seed`: FNV-1a with 32 bits over the seed and the bytes that identify an item.
///
/// It decides by its lowest 14 bits, as the Collector has always done. They are written as 56 bits of randomness such
/// that a consistent sampler behind comes to the same decision.
struct SamplingHash: Sendable {
  /// The hash after the seed.
  private let start: UInt32
  private static let prime: UInt32 = 0x0100_0193
  static let buckets = 1 << 14

  init(seed: UInt32) {
    var hash: UInt32 = 0x811C_9DC5
    for shift: UInt32 in [0, 8, 16, 24] { hash = (hash ^ (seed >> shift & 0xFF)) &* Self.prime }
    start = hash
  }

  func randomness(of id: TraceID) -> UInt64 {
    var hash = start
    var shift: UInt64 = 64
    while shift > 0 {
      shift &-= 8
      hash = (hash ^ UInt32(truncatingIfNeeded: id.high >> shift & 0xFF)) &* Self.prime
    }
    shift = 64
    while shift > 0 {
      shift &-= 8
      hash = (hash ^ UInt32(truncatingIfNeeded: id.low >> shift & 0xFF)) &* Self.prime
    }
    return Self.spread(hash)
  }

  func randomness(of bytes: Span<UInt8>) -> UInt64 {
    var hash = start
    for index in bytes.indices { hash = (hash ^ UInt32(bytes[index])) &* Self.prime }
    return Self.spread(hash)
  }

  /// The deciding bits come first, turned around: a small hash is kept, and so is great randomness. The bits that do not
  /// decide fill the middle.
  private static func spread(_ hash: UInt32) -> UInt64 {
    let deciding = UInt64(hash & 0x3FFF)
    let rest = UInt64(hash >> 18)
    return (0x3FFF - deciding) << 42 | (rest ^ rest << 10) << 14 | deciding
  }
}
