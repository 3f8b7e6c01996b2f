/// Why bytes could not be compressed or decompressed.
package enum CodecError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The decompressed bytes would be more than `limit`.
  case limitExceeded(limit: Int)
  /// The input breaks the format's rules.
  case corrupt(CompressionAlgorithm, detail: String)
  /// The input ends before the format says it is complete.
  case truncated(CompressionAlgorithm)
  /// The library could not set up its state; in practice, no memory.
  case unavailable(CompressionAlgorithm, detail: String)

  package var description: String {
    switch self {
    case .limitExceeded(let limit): "decompressed size is over the limit of \(limit) bytes"
    case .corrupt(let algorithm, let detail): "invalid \(algorithm.rawValue) data: \(detail)"
    case .truncated(let algorithm): "\(algorithm.rawValue) data ends too early"
    case .unavailable(let algorithm, let detail): "cannot start the \(algorithm.rawValue) codec: \(detail)"
    }
  }
}
