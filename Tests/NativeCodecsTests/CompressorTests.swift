import NativeCodecs
import SeededRandom
import Testing

struct CompressorTests {
  @Test(
    arguments: CompressionAlgorithm.allCases, [0, 1, 100, 65_535, 65_536, 65_537, 300_000])
  func `what is compressed decompresses to the same`(_ algorithm: CompressionAlgorithm, size: Int) throws {
    let message = CodecFixtures.mixed(size)
    let compressor = Compressor(algorithm)
    let decompressor = Decompressor(algorithm, limit: size)
    for _ in 0..<2 {
      var compressed: [UInt8] = [1, 2, 3, 4, 5]
      try compressor.compress(message.span, to: &compressed)
      #expect(compressed.prefix(5) == [1, 2, 3, 4, 5])
      var output: [UInt8] = []
      decompressor.reset(limit: size)
      try decompressor.append(compressed.dropFirst(5), to: &output)
      try decompressor.finish(&output)
      #expect(output == message)
    }
  }

  @Test(arguments: CompressionAlgorithm.allCases)
  func `data that does not compress survives`(_ algorithm: CompressionAlgorithm) throws {
    var generator = SeededGenerator(4)
    let noise = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let compressed = try Compressor(algorithm).compress(noise)
    #expect(compressed.count < 201_000)
    #expect(try DecompressorPool().decompress(compressed.span, algorithm, limit: 200_000) == noise)
  }

  @Test(arguments: CompressionAlgorithm.allCases)
  func `every listed level works, and the highest is no larger than the lowest`(
    _ algorithm: CompressionAlgorithm
  ) throws {
    let message = CodecFixtures.mixed(100_000)
    var sizes: [Int: Int] = [:]
    for level in algorithm.levels {
      let compressed = try Compressor(algorithm, level: level).compress(message)
      #expect(try DecompressorPool().decompress(compressed.span, algorithm, limit: 100_000) == message)
      sizes[level] = compressed.count
    }
    if let low = sizes[1], let high = sizes[algorithm.levels.last ?? 1] { #expect(high < low) }
  }

  @Test func `a pool compresses from many tasks at once`() async throws {
    let pool = CompressorPool(.zstd)
    let decompressors = DecompressorPool(capacity: 2)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for seed in 1...16 as ClosedRange<UInt64> {
        group.addTask {
          let message = CodecFixtures.mixed(20_000, seed: seed)
          let compressed = try pool.compress(message)
          return try decompressors.decompress(compressed.span, .zstd, limit: 20_000) == message
        }
      }
      for try await same in group { #expect(same) }
    }
  }

  @Test func `names are those of HTTP and gRPC`() {
    #expect(CompressionAlgorithm(contentEncoding: "GZip") == .gzip)
    #expect(CompressionAlgorithm(contentEncoding: "snappy") == .snappy)
    #expect(CompressionAlgorithm(contentEncoding: "x-snappy-framed") == .snappyFramed)
    #expect(CompressionAlgorithm(contentEncoding: "br") == nil)
    #expect(CompressionAlgorithm(contentEncoding: "identity") == nil)
    #expect(CompressionAlgorithm(grpcEncoding: "snappy") == .snappyFramed)
    #expect(CompressionAlgorithm.snappyFramed.grpcEncoding == "snappy")
    #expect(CompressionAlgorithm.snappyFramed.contentEncoding == "x-snappy-framed")
  }
}
