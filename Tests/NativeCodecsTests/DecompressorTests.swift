import NativeCodecs
import SeededRandom
import Testing

struct DecompressorTests {
  private func decompress(
    _ algorithm: CompressionAlgorithm, _ bytes: [UInt8], limit: Int = 1 << 20, chunk: Int = .max
  ) throws(CodecError) -> [UInt8] {
    let decompressor = Decompressor(algorithm, limit: limit)
    var output: [UInt8] = []
    var offset = 0
    while offset < bytes.count {
      let end = offset + min(chunk, bytes.count - offset)
      try decompressor.append(bytes[offset..<end], to: &output)
      offset = end
    }
    try decompressor.finish(&output)
    return output
  }

  @Test(arguments: CodecFixtures.samples)
  func `reads what other implementations wrote`(_ sample: CodecFixtures.Sample) throws {
    #expect(try decompress(sample.algorithm, sample.bytes) == CodecFixtures.plain)
    var whole: [UInt8] = [7]
    let decompressor = Decompressor(sample.algorithm, limit: 1000)
    try decompressor.decompress(sample.bytes.span, to: &whole)
    #expect(whole == [7] + CodecFixtures.plain)
    try decompressor.decompress(sample.bytes.span, to: &whole)
    #expect(whole == [7] + CodecFixtures.plain + CodecFixtures.plain)
  }

  @Test(arguments: CodecFixtures.samples, [1, 2, 3, 7])
  func `the size of the chunks makes no difference`(_ sample: CodecFixtures.Sample, chunk: Int) throws {
    #expect(try decompress(sample.algorithm, sample.bytes, chunk: chunk) == CodecFixtures.plain)
  }

  @Test(arguments: CodecFixtures.samples)
  func `every proper prefix is truncated`(_ sample: CodecFixtures.Sample) {
    for length in 0..<sample.bytes.count {
      let prefix = Array(sample.bytes.prefix(length))
      do {
        let output = try decompress(sample.algorithm, prefix)
        // A framed snappy stream may end after any chunk, here after its identifier.
        #expect(output.isEmpty && length == 10, "\(length) bytes gave \(output)")
      } catch {
        let expected =
          error == .truncated(sample.algorithm) || error == .truncated(.snappyFramed)
          || sample.algorithm == .snappy
        #expect(expected, "\(length) bytes: \(error)")
      }
    }
  }

  @Test(arguments: CodecFixtures.samples)
  func `changed bytes never give wrong output silently when the format has a checksum`(
    _ sample: CodecFixtures.Sample
  ) {
    for index in sample.bytes.indices {
      var damaged = sample.bytes
      damaged[index] ^= 0x10
      guard let output = try? decompress(sample.algorithm, damaged) else { continue }
      let unchecked = ["snappy block", "deflate, raw", "zstd"].contains(sample.name)
      #expect(unchecked || output == CodecFixtures.plain, "byte \(index)")
    }
  }

  @Test(arguments: CodecFixtures.samples)
  func `the limit is exact`(_ sample: CodecFixtures.Sample) throws {
    let size = CodecFixtures.plain.count
    #expect(try decompress(sample.algorithm, sample.bytes, limit: size) == CodecFixtures.plain)
    #expect(throws: CodecError.limitExceeded(limit: size - 1)) {
      try decompress(sample.algorithm, sample.bytes, limit: size - 1)
    }
  }

  @Test(arguments: CompressionAlgorithm.allCases)
  func `a bomb is stopped at the limit, not at its end`(_ algorithm: CompressionAlgorithm) throws {
    let bomb = try Compressor(algorithm).compress([UInt8](repeating: 0, count: 64 << 20))
    let decompressor = Decompressor(algorithm, limit: 100_000)
    var output: [UInt8] = []
    #expect(throws: CodecError.limitExceeded(limit: 100_000)) {
      try decompressor.append(bomb, to: &output)
      try decompressor.finish(&output)
    }
    #expect(output.count <= 100_001)
    #expect(output.capacity < 1 << 20)
  }

  @Test(arguments: [CompressionAlgorithm.gzip, .zstd, .snappyFramed])
  func `streams one after the other read as one`(_ algorithm: CompressionAlgorithm) throws {
    let first = CodecFixtures.mixed(70_000)
    let second = CodecFixtures.mixed(10, seed: 9)
    let compressor = Compressor(algorithm)
    let joined = try compressor.compress(first) + compressor.compress(second)
    #expect(try decompress(algorithm, joined) == first + second)
    #expect(try decompress(algorithm, joined, chunk: 13) == first + second)
    #expect(throws: CodecError.limitExceeded(limit: 70_009)) {
      try decompress(algorithm, joined, limit: 70_009)
    }
  }

  @Test func `garbage after a gzip member is corrupt`() {
    #expect(throws: CodecError.self) { try decompress(.gzip, CodecFixtures.gzip + [1, 2, 3]) }
  }

  @Test func `a zstd window over 8 MiB is refused`() {
    #expect {
      try decompress(.zstd, CodecFixtures.zstdHugeWindow)
    } throws: { error in
      guard case .corrupt(.zstd, let detail)? = error as? CodecError else { return false }
      return detail.contains("memory") || detail.contains("indow")
    }
  }

  @Test func `a snappy block that claims to be huge reserves nothing`() {
    // Length 2^32-1, then nothing to back it.
    let claim: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0]
    let decompressor = Decompressor(.snappy, limit: 1000)
    var output: [UInt8] = []
    #expect(throws: CodecError.limitExceeded(limit: 1000)) { try decompressor.append(claim, to: &output) }
    #expect(throws: CodecError.self) { try decompress(.snappy, claim, limit: .max) }
    #expect(output.capacity == 0)
  }

  @Test func `snappy padding and skippable chunks are passed over and reserved ones refused`() throws {
    let identifier = CodecFixtures.snappyFramed.prefix(10)
    let rest = CodecFixtures.snappyFramed.dropFirst(10)
    let padded = identifier + [0xFE, 3, 0, 0, 1, 2, 3] + [0x80, 0, 0, 0] + rest
    #expect(try decompress(.snappyFramed, Array(padded)) == CodecFixtures.plain)
    #expect(try decompress(.snappyFramed, Array(padded), chunk: 2) == CodecFixtures.plain)
    #expect(throws: CodecError.self) {
      try decompress(.snappyFramed, Array(identifier + [0x02, 1, 0, 0, 1]))
    }
    #expect(throws: CodecError.self) { try decompress(.snappyFramed, Array(rest)) }
  }

  @Test(arguments: CompressionAlgorithm.allCases)
  func `random bytes are refused and the decompressor serves again`(
    _ algorithm: CompressionAlgorithm
  ) throws {
    let pool = DecompressorPool()
    for seed in 1...200 as ClosedRange<UInt64> {
      var generator = SeededGenerator(seed)
      let noise = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
      _ = try? pool.decompress(noise.span, algorithm, limit: 10_000)
    }
    let message = CodecFixtures.mixed(5000)
    let compressed = try Compressor(algorithm).compress(message)
    #expect(try pool.decompress(compressed.span, algorithm, limit: 5000) == message)
  }
}
