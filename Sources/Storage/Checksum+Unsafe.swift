/// The checksum that travels with each record: SQLite does not notice a flipped bit in the middle of a blob.
///
/// Four lanes of multiply and rotate over 64-bit words, in the manner of xxHash but not compatible with it. Meant
/// for damage by accident, not by an adversary. About 60 µs per MiB.
enum Checksum {
  private static let prime: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let other: UInt64 = 0xC2B2_AE3D_27D4_EB4F

  static func of(_ bytes: [UInt8]) -> Int64 {
    unsafe bytes.withUnsafeBytes { buffer in
      var lanes = (prime, other, prime &+ other, prime ^ other)
      var offset = 0
      while offset + 32 <= buffer.count {
        lanes.0 = unsafe mix(lanes.0, buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        lanes.1 = unsafe mix(lanes.1, buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        lanes.2 = unsafe mix(lanes.2, buffer.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
        lanes.3 = unsafe mix(lanes.3, buffer.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
        offset += 32
      }
      while offset < buffer.count {
        lanes.0 = unsafe mix(lanes.0, UInt64(buffer[offset]))
        offset += 1
      }
      var sum = mix(mix(mix(mix(UInt64(buffer.count), lanes.0), lanes.1), lanes.2), lanes.3)
      sum ^= sum >> 32
      sum = sum &* other
      return Int64(bitPattern: sum ^ (sum >> 29))
    }
  }

  @inline(__always)
  private static func mix(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    let value = (lane ^ (word.littleEndian &* other)) &* prime
    return (value << 31) | (value >> 33)
  }
}
