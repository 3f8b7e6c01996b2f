internal import NIOCore
internal import NIOHPACK
internal import NativeCodecs

/// One request while it is received: the head, then a five-byte prefix, then the message.
struct GRPCStream {
  /// How the message may be compressed: what `grpc-encoding` said.
  enum Encoding {
    case identity
    case known(CompressionAlgorithm)
    case unknown(String)
  }

  enum Phase {
    /// Whether the client may send is being found out; what it sends is held unread.
    case deciding
    case receiving
    /// The handler has the request.
    case handed
    /// The answer is written, but the client's window has no room for it.
    case answered
  }

  let path: String
  let metadata: [String: [String]]
  let encoding: Encoding
  /// From `grpc-timeout`.
  let deadline: NIODeadline?
  var phase = Phase.receiving
  /// Whether the client said that it sends no more.
  var isClientDone = false
  /// When bytes came last.
  var lastProgress: NIODeadline
  private var prefixCount = 0
  private var isCompressed = false
  private var length: UInt32 = 0
  private var remaining = 0
  private var receiver: BodyReceiver?
  /// Bytes of metadata that are charged to the budget.
  private var headCharge = 0
  private var budget: AdmissionBudget?
  /// What arrived before the client was known to be allowed, charged to the budget by its size.
  private var held: [ByteBuffer] = []

  init(
    path: String, metadata: [String: [String]], encoding: Encoding, deadline: NIODeadline?, now: NIODeadline
  ) {
    self.path = path
    self.metadata = metadata
    self.encoding = encoding
    self.deadline = deadline
    lastProgress = now
  }

  /// Charges the metadata, which is kept as long as the request.
  mutating func chargeMetadata(_ shared: GRPCConnection.Shared) throws(GRPCFailure) {
    let size = metadata.reduce(0) { size, field in
      field.value.reduce(size + field.key.utf8.count) { $0 + $1.utf8.count }
    }
    guard size > 0 else { return }
    guard shared.budget.take(size) else { throw Self.overloaded(shared) }
    headCharge = size
    budget = shared.budget
  }

  /// Whether the client should be told that it may send more.
  var wantsMore: Bool {
    if case .deciding = phase { return false }
    return !isClientDone
  }

  /// Takes the bytes of a DATA frame.
  mutating func receive(_ data: ByteBuffer, _ shared: GRPCConnection.Shared) throws(GRPCFailure) {
    if case .deciding = phase { return try hold(data, shared) }
    var data = data
    while data.readableBytes > 0 {
      if prefixCount < 5 {
        try readPrefix(&data, shared)
      } else if remaining == 0 {
        throw GRPCFailure(
          .internalError, "more than one message in a unary request", reason: .malformed)
      } else if remaining >= data.readableBytes {
        remaining -= data.readableBytes
        try append(data, shared)
        return
      } else if let part = data.readSlice(length: remaining) {
        remaining = 0
        try append(part, shared)
      }
    }
  }

  /// Keeps bytes until it is known whether they are wanted: at most as many as the stream's window lets in.
  private mutating func hold(_ data: ByteBuffer, _ shared: GRPCConnection.Shared) throws(GRPCFailure) {
    guard data.readableBytes > 0 else { return }
    guard shared.budget.take(data.readableBytes) else { throw Self.overloaded(shared) }
    budget = shared.budget
    held.append(data)
  }

  /// Goes on with what was held: the client may send.
  /// - Returns: the bytes that were held.
  mutating func allow(_ shared: GRPCConnection.Shared) throws(GRPCFailure) -> Int {
    phase = .receiving
    let buffers = held
    giveHeld()
    for buffer in buffers { try receive(buffer, shared) }
    return buffers.reduce(0) { $0 + $1.readableBytes }
  }

  /// Drops what is held.
  private mutating func giveHeld() {
    budget?.give(held.reduce(0) { $0 + $1.readableBytes })
    held = []
  }

  private mutating func readPrefix(_ data: inout ByteBuffer, _ shared: GRPCConnection.Shared)
    throws(GRPCFailure)
  {
    if prefixCount == 0, data.readableBytes >= 5, let flag: UInt8 = data.readInteger(),
      let length: UInt32 = data.readInteger()
    {
      self.length = length
      prefixCount = 5
      return try start(flag, shared)
    }
    guard let byte: UInt8 = data.readInteger() else { return }
    if prefixCount == 0 {
      isCompressed = byte != 0
      if byte > 1 { throw Self.invalidFlag(byte) }
    } else {
      length = length << 8 | UInt32(byte)
    }
    prefixCount += 1
    if prefixCount == 5 { try start(isCompressed ? 1 : 0, shared) }
  }

