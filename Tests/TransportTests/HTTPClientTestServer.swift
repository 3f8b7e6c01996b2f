import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP/1.1 server that answers as a test says.
final class HTTPClientTestServer: Sendable {
  struct Request: Sendable {
    var head: HTTPRequestHead
    var body: [UInt8]
    var number: Int
  }

  struct Answer: Sendable {
    var status: Int
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// Close the connection instead of answering.
    var hangsUp = false
    /// Do nothing.
    var isSilent = false
    /// Never send the last byte that the head tells of.
    var isUnfinished = false
  }

  private let channel: any Channel
  private let shared: Shared
  let port: Int

  init(_ script: @escaping @Sendable (Request) -> Answer) async throws {
    let shared = Shared(script: script)
    self.shared = shared
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        shared.accepted.withLock { $0.append(channel) }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
          try channel.pipeline.syncOperations.addHandler(Handler(shared: shared))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  var requests: [Request] { shared.requests.withLock { $0 } }
  var connections: Int { shared.accepted.withLock { $0.count } }
  var url: String { "http://127.0.0.1:\(port)" }

  func stop() async {
    try? await channel.close().get()
    for channel in shared.accepted.withLock({ $0 }) { try? await channel.close().get() }
  }

  fileprivate final class Shared: Sendable {
    let script: @Sendable (Request) -> Answer
    let requests = Mutex<[Request]>([])
    let accepted = Mutex<[any Channel]>([])
    init(script: @escaping @Sendable (Request) -> Answer) { self.script = script }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let shared: Shared
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(shared: Shared) { self.shared = shared }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        self.head = head
        body = []
      case .body(let buffer): body += buffer.readableBytesView
      case .end:
        guard let head else { return }
        let request = shared.requests.withLock { requests in
          let request = Request(head: head, body: body, number: requests.count)
          requests.append(request)
          return request
        }
        answer(shared.script(request), context)
      }
    }

    private func answer(_ answer: Answer, _ context: ChannelHandlerContext) {
      if answer.hangsUp { return context.close(promise: nil) }
      if answer.isSilent { return }
      var headers = HTTPHeaders(answer.headers)
      headers.add(name: "content-length", value: "\(answer.body.count + (answer.isUnfinished ? 1 : 0))")
      let head = HTTPResponseHead(
        version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
      if answer.isUnfinished { return context.flush() }
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}

/// A peer that sends HTTP/2 settings and then never anything again.
final class SilentPeer: Sendable {
  private let channel: any Channel
  let port: Int

  init() async throws {
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Greeting())
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = channel.localAddress?.port ?? 0
  }

  func stop() async { try? await channel.close().get() }

  private final class Greeting: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    func channelActive(context: ChannelHandlerContext) {
      context.writeAndFlush(NIOAny(ByteBuffer(bytes: [0, 0, 0, 4, 0, 0, 0, 0, 0])), promise: nil)
    }
  }
}
