internal import Synchronization

/// Compresses from any thread with a few reused compressors of one format and level.
package final class CompressorPool: Sendable {
  /// A parked compressor has no other user, which makes handing it to another thread safe.
  private struct Parked: @unchecked Sendable {
    let compressor: Compressor
  }

  package let algorithm: CompressionAlgorithm
  private let level: Int?
  private let capacity: Int
  private let idle = Mutex<[Parked]>([])

  /// - Parameter capacity: how many idle compressors are kept; a zstd one holds a few MiB.
  package init(_ algorithm: CompressionAlgorithm, level: Int? = nil, capacity: Int = 2) {
    self.algorithm = algorithm
    self.level = level
    self.capacity = capacity
  }

  /// Compresses `input` onto the end of `output`; runs on the calling thread and takes no lock meanwhile.
  package func compress(_ input: Span<UInt8>, to output: inout [UInt8]) throws(CodecError) {
    let compressor = idle.withLock { $0.popLast() }?.compressor ?? Compressor(algorithm, level: level)
    defer {
      let parked = Parked(compressor: compressor)
      idle.withLock { idle in
        if idle.count < capacity { idle.append(parked) }
      }
    }
    try compressor.compress(input, to: &output)
  }

  /// Compresses `input` into an array of its own.
  package func compress(_ input: [UInt8]) throws(CodecError) -> [UInt8] {
    var output: [UInt8] = []
    try compress(input.span, to: &output)
    return output
  }
}