  /// Checks the prefix; nothing is reserved for a message that will be refused.
  private mutating func start(_ flag: UInt8, _ shared: GRPCConnection.Shared) throws(GRPCFailure) {
    guard flag <= 1 else { throw Self.invalidFlag(flag) }
    guard length <= shared.messageLimit else {
      throw GRPCFailure(
        .resourceExhausted, "received message larger than max (\(length) vs. \(shared.messageLimit))",
        reason: .bodySize)
    }
    remaining = Int(length)
    var compression: CompressionAlgorithm?
    if flag == 1 {
      switch encoding {
      case .identity:
        throw GRPCFailure(
          .internalError, "compressed flag set with identity or empty encoding", reason: .encoding)
      case .known(let algorithm): compression = algorithm
      case .unknown(let name):
        throw GRPCFailure(
          .unimplemented,
          "grpc-encoding \"\(name)\" is not supported, supported: \(GRPCHeaders.acceptEncoding)",
          reason: .encoding)
      }
    }
    receiver = BodyReceiver(
      compression: compression, limit: shared.messageLimit, ratio: shared.limits.maxDecompressionRatio,
      announced: remaining, pool: shared.pool, budget: shared.budget, now: lastProgress)
  }

  private mutating func append(_ data: ByteBuffer, _ shared: GRPCConnection.Shared) throws(GRPCFailure) {
    do throws(BodyReceiver.Failure) {
      try receiver?.append(data)
    } catch {
      throw Self.failure(error, shared)
    }
  }

  /// Ends the message: its bytes, and the charge that goes with them.
  mutating func finish(_ shared: GRPCConnection.Shared) throws(GRPCFailure) -> (bytes: [UInt8], charge: Int) {
    guard prefixCount > 0 else {
      throw GRPCFailure(.internalError, "no message in a unary request", reason: .malformed)
    }
    guard prefixCount == 5, remaining == 0, var receiver else {
      throw GRPCFailure(.internalError, "the message ends too early", reason: .malformed)
    }
    self.receiver = nil
    do throws(BodyReceiver.Failure) {
      try receiver.finish()
    } catch {
      receiver.release()
      throw Self.failure(error, shared)
    }
    phase = .handed
    defer { headCharge = 0 }
    return (receiver.takeBytes(), receiver.takeCharge() + headCharge)
  }

  /// Whether the message is being received, and too slowly to keep its room.
  func isSlow(at now: NIODeadline, patience: TimeAmount) -> Bool {
    receiver?.isSlow(at: now, patience: patience) ?? false
  }

  /// Gives up what was received.
  mutating func release() {
    receiver?.release()
    receiver = nil
    budget?.give(headCharge)
    headCharge = 0
    giveHeld()
  }

  private static func failure(_ failure: BodyReceiver.Failure, _ shared: GRPCConnection.Shared) -> GRPCFailure
  {
    switch failure {
    case .tooDense:
      let ratio = shared.limits.maxDecompressionRatio
      return GRPCFailure(
        .resourceExhausted, "the message decompresses to more than \(ratio) times its size",
        reason: .compressionRatio)
    case .tooLarge:
      return GRPCFailure(
        .resourceExhausted, "received message after decompression larger than max \(shared.messageLimit)",
        reason: .bodySize)
    case .corrupt(let reason):
      return GRPCFailure(
        .internalError, "failed to decompress the message: \(reason)", reason: .encoding)
    case .overloaded:
      return overloaded(shared)
    }
  }

  /// The refusal that asks the client to come back later.
  static func overloaded(_ shared: GRPCConnection.Shared) -> GRPCFailure {
    let text = "too many request bytes are under way, try again later"
    return GRPCFailure(
      .unavailable, text, details: shared.handler.overloadDetails(text), reason: .overload)
  }

  private static func invalidFlag(_ flag: UInt8) -> GRPCFailure {
    GRPCFailure(.internalError, "invalid compression flag \(flag)", reason: .malformed)
  }
}
