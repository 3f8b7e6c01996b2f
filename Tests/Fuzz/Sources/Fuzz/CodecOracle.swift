@testable import NativeCodecs

/// What must hold for any bytes that claim to be compressed, and for any bytes that are compressed.
///
/// The first byte chooses the format and how the rest is cut into chunks, the second the limit.
enum CodecOracle {
  static func check(_ input: [UInt8]) throws {
    guard input.count >= 2 else { return }
    let algorithms = CompressionAlgorithm.allCases
    let algorithm = algorithms[Int(input[0]) % algorithms.count]
    let body = Array(input[2...])
    let limit = 16 << Int(input[1] % 14)
    try checkReading(body, algorithm, limit: limit, seed: UInt64(input[0]))
    try checkRoundTrip(body, algorithm, level: Int(input[1] / 14), seed: UInt64(input[0]))
  }

  /// However the bytes are cut, they give the same, and never more than the limit.
  private static func checkReading(
    _ body: [UInt8], _ algorithm: CompressionAlgorithm, limit: Int, seed: UInt64
  ) throws {
    let decompressor = Decompressor(algorithm, limit: limit)
    var whole: [UInt8] = [1, 2, 3]
    var wholeError: CodecError?
    do throws(CodecError) {
      try decompressor.decompress(body.span, to: &whole)
    } catch {
      wholeError = error
    }
    try require(whole.count - 3 <= limit + 1, "\(whole.count - 3) bytes came out, the limit is \(limit)")
    try require(wholeError != nil || whole.count - 3 <= limit, "more than the limit was accepted")
    try require(whole.starts(with: [1, 2, 3]), "what stood before the output was changed")

    // The same object again, so that what an error left behind shows.
    var cuts = Chunks(seed: seed)
    decompressor.reset(limit: limit)
    var parts: [UInt8] = []
    var partsError: CodecError?
    do throws(CodecError) {
      for chunk in cuts.cut(body) {
        try decompressor.append(chunk, to: &parts)
        try held(decompressor, body.count)
      }
      try decompressor.finish(&parts)
    } catch {
      partsError = error
    }
    try require(parts.count <= limit + 1, "\(parts.count) bytes came out in parts, the limit is \(limit)")
    // libzstd reads a frame that is there completely by another way, which refuses empty blocks the other one takes.
    if algorithm == .zstd, partsError == nil, case .corrupt? = wholeError { return }
    try require(
      (wholeError == nil) == (partsError == nil),
      "\(algorithm): whole \(describe(wholeError)), in parts \(describe(partsError))")
    if wholeError == nil {
      try require(
        whole[3...].elementsEqual(parts), "\(algorithm): the output depends on how the input is cut")
      try require(decompressor.produced == parts.count, "\(decompressor.produced) counted of \(parts.count)")
    }
  }

  /// What is held besides the output is bounded by the input and the formats' windows.
  private static func held(_ decompressor: Decompressor, _ size: Int) throws(CodecError) {
    if decompressor.heldBytes > size + 200 << 10 {
      throw .unavailable(decompressor.algorithm, detail: "\(decompressor.heldBytes) bytes held")
    }
  }

  /// What we compress reads back as it was, and not within a smaller limit.
  private static func checkRoundTrip(
    _ body: [UInt8], _ algorithm: CompressionAlgorithm, level: Int, seed: UInt64
  ) throws {
    let level = algorithm.levels.isEmpty ? nil : algorithm.levels[level % algorithm.levels.count]
    let compressor = Compressor(algorithm, level: level)
    let compressed = try demand("compression") { try compressor.compress(body) }
    let again = try demand("compression again") { try compressor.compress(body) }
    try require(compressed == again, "\(algorithm): a compressor used again gives something else")
    var cuts = Chunks(seed: seed)
    let decompressor = Decompressor(algorithm, limit: body.count)
    var read: [UInt8] = []
    try demand("decompression of our own output") {
      for chunk in cuts.cut(compressed) { try decompressor.append(chunk, to: &read) }
      try decompressor.finish(&read)
    }
    try require(read == body, "\(algorithm): decompression gave something else")
    if body.isEmpty { return }
    decompressor.reset(limit: body.count - 1)
    read = []
    do throws(CodecError) {
      try decompressor.decompress(compressed.span, to: &read)
      throw CodecError.unavailable(algorithm, detail: "the limit did not hold")
    } catch {
      // `decompress` keeps the limit, so that it is the one that was set.
      try require(
        error == .limitExceeded(limit: body.count - 1), "\(algorithm): a smaller limit gave \(error)")
    }
  }

  private static func describe(_ error: CodecError?) -> String { error.map { "failed: \($0)" } ?? "was read" }

  static var seeds: [[UInt8]] {
    let text = Array("a line that repeats, a line that repeats, a line that repeats\n".utf8)
    let long = Array([[UInt8]](repeating: text, count: 40).joined())
    return CompressionAlgorithm.allCases.enumerated().flatMap { index, algorithm in
      [[], text, long].compactMap { (body: [UInt8]) in
        (try? Compressor(algorithm).compress(body)).map { [UInt8(index), 9] + $0 }
      }
    }
  }
}

/// Cuts bytes into chunks, the same way for the same seed.
struct Chunks {
  private var random: SeededGenerator
  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed)
  }

  /// Whole, byte by byte, or in pieces of random sizes, empty ones among them.
  mutating func cut(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var rest = bytes[...]
    var chunks: [ArraySlice<UInt8>] = []
    while !rest.isEmpty {
      let size: Int
      switch seed % 4 {
      case 0: size = rest.count
      case 1: size = 1
      case 2: size = Int.random(in: 0...7, using: &random)
      default: size = Int.random(in: 0...rest.count, using: &random)
      }
      chunks.append(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    return chunks
  }
}
