internal import NIOCore
internal import NIOHTTP2
internal import NIOSSL
internal import NIOTLS

/// One HTTP/2 connection of a gRPC client.
///
/// Confined to its event loop. It is the last handler of the connection's pipeline, where the frames that concern no
/// stream arrive.
final class GRPCSession: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = HTTP2Frame

  private let link: GRPCLink
  private let channel: any Channel
  private let keepalive: ClientKeepaliveConfig?
  private let usesTLS: Bool
  private var isHandshakeDone = false
  private let pingTimer: WatchTimer
  private var multiplexer: NIOHTTP2Handler.StreamMultiplexer?
  private var lastRead = NIODeadline.now()
  private var awaitsPing = false
  private var openCalls = 0
  /// What the server allows; no limit unless it says so.
  private var maxCalls = Int.max
  private(set) var isReady = false
  /// No new calls: the server is going away, or we are.
  private(set) var isDraining = false
  /// The last stream the server says it processed, once it said so.
  private(set) var lastProcessedStream: HTTP2StreamID?
  /// Why the connection broke, once it did.
  private(set) var failure: String?

  init(link: GRPCLink, channel: any Channel, keepalive: ClientKeepaliveConfig?, usesTLS: Bool) {
    self.link = link
    self.channel = channel
    self.keepalive = keepalive
    self.usesTLS = usesTLS
    pingTimer = WatchTimer(loop: channel.eventLoop)
  }

  /// Adds the handlers of the connection.
  func install() throws {
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .initialWindowSize, value: 256 << 10),
      HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10),
    ]
    connection.targetWindowSize = 1 << 20
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.targetWindowSize = 256 << 10
    stream.outboundBufferSizeHighWatermark = GRPCStreamHandler.pieceSize
    stream.outboundBufferSizeLowWatermark = GRPCStreamHandler.pieceSize / 2
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(ArrivalNote(session: self))
    multiplexer = try pipeline.configureHTTP2Pipeline(
      mode: .client, connectionConfiguration: connection, streamConfiguration: stream,
      inboundStreamInitializer: { $0.close() })
    try pipeline.addHandler(self)
    pingTimer.whenExpired { [weak self] in self?.pingIsDue() }
  }

  // MARK: Calls

  /// Whether another call may start now.
  var hasRoom: Bool { isReady && !isDraining && openCalls < maxCalls }

  /// Opens a stream for a call.
  func start(_ call: GRPCCall) {
    guard let multiplexer else { return lost(call, reason: "the connection is closed", processed: false) }
    openCalls += 1
    if openCalls == 1 { watchForSilence() }
    let reader = link.messageReader()
    let loop = channel.eventLoop
    let promise = loop.makePromise(of: (any Channel).self)
    promise.futureResult.whenComplete { result in
      switch result {
      case .success(let stream): stream.closeFuture.whenComplete { _ in self.callEnded() }
      case .failure(let error):
        if !call.isFinished { self.lost(call, reason: FailureText.of(error), processed: false) }
        self.callEnded()
      }
    }
    let handler = NIOLoopBound(GRPCStreamHandler(call: call, session: self, reader: reader), eventLoop: loop)
    multiplexer.createStreamChannel(promise: promise) { stream in
      stream.eventLoop.makeCompletedFuture { try stream.pipeline.syncOperations.addHandler(handler.value) }
    }
  }

  private func callEnded() {
    openCalls -= 1
    if isDraining && openCalls == 0 { channel.close(promise: nil) }
    link.pump()
  }

  /// A call's stream ended without an answer.
  func lost(_ call: GRPCCall, reason: String, processed: Bool) {
    link.lost(call, reason: reason, processed: processed)
  }

  /// Closes the connection at once, with a reason for its calls.
  func close(_ reason: String) {
    note(reason)
    channel.close(promise: nil)
  }

  private func note(_ reason: String) {
    isDraining = true
    if failure == nil { failure = reason }
  }

  /// Notes an error from the socket or from TLS.
  fileprivate func noteFailure(_ error: any Error) {
    if isRefusedSilently, error is IOError || error as? NIOSSLError == .uncleanShutdown {
      return note(Self.silentRefusal)
    }
    let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate()
    note(TLSFailureText.of(error, peer: certificate) ?? FailureText.of(error))
  }

  /// Whether an end of the connection now means that the server did not like the handshake: with TLS 1.3 a client is
  /// through before the server has seen its certificate.
  private var isRefusedSilently: Bool { isHandshakeDone && !isReady && failure == nil }

  private static let silentRefusal =
    "the server closed the connection right after the TLS handshake: it may ask for a client certificate (tls.cert_file), or not accept ours"

  /// As in grpc-go, a server must say by ALPN that it speaks HTTP/2.
  fileprivate func handshakeCompleted(_ negotiated: String?) {
    isHandshakeDone = true
    if negotiated != "h2" { close("the server does not speak HTTP/2: it did not choose h2 by ALPN") }
  }

  // MARK: Connection frames

  func channelActive(context: ChannelHandlerContext) {
    link.sessionIsOpen(self)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data).payload {
    case .settings(.settings(let settings)):
      for setting in settings where setting.parameter == .maxConcurrentStreams { maxCalls = setting.value }
      if !isReady {
        isReady = true
        link.sessionIsReady(self)
      } else {
        link.pump()
      }
    case .goAway(let last, let code, let text):
      lastProcessedStream = min(lastProcessedStream ?? .maxID, last)
      let words = text.map { String(buffer: $0) } ?? ""
      if code != .noError { failure = "the server ended the connection: \(code) \(words)" }
      if code == .enhanceYourCalm && words == "too_many_pings" { link.pingLess() }
      isDraining = true
      link.sessionIsDraining(self)
      if openCalls == 0 { context.close(promise: nil) }
    case .ping(_, ack: true): awaitsPing = false
    default: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Errors of single streams pass here too and are their own affair.
    if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.StreamClosed { return }
    note(isReady || usesTLS ? FailureText.of(error) : "the server does not speak HTTP/2 (\(error))")
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isRefusedSilently { failure = Self.silentRefusal }
    isDraining = true
    pingTimer.end()
    multiplexer = nil
    link.sessionIsClosed(self)
    context.fireChannelInactive()
  }

  // MARK: Keepalive

  fileprivate func noteArrival() { lastRead = .now() }

  private func watchForSilence() {
    guard let keepalive, isReady, !awaitsPing else { return }
    lastRead = .now()
    pingTimer.set(.now() + link.pingInterval(keepalive))
  }

  private func pingIsDue() {
    guard let keepalive else { return }
    let now = NIODeadline.now()
    let timeout = keepalive.timeout > .zero ? keepalive.timeout : .seconds(20)
    if awaitsPing {
      return close("a keepalive ping was not answered within \(timeout)")
    }
    guard openCalls > 0 || keepalive.permitWithoutStream else { return }
    let due = lastRead + link.pingInterval(keepalive)
    guard now >= due else { return pingTimer.set(due) }
    awaitsPing = true
    channel.writeAndFlush(
      HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0x6B65_6570), ack: false)),
      promise: nil)
    pingTimer.set(now + TimeAmount(clamping: timeout))
  }
}

/// Notes that bytes or an error came from the socket, before HTTP/2 looks at them.
private final class ArrivalNote: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let session: GRPCSession

  init(session: GRPCSession) { self.session = session }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    session.noteArrival()
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    session.noteFailure(error)
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted(let negotiated) = event { session.handshakeCompleted(negotiated) }
    context.fireUserInboundEventTriggered(event)
  }
}
