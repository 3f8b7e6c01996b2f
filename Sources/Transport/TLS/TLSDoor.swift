internal import Logging
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// What a server's connections go through before they are served: the TLS handshake.
///
/// Until it is done a connection costs what the handshake itself needs: the handlers of the protocol are added after
/// it, and a peer that is silent, slow or speaks something else is closed.
struct TLSDoor: Sendable {
  /// What the server speaks within TLS.
  enum Inner: Sendable {
    /// HTTP/2, and a client must say so by ALPN, as in grpc-go.
    case grpc
    case http
    /// Bytes as they come; no protocol is negotiated.
    case stream

    var applicationProtocols: [String] {
      switch self {
      case .grpc: ["h2"]
      case .http: ["http/1.1"]
      case .stream: []
      }
    }
  }

  /// How long a handshake may take.
  static let handshakeTimeout = TimeAmount.seconds(10)
  /// The most bytes to read at a time: the TLS layer keeps what one turn of reading decrypts to.
  static let largestRead = 16 << 10

  let contexts: TLSRenewal<NIOSSLContext>
  let inner: Inner
  let timeout: TimeAmount
  let logger: Logger
  /// Told of each connection that failed before it was served; runs on event loops.
  let failed: (@Sendable () -> Void)?

  init(
    contexts: TLSRenewal<NIOSSLContext>, inner: Inner, timeout: TimeAmount = Self.handshakeTimeout,
    logger: Logger, failed: (@Sendable () -> Void)?
  ) {
    self.contexts = contexts
    self.inner = inner
    self.timeout = timeout
    self.logger = logger
    self.failed = failed
  }

  /// The door of a server; nil for plaintext.
  init?(_ tls: ServerTLSConfig?, inner: Inner, logger: Logger, hooks: ServerHooks) {
    guard let tls else { return nil }
    var failed: (@Sendable () -> Void)?
    if let refused = hooks.refused { failed = { refused(.tlsHandshake) } }
    self.init(
      contexts: tls.contexts(applicationProtocols: inner.applicationProtocols, logger: logger), inner: inner,
      logger: logger, failed: failed)
  }

  /// Adds the handlers of the handshake; `open` adds those of the protocol when it is done.
  func install(on channel: any Channel, open: @escaping @Sendable (any Channel) throws -> Void) throws {
    guard let context = contexts.latest else { throw ChannelError.operationUnsupported }
    let pipeline = channel.pipeline.syncOperations
    let look = TLSFirstBytes(inner: inner)
    try pipeline.addHandler(look)
    try pipeline.addHandler(NIOSSLServerHandler(context: context))
    try pipeline.addHandler(TLSHandshake(door: self, look: look, open: open))
  }
}

/// Waits for the end of a handshake behind the TLS handler.
private final class TLSHandshake: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let door: TLSDoor
  private let look: TLSFirstBytes
  private let open: @Sendable (any Channel) throws -> Void
  private var timer: Scheduled<Void>?
  private var isOver = false

  init(door: TLSDoor, look: TLSFirstBytes, open: @escaping @Sendable (any Channel) throws -> Void) {
    self.door = door
    self.look = look
    self.open = open
  }

  func handlerAdded(context: ChannelHandlerContext) {
    timer = context.eventLoop.assumeIsolated().scheduleTask(in: door.timeout) {
      self.fail(context, "the handshake took longer than \(self.door.timeout.nanoseconds / 1_000_000_000)s")
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    if !isOver { fail(context, "the client closed the connection") }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
    fail(context, TLSFailureText.of(error, peer: certificate) ?? FailureText.of(error))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case TLSUserEvent.handshakeCompleted(let negotiated): completed(context, negotiated)
    case is Listener.Drain: fail(context, nil)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  private func completed(_ context: ChannelHandlerContext, _ negotiated: String?) {
    guard !isOver else { return }
    if case .grpc = door.inner, negotiated != "h2" {
      return fail(context, "the client does not offer HTTP/2 (ALPN h2), which gRPC requires")
    }
    do {
      try open(context.channel)
    } catch {
      return fail(context, "\(error)")
    }
    end()
    let pipeline = context.pipeline.syncOperations
    pipeline.removeHandler(look, promise: nil)
    pipeline.removeHandler(context: context, promise: nil)
  }

  private func end() {
    isOver = true
    timer?.cancel()
    timer = nil
  }

  /// Ends a connection whose handshake failed; one that never sent a byte is no failure but a probe of the port.
  private func fail(_ context: ChannelHandlerContext, _ reason: String?) {
    guard !isOver else { return }
    end()
    // Past the TLS handler: there is no session to end in an orderly way.
    guard let reason, look.hasBytes else { return look.close() }
    door.logger.debug(
      "TLS handshake failed",
      metadata: ["peer": "\(ListenAddress.text(context.remoteAddress))", "reason": "\(reason)"])
    door.failed?()
    look.linger()
  }
}

/// The client began with something else than TLS.
struct PlaintextPeer: Error, CustomStringConvertible {
  var description: String { "the client speaks plaintext, not TLS" }
}

/// Looks at the first bytes of a connection before the TLS handler does, and has the last word when it fails.
private final class TLSFirstBytes: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long a client may take to read why it is refused.
  private static let patience = TimeAmount.seconds(1)

  private let inner: TLSDoor.Inner
  private var context: ChannelHandlerContext?
  private(set) var hasBytes = false
  private var isLingering = false

  init(inner: TLSDoor.Inner) { self.inner = inner }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isLingering { return }
    if !hasBytes {
      hasBytes = true
      // A record of the handshake; anything else is another protocol.
      if unwrapInboundIn(data).readableBytesView.first != 0x16 {
        if case .http = inner { answer(context) }
        return context.fireErrorCaught(PlaintextPeer())
      }
    }
    context.fireChannelRead(data)
  }

  /// Tells a client that speaks HTTP without TLS what is wrong, as Go's servers do.
  private func answer(_ context: ChannelHandlerContext) {
    let text = "this address speaks HTTPS: use https://\n"
    let head =
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    let answer = "\(head)Content-Length: \(text.utf8.count)\r\n\r\n\(text)"
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
  }

  /// Closes the socket.
  func close() { context?.close(promise: nil) }

  /// Closes the socket once the client did, or after a moment.
  ///
  /// With bytes of the client unread, closing at once would reset the connection, and with it the alert or the answer
  /// that says what is wrong.
  func linger() {
    guard let context, context.channel.isActive else { return close() }
    isLingering = true
    context.close(mode: .output, promise: nil)
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { self.close() }
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    // The TLS handler closes after each failure; here that is under way already.
    if isLingering {
      context.channel.closeFuture.cascade(to: promise)
    } else {
      context.close(mode: mode, promise: promise)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if isLingering, case ChannelEvent.inputClosed = event { return close() }
    context.fireUserInboundEventTriggered(event)
  }
}
