/// SHA3-256 (FIPS 202), which the system's digest library lacks.
enum SHA3 {
  private static let rate = 136
  private static let length = 32

  static func digest(of text: Span<UInt8>) -> [UInt8] {
    var state = [UInt64](repeating: 0, count: 25)
    var position = 0
    for index in text.indices {
      add(text[index], at: position, to: &state)
      position += 1
      if position == rate {
        permute(&state)
        position = 0
      }
    }
    // The suffix 01 of SHA3, and the padding 10*1.
    add(0x06, at: position, to: &state)
    add(0x80, at: rate - 1, to: &state)
    permute(&state)
    return (0..<length).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> (8 * ($0 % 8))) }
  }

  private static func add(_ byte: UInt8, at position: Int, to state: inout [UInt64]) {
    state[position / 8] ^= UInt64(byte) << (8 * (position % 8))
  }

  private static let roundConstants: [UInt64] = [
    0x0000_0000_0000_0001, 0x0000_0000_0000_8082, 0x8000_0000_0000_808A, 0x8000_0000_8000_8000,
    0x0000_0000_0000_808B, 0x0000_0000_8000_0001, 0x8000_0000_8000_8081, 0x8000_0000_0000_8009,
    0x0000_0000_0000_008A, 0x0000_0000_0000_0088, 0x0000_0000_8000_8009, 0x0000_0000_8000_000A,
    0x0000_0000_8000_808B, 0x8000_0000_0000_008B, 0x8000_0000_0000_8089, 0x8000_0000_0000_8003,
    0x8000_0000_0000_8002, 0x8000_0000_0000_0080, 0x0000_0000_0000_800A, 0x8000_0000_8000_000A,
    0x8000_0000_8000_8081, 0x8000_0000_0000_8080, 0x0000_0000_8000_0001, 0x8000_0000_8000_8008,
  ]

  /// Keccak-f[1600]; lane (x, y) is at x + 5y.
  private static func permute(_ lanes: inout [UInt64]) {
    var columns = [UInt64](repeating: 0, count: 5)
    for constant in roundConstants {
      // θ
      for x in 0..<5 {
        columns[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
      }
      for x in 0..<5 {
        let mixed = columns[(x + 4) % 5] ^ rotated(columns[(x + 1) % 5], by: 1)
        for y in 0..<5 { lanes[x + 5 * y] ^= mixed }
      }
      // ρ and π
      var (x, y, held) = (1, 0, lanes[1])
      for step in 0..<24 {
        (x, y) = (y, (2 * x + 3 * y) % 5)
        let next = lanes[x + 5 * y]
        lanes[x + 5 * y] = rotated(held, by: (step + 1) * (step + 2) / 2 % 64)
        held = next
      }
      // χ
      for y in 0..<5 {
        for x in 0..<5 { columns[x] = lanes[x + 5 * y] }
        for x in 0..<5 { lanes[x + 5 * y] = columns[x] ^ (~columns[(x + 1) % 5] & columns[(x + 2) % 5]) }
      }
      // ι
      lanes[0] ^= constant
    }
  }

  private static func rotated(_ lane: UInt64, by count: Int) -> UInt64 {
    count == 0 ? lane : lane << count | lane >> (64 - count)
  }
}
