internal import NIOCore
internal import NativeCodecs

/// Gathers the one message of a unary answer.
final class GRPCMessageReader {
  struct Problem: Error { let text: String }

  /// The most bytes of a message, compressed or not.
  let limit: Int
  /// What `grpc-encoding` said.
  var encoding: String?
  private let decompressors: DecompressorPool
  private var received: [UInt8] = []

  init(limit: Int, decompressors: DecompressorPool) {
    self.limit = limit
    self.decompressors = decompressors
  }

  /// Takes bytes as they come; false when they are more than a message may have.
  func append(_ buffer: ByteBuffer) -> Bool {
    guard buffer.readableBytes <= limit + 5 - received.count else { return false }
    received.append(contentsOf: buffer.readableBytesView)
    return true
  }

  /// The message, decompressed; no message at all reads as an empty one.
  func message() -> Result<[UInt8], Problem> {
    if received.isEmpty { return .success([]) }
    guard received.count >= 5 else { return .failure(Problem(text: "the answer's message is cut short")) }
    let length = received[1..<5].reduce(0) { $0 << 8 | Int($1) }
    guard received.count == 5 + length else {
      return .failure(Problem(text: "the answer is not exactly one message"))
    }
    switch received[0] {
    case 0: return .success(Array(received[5...]))
    case 1:
      guard let encoding, let algorithm = CompressionAlgorithm(grpcEncoding: encoding) else {
        return .failure(Problem(text: "the answer is compressed with unknown \(encoding ?? "encoding")"))
      }
      let bytes = received
      do {
        return .success(
          try decompressors.decompress(bytes.span.extracting(5..<bytes.count), algorithm, limit: limit))
      } catch {
        return .failure(Problem(text: "the answer cannot be decompressed: \(error)"))
      }
    default: return .failure(Problem(text: "the answer's message has invalid flags"))
    }
  }
}
