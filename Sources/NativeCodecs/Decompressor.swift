/// One format's reading side: takes chunks as they arrive, appends what they decompress to.
protocol ChunkDecoder: AnyObject {
  /// Bytes it holds for the stream under way, besides the output.
  var heldBytes: Int { get }
  func decode(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError)
  /// Called once after the last chunk; throws `truncated` when the format wants more.
  func finish(budget: inout OutputBudget, output: inout [UInt8]) throws(CodecError)
  /// Decodes an input that is there completely; the same as `decode` and `finish` unless a copy can be saved.
  func decodeWhole(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError)
  func reset()
}

extension ChunkDecoder {
  func decodeWhole(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    try unsafe decode(input, budget: &budget, output: &output)
    try finish(budget: &budget, output: &output)
  }
}

/// Decompresses a stream chunk by chunk, with a limit on the total output that is enforced while it grows.
///
/// Chunks are read where they are and decompressed straight into the end of the caller's array. State is bounded: at most
/// 40 KiB for the zlib formats, 8 MiB for zstd (frames that ask for a larger window are refused), one chunk for framed
/// snappy. A snappy block cannot be streamed, so its compressed bytes are gathered first, within what the limit allows.
///
/// - Important: not thread-safe, and after an error only `reset(limit:)` may follow.
package final class Decompressor {
  package let algorithm: CompressionAlgorithm
  private let decoder: any ChunkDecoder
  private var budget: OutputBudget

  /// - Parameter limit: the most bytes that may come out.
  package init(_ algorithm: CompressionAlgorithm, limit: Int) {
    self.algorithm = algorithm
    budget = OutputBudget(limit: limit)
    decoder =
      switch algorithm {
      case .gzip, .zlib, .deflate: InflateDecoder(algorithm)
      case .zstd: ZstdDecoder()
      case .snappy: SnappyBlockDecoder()
      case .snappyFramed: SnappyFramedDecoder()
      }
  }

  /// Bytes held for the stream under way, besides the output: what was gathered, windows, tables.
  ///
  /// Nothing before the first chunk. A zstd window is left out, since it holds no more than was put out.
  package var heldBytes: Int { decoder.heldBytes }

  /// Bytes decompressed since the start or the last reset.
  package var produced: Int { budget.produced }

  /// Decompresses the next chunk onto the end of `output`.
  /// - Throws: `limitExceeded`, `corrupt` or `unavailable`; `output` then holds what came before.
  package func append(_ chunk: Span<UInt8>, to output: inout [UInt8]) throws(CodecError) {
    try unsafe chunk.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe decoder.decode(raw, budget: &budget, output: &output)
    }
  }

  /// Decompresses the next chunk onto the end of `output`.
  package func append(_ chunk: UnsafeRawBufferPointer, to output: inout [UInt8]) throws(CodecError) {
    try unsafe decoder.decode(chunk, budget: &budget, output: &output)
  }

  /// Decompresses the next chunk onto the end of `output`.
  package func append(_ chunk: [UInt8], to output: inout [UInt8]) throws(CodecError) {
    try append(chunk.span, to: &output)
  }

  /// Decompresses the next chunk onto the end of `output`.
  package func append(_ chunk: ArraySlice<UInt8>, to output: inout [UInt8]) throws(CodecError) {
    try append(chunk.span, to: &output)
  }

  /// Says that the last chunk was given.
  /// - Throws: `truncated` when the stream is not complete. An empty stream is truncated in every format.
  package func finish(_ output: inout [UInt8]) throws(CodecError) {
    try decoder.finish(budget: &budget, output: &output)
  }

  /// Decompresses an input that is there completely onto the end of `output`, then is ready for the next.
  package func decompress(_ input: Span<UInt8>, to output: inout [UInt8]) throws(CodecError) {
    reset(limit: budget.limit)
    defer { reset(limit: budget.limit) }
    try unsafe input.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe decoder.decodeWhole(raw, budget: &budget, output: &output)
    }
  }

  /// Forgets the current stream, keeps the memory, and starts over with a limit.
  package func reset(limit: Int) {
    budget = OutputBudget(limit: limit)
    decoder.reset()
  }
}
