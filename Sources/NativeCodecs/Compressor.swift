/// One format's writing side.
protocol BlockEncoder: AnyObject {
  /// Compresses `input` as one complete stream onto the end of `output`.
  func encode(_ input: UnsafeRawBufferPointer, output: inout [UInt8]) throws(CodecError)
}

/// Compresses whole messages, one after the other, reusing the library's state between them.
///
/// Output is written straight into the end of the caller's array, so that a prefix (a gRPC message header, say) can stand
/// there already.
///
/// - Important: not thread-safe; share a `CompressorPool` instead.
package final class Compressor {
  package let algorithm: CompressionAlgorithm
  private let encoder: any BlockEncoder

  /// - Parameter level: one of `algorithm.levels`, or nil for the format's default (gzip, zlib and deflate 6, zstd 3).
  package init(_ algorithm: CompressionAlgorithm, level: Int? = nil) {
    self.algorithm = algorithm
    encoder =
      switch algorithm {
      case .gzip, .zlib, .deflate: DeflateEncoder(algorithm, level: level ?? -1)
      case .zstd: ZstdEncoder(level: level.flatMap { $0 < 1 ? nil : $0 } ?? 3)
      case .snappy: SnappyBlockEncoder()
      case .snappyFramed: SnappyFramedEncoder()
      }
  }

  /// Compresses `input` onto the end of `output`.
  /// - Throws: `unavailable` when the library has no memory; no input is wrong otherwise.
  package func compress(_ input: Span<UInt8>, to output: inout [UInt8]) throws(CodecError) {
    try unsafe input.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe encoder.encode(raw, output: &output)
    }
  }

  /// Compresses `input` into an array of its own.
  package func compress(_ input: [UInt8]) throws(CodecError) -> [UInt8] {
    var output: [UInt8] = []
    try compress(input.span, to: &output)
    return output
  }
}
