internal import Synchronization

/// Keeps a few idle decompressors, so that a request need not set one up and an idle connection need not hold one.
package final class DecompressorPool: Sendable {
  /// A parked decompressor has no other user, which makes handing it to another thread safe.
  private struct Parked: @unchecked Sendable {
    let decompressor: Decompressor
  }

  private let idle = Mutex<[Parked]>([])
  private let capacity: Int

  /// - Parameter capacity: how many idle decompressors of all formats together are kept.
  package init(capacity: Int = 8) { self.capacity = capacity }

  /// A decompressor nobody else uses, ready for a new stream.
  package func take(_ algorithm: CompressionAlgorithm, limit: Int) -> Decompressor {
    let parked = idle.withLock { idle -> Parked? in
      guard let index = idle.lastIndex(where: { $0.decompressor.algorithm == algorithm }) else { return nil }
      return idle.remove(at: index)
    }
    guard let decompressor = parked?.decompressor else { return Decompressor(algorithm, limit: limit) }
    decompressor.reset(limit: limit)
    return decompressor
  }

  /// Gives a decompressor back, whatever state it is in.
  /// - Important: the caller must not use it afterwards.
  package func give(_ decompressor: Decompressor) {
    decompressor.reset(limit: 0)
    let parked = Parked(decompressor: decompressor)
    idle.withLock { idle in
      if idle.count < capacity { idle.append(parked) }
    }
  }

  /// Decompresses a whole input.
  package func decompress(
    _ input: Span<UInt8>, _ algorithm: CompressionAlgorithm, limit: Int
  ) throws(CodecError) -> [UInt8] {
    let decompressor = take(algorithm, limit: limit)
    defer { give(decompressor) }
    var output: [UInt8] = []
    try decompressor.decompress(input, to: &output)
    return output
  }
}
