import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import Transport

/// What must hold between the server's reader of requests and another one: of the same bytes both make the same requests.
///
/// A request that one reader sees and the other does not is how requests are smuggled through proxies. The server's may
/// refuse more than the other; what it accepts, the other must not refuse.
enum HTTPReaderOracle {
  static func check(_ bytes: [UInt8]) throws {
    let ours = read(bytes)
    let others = Reference.read(bytes)
    for (index, (our, other)) in zip(ours, others.requests).enumerated() {
      try require(our == other, "request \(index):\n\(our)\nbut by the reference\n\(other)")
    }
    guard ours.count > others.requests.count, others.hasFailed else { return }
    let accepted = ours[others.requests.count]
    // It takes no tab behind a number, and lets a trailer end the connection.
    if bytes.contains(0x09) || ours[..<others.requests.count].contains(where: \.isChunked) { return }
    try require(
      !Reference.knows(accepted.method) || accepted.hasOddTarget,
      "request \(others.requests.count) is refused by the reference: \(accepted)")
  }

  struct Request: Equatable {
    var method = ""
    var target = ""
    var fields: [String] = []
    var body: [UInt8] = []

    /// Whether the reference may refuse it for its target: it looks at more than where that ends.
    var hasOddTarget: Bool { !target.hasPrefix("/") || target.utf8.contains { $0 >= 0x80 || $0 == 0x23 } }
  }

  /// The whole requests that the server's reader finds.
  private static func read(_ bytes: [UInt8]) -> [Request] {
    var reader = HTTPRequestReader(ServerLimits())
    var buffer = ByteBuffer(bytes: bytes)
    var requests: [Request] = []
    var current = Request()
    var isLast = false
    do {
      while let part = try reader.next(from: &buffer) {
        switch part {
        case .head(let head):
          current = Request(method: head.method, target: head.target)
          isLast = !head.keepsAlive || head.method == "CONNECT"
          for index in head.headers.indices {
            current.fields.append("\(head.headers.name(at: index)): \(head.headers.value(at: index))")
          }
        case .body(let bytes): current.body += bytes.readableBytesView
        case .end:
          requests.append(current)
          // What follows is not for a server to read; the reference stops at offers to upgrade as well.
          if isLast || current.offers("upgrade") { return requests }
        }
      }
    } catch {}
    return requests
  }

  /// The reader of NIO, which is Node's.
  private final class Reference: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private(set) var requests: [Request] = []
    private(set) var hasFailed = false
    private var current = Request()

    static func read(_ bytes: [UInt8]) -> Reference {
      let reference = Reference()
      let channel = EmbeddedChannel()
      try? channel.pipeline.syncOperations.addHandlers([
        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)), reference,
      ])
      do { try channel.writeInbound(ByteBuffer(bytes: bytes)) } catch { reference.hasFailed = true }
      _ = try? channel.finish(acceptAlreadyClosed: true)
      return reference
    }

    static func knows(_ method: String) -> Bool {
      ["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "CONNECT", "TRACE"].contains(method)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        current = Request(method: head.method.rawValue, target: head.uri)
        // It leaves blanks behind a value, which do not belong to it (RFC 9110 §5.5).
        for (name, value) in head.headers {
          current.fields.append("\(name): \(HTTPToken.trimmed(value[...]))")
        }
      case .body(let bytes): current.body += bytes.readableBytesView
      case .end: requests.append(current)
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { hasFailed = true }
  }
}

extension HTTPReaderOracle.Request {
  fileprivate var isChunked: Bool { offers("transfer-encoding") }

  fileprivate func offers(_ field: String) -> Bool {
    fields.contains { $0.lowercased().hasPrefix(field + ":") }
  }
}
