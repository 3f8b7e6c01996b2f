import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Synchronization

/// A gRPC server whose every move a test decides: answers, resets, GOAWAY, silence.
final class GRPCClientTestServer: Sendable {
  struct Call: Sendable {
    var number: Int
    var headers: HPACKHeaders
    var message: [UInt8]
    var path: String { headers.first(name: ":path") ?? "" }
  }

  enum Move: Sendable {
    case answer([UInt8], headers: [(String, String)] = [])
    case status(String, message: String = "", details: String? = nil)
    case reset(HTTP2ErrorCode)
    case http(Int, contentType: String)
    /// A head without an end, and nothing after it.
    case openHTTP(Int, contentType: String)
    /// Message bytes without any trailers after them.
    case endWithoutTrailers
    /// GOAWAY that rules out this call, then nothing.
    case goAwayBefore
    /// The connection is closed.
    case hangUp
    case silence
  }

  private let channel: any Channel
  let port: Int

  init(
    settings: HTTP2Settings = [], port: Int = 0, _ script: @escaping @Sendable (Call) -> Move
  ) async throws {
    let shared = Shared(script: script)
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        shared.accepted.withLock { $0.append(channel) }
        return channel.eventLoop.makeCompletedFuture {
          var connection = NIOHTTP2Handler.ConnectionConfiguration()
          connection.initialSettings = settings
          _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: connection, streamConfiguration: .init()
          ) { stream in
            stream.eventLoop.makeCompletedFuture {
              try stream.pipeline.syncOperations.addHandler(
                StreamHandler(shared: shared, connection: channel))
            }
          }
        }
      }
    channel = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
    self.port = channel.localAddress?.port ?? 0
    self.shared = shared
  }

  private let shared: Shared

  var connections: Int { shared.accepted.withLock { $0.count } }
  var calls: [Call] { shared.calls.withLock { $0 } }
  /// The most calls that were open at one time.
  var mostAtOnce: Int { shared.atOnce.withLock { $0.most } }
  /// The calls that are open now.
  var openCalls: Int { shared.atOnce.withLock { $0.now } }

  /// Closes every connection, and keeps listening.
  func hangUp() async {
    let channels = shared.accepted.withLock { $0 }
    for channel in channels { try? await channel.close().get() }
  }

  func stop() async {
    try? await channel.close().get()
    await hangUp()
  }

  fileprivate final class Shared: Sendable {
    let script: @Sendable (Call) -> Move
    let accepted = Mutex<[any Channel]>([])
    let calls = Mutex<[Call]>([])
    let atOnce = Mutex<(now: Int, most: Int)>((0, 0))
    init(script: @escaping @Sendable (Call) -> Move) { self.script = script }
  }
}

private final class StreamHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  private let shared: GRPCClientTestServer.Shared
  private let connection: any Channel
  private var headers = HPACKHeaders()
  private var message: [UInt8] = []

  init(shared: GRPCClientTestServer.Shared, connection: any Channel) {
    self.shared = shared
    self.connection = connection
  }

  func channelActive(context: ChannelHandlerContext) {
    shared.atOnce.withLock {
      $0.now += 1
      $0.most = max($0.most, $0.now)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { shared.atOnce.withLock { $0.now -= 1 } }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var ended = false
    switch unwrapInboundIn(data) {
    case .headers(let payload):
      headers = payload.headers
      ended = payload.endStream
    case .data(let payload):
      if case .byteBuffer(let buffer) = payload.data { message += buffer.readableBytesView }
      ended = payload.endStream
    default: break
    }
    guard ended else { return }
    let call = shared.calls.withLock { calls in
      let call = GRPCClientTestServer.Call(number: calls.count, headers: headers, message: message)
      calls.append(call)
      return call
    }
    make(shared.script(call), context: context)
  }

  private func make(_ move: GRPCClientTestServer.Move, context: ChannelHandlerContext) {
    switch move {
    case .answer(let message, let extra):
      var head = HPACKHeaders([(":status", "200"), ("content-type", "application/grpc")])
      for (name, value) in extra { head.add(name: name, value: value) }
      send(head, end: false, context)
      context.write(
        wrapOutboundOut(.data(.init(data: .byteBuffer(ByteBuffer(bytes: message))))), promise: nil)
      send(["grpc-status": "0"], end: true, context)
    case .status(let code, let message, let details):
      var head = HPACKHeaders([
        (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", code),
      ])
      if !message.isEmpty { head.add(name: "grpc-message", value: message) }
      if let details { head.add(name: "grpc-status-details-bin", value: details) }
      send(head, end: true, context)
    case .reset(let code):
      context.writeAndFlush(wrapOutboundOut(.rstStream(code)), promise: nil)
    case .http(let status, let type):
      send([":status": "\(status)", "content-type": type], end: false, context)
      context.writeAndFlush(
        wrapOutboundOut(.data(.init(data: .byteBuffer(ByteBuffer(string: "oh no")), endStream: true))),
        promise: nil)
    case .openHTTP(let status, let type):
      send([":status": "\(status)", "content-type": type], end: false, context)
    case .endWithoutTrailers:
      send([":status": "200", "content-type": "application/grpc"], end: false, context)
      context.writeAndFlush(
        wrapOutboundOut(
          .data(.init(data: .byteBuffer(ByteBuffer(bytes: [0, 0, 0, 0, 0])), endStream: true))),
        promise: nil)
    case .goAwayBefore:
      guard let id = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) else {
        return
      }
      connection.writeAndFlush(
        HTTP2Frame(
          streamID: .rootStream,
          payload: .goAway(
            lastStreamID: HTTP2StreamID(max(0, Int(id) - 2)), errorCode: .noError, opaqueData: nil)),
        promise: nil)
    case .hangUp: connection.close(promise: nil)
    case .silence: break
    }
  }

  private func send(_ headers: HPACKHeaders, end: Bool, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: end))), promise: nil)
  }
}

/// A message as gRPC frames it.
func grpcFramed(_ message: [UInt8], compressed: Bool = false) -> [UInt8] {
  let length = UInt32(message.count)
  return [compressed ? 1 : 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + message
}
