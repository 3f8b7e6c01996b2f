internal import NIOCore
internal import NativeCodecs

/// Gathers one body into one array while it arrives, decompressing on the way.
///
/// What it holds, the decompressor's state included, is charged to the server's ``AdmissionBudget`` before the next bytes
/// are asked for. The caller gives the charge back with ``release()`` or takes it over with ``takeCharge()``.
struct BodyReceiver {
  enum Failure: Error {
    /// More than the limit, after decompression.
    case tooLarge
    /// Decompressed to more than the permitted times its size.
    case tooDense
    /// The compressed bytes are broken.
    case corrupt(String)
    /// The server holds as much as it may.
    case overloaded
  }

  /// At most so much is reserved for what a client announced, and at most four times what it has sent.
  private static let trustedReserve = 1 << 20
  /// Bytes per second below which a body counts as slow while others wait for room.
  private static let slowRate: Int64 = 256 << 10

  private(set) var bytes: [UInt8] = []
  private var decompressor: Decompressor?
  private let pool: DecompressorPool
  private let budget: AdmissionBudget
  private let limit: Int
  private let ratio: Int
  private let announced: Int
  private let overhead: Int
  private let start: NIODeadline
  private var charged = 0
  private var received = 0

  /// - Parameters:
  ///   - compression: nil when the bytes are not compressed.
  ///   - limit: the largest decompressed body, in bytes.
  ///   - ratio: how many bytes one compressed byte may become; zero sets no limit.
  ///   - announced: the size the client announced, in bytes.
  ///   - now: when it began to arrive.
  ///   - overhead: bytes that the request holds besides its body; charged with ``charge()``.
  init(
    compression: CompressionAlgorithm?, limit: Int, ratio: Int, announced: Int, pool: DecompressorPool,
    budget: AdmissionBudget, now: NIODeadline, overhead: Int = 0
  ) {
    self.overhead = overhead
    self.limit = limit
    self.ratio = ratio == 0 ? .max : ratio
    self.announced = announced
    self.pool = pool
    self.budget = budget
    start = now
    decompressor = compression.map { pool.take($0, limit: limit) }
  }

  /// Whether it takes longer than `patience` and comes so slowly that others should have its room.
  func isSlow(at now: NIODeadline, patience: TimeAmount) -> Bool {
    let elapsed = now - start
    guard elapsed >= patience else { return false }
    return Int64(received) < elapsed.nanoseconds / 1_000_000 * Self.slowRate / 1000
  }

  /// Takes the next bytes as they arrived.
  mutating func append(_ buffer: ByteBuffer) throws(Failure) {
    if received == 0 { reserve(for: buffer.readableBytes) }
    received += buffer.readableBytes
    if let decompressor {
      // Compressed bytes that expand to nothing must end somewhere, too.
      guard received / 2 - 32_768 <= limit else { throw .tooLarge }
      do throws(CodecError) {
        try decompressor.append(buffer.readableBytesUInt8Span, to: &bytes)
      } catch {
        throw failure(error)
      }
      try checkRatio()
    } else {
      guard buffer.readableBytes <= limit - bytes.count else { throw .tooLarge }
      grow(by: buffer.readableBytes)
      bytes.append(contentsOf: buffer.readableBytesView)
    }
    try charge()
  }

  /// Ends the body.
  mutating func finish() throws(Failure) {
    guard let decompressor else { return }
    do throws(CodecError) {
      try decompressor.finish(&bytes)
    } catch {
      throw failure(error)
    }
    try checkRatio()
    pool.give(decompressor)
    self.decompressor = nil
    try charge()
  }

  /// Gives up the body and everything it holds.
  mutating func release() {
    budget.give(charged)
    charged = 0
    if let decompressor { pool.give(decompressor) }
    decompressor = nil
    bytes = []
  }

  /// Hands the body over, without its charge.
  mutating func takeBytes() -> [UInt8] {
    let result = bytes
    bytes = []
    return result
  }

  /// Hands the charge over: bytes that the caller gives back to the budget.
  mutating func takeCharge() -> Int {
    defer { charged = 0 }
    return charged
  }

  /// Reserves for the whole body what its first bytes make credible.
  private mutating func reserve(for first: Int) {
    let size = min(announced, limit, Self.trustedReserve, 4 * first)
    bytes.reserveCapacity(decompressor == nil ? size : min(4 * size, limit, 256 << 10))
  }

  /// Makes room for the next bytes: four times what has come, but not beyond what was announced. The array may be kept
  /// in a queue, and each step leaves a hole in memory.
  private mutating func grow(by count: Int) {
    let needed = bytes.count + count
    guard needed > bytes.capacity, needed <= announced else { return }
    bytes.reserveCapacity(min(announced, max(needed, 4 * bytes.count)))
  }

  /// Charges what is held now.
  mutating func charge() throws(Failure) {
    let growth = overhead + bytes.count + (decompressor?.heldBytes ?? 0) - charged
    guard budget.take(growth) else { throw .overloaded }
    charged += growth
  }

  /// What is decompressed at one time is bounded by the limit and one chunk's worth, so looking afterwards is enough.
  private func checkRatio() throws(Failure) {
    if isTooDense(bytes.count) { throw .tooDense }
  }

  private func isTooDense(_ count: Int) -> Bool {
    guard count > ServerLimits.freeOutput else { return false }
    let (allowed, overflows) = ratio.multipliedReportingOverflow(by: received)
    return !overflows && count > allowed
  }

  private func failure(_ error: CodecError) -> Failure {
    switch error {
    case .limitExceeded: isTooDense(limit) ? .tooDense : .tooLarge
    case .unavailable: .overloaded
    case .corrupt, .truncated: .corrupt(error.description)
    }
  }
}
