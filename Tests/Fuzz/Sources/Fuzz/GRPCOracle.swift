import Logging
import NIOCore
import NIOHPACK

@testable import NativeCodecs
@testable import Transport

/// What must hold for the five-byte framing of gRPC messages on both sides.
///
/// The first byte chooses the encoding and how the rest is cut into chunks.
enum GRPCOracle {
  /// Bytes of a message; the smallest limit that the server's settings can express.
  private static let limit = 1 << 20
  private static let encodings: [String?] = [nil, "identity", "gzip", "deflate", "zstd", "snappy", "br"]

  static func check(_ input: [UInt8]) throws {
    guard let control = input.first else { return }
    let body = Array(input.dropFirst())
    let encoding = encodings[Int(control >> 3) % encodings.count]
    var cuts = Chunks(seed: UInt64(control))
    let chunks = cuts.cut(body)
    let (whole, parts) = (try receive([body[...]], encoding), try receive(chunks, encoding))
    try require(
      whole == parts, "the message depends on how it is cut: \(whole.description), \(parts.description)")
    let answer = read([body[...]], encoding)
    try require(answer == read(chunks, encoding), "the answer depends on how it is cut")
    guard case .message(let message) = whole else { return }
    try require(message.count <= limit, "a message of \(message.count) bytes")
    if body.first == 0 { try require(body[5...].elementsEqual(message), "a message changed") }
    // A client takes an absent encoding for identity, too, and so refuses compressed messages as the server does.
    try require(answer == .message(message), "the client read \(answer.description)")
  }

  enum Result: Equatable, CustomStringConvertible {
    case message([UInt8])
    case failure

    var description: String {
      switch self {
      case .message(let bytes): "\(bytes.count) bytes"
      case .failure: "a failure"
      }
    }
  }

  /// The server's side.
  private static func receive(_ chunks: [ArraySlice<UInt8>], _ encoding: String?) throws -> Result {
    var config = GRPCServerConfig()
    config.maxRecvMsgSizeMiB = 1
    let server = GRPCServer(config: config, handler: NumberingGRPCHandler(.atOnce), logger: logger)
    let shared = server.shared
    let budget = shared.budget
    var headers: HPACKHeaders = [":method": "POST", ":path": "/a/B", "content-type": "application/grpc"]
    if let encoding { headers.add(name: "grpc-encoding", value: encoding) }
    var stream = try demand("the head") { try GRPCHeaders.request(headers, shared, peer: "", now: .now()) }
    let result: Result
    do throws(GRPCFailure) {
      for chunk in chunks { try stream.receive(ByteBuffer(bytes: chunk), shared) }
      let (bytes, charge) = try stream.finish(shared)
      if charge < bytes.count || charge != budget.held {
        throw GRPCFailure(.dataLoss, "\(bytes.count) bytes are charged as \(charge), \(budget.held) are held")
      }
      budget.give(charge)
      result = .message(bytes)
    } catch {
      if error.code == .dataLoss { throw OracleFailure(description: error.message) }
      result = .failure
    }
    stream.release()
    try require(budget.held == 0, "\(budget.held) bytes are held after the end")
    return result
  }

  /// The client's side.
  private static func read(_ chunks: [ArraySlice<UInt8>], _ encoding: String?) -> Result {
    let reader = GRPCMessageReader(limit: limit, decompressors: decompressors)
    reader.encoding = encoding
    for chunk in chunks where !reader.append(ByteBuffer(bytes: chunk)) { return .failure }
    if case .success(let bytes) = reader.message(), chunks.contains(where: { !$0.isEmpty }) {
      return .message(bytes)
    }
    return .failure
  }

  private static let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
  private static let decompressors = DecompressorPool()

  static let seeds: [[UInt8]] = {
    let text = Array("hello hello hello hello".utf8)
    var seeds: [[UInt8]] = [
      [0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 5] + text.prefix(5), [2, 0, 0, 0, 0, 5, 1],
    ]
    for (index, name) in encodings.enumerated() {
      guard let algorithm = name.flatMap({ CompressionAlgorithm(grpcEncoding: $0) }),
        let bytes = try? Compressor(algorithm).compress(text)
      else { continue }
      seeds.append([UInt8(index << 3 | 3), 1, 0, 0, 0, UInt8(bytes.count)] + bytes)
    }
    return seeds
  }()
}
