internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import NativeCodecs

/// What a gRPC client keeps between connections: the calls that wait, and the connection that takes them.
///
/// Confined to its event loop. There is one connection at a time that takes new calls; one that the server sent GOAWAY on
/// lives on beside it until its calls are answered.
final class GRPCLink: @unchecked Sendable {
  let loop: any EventLoop
  private let target: GRPCTarget
  private let config: GRPCClientConfig
  private let limits: GRPCClientLimits
  /// Nil for plaintext.
  private let tls: GRPCClientTLS?
  private let decompressors = DecompressorPool(capacity: 2)
  private var session: GRPCSession?
  /// Every connection that is open.
  private var sessions: [GRPCSession] = []
  private var isConnecting = false
  /// The connection that waits for the server's settings.
  private var handshaking: GRPCSession?
  private var waiting: [GRPCCall] = []
  private var failedConnects = 0
  private var pingSpacing = 1
  private var isShutDown = false
  private var whenClosed: [EventLoopPromise<Void>] = []

  init(
    loop: any EventLoop, target: GRPCTarget, config: GRPCClientConfig, limits: GRPCClientLimits,
    tls: GRPCClientTLS?
  ) {
    self.tls = tls
    self.loop = loop
    self.target = target
    self.config = config
    self.limits = limits
  }

  /// Takes a call; it is finished when answered, failed, timed out or aborted.
  func submit(_ call: GRPCCall) {
    guard !isShutDown else {
      return call.finish(
        GRPCReply(code: .unavailable, message: "the client of \(target.description) is shut down"))
    }
    call.arm(on: loop, target: target.description)
    waiting.append(call)
    pump()
  }

  /// Starts as many waiting calls as the connection has room for; connects when there is none.
  func pump() {
    waiting.removeAll { $0.isFinished }
    while !waiting.isEmpty {
      guard let session, !session.isDraining else { return connect() }
      guard session.hasRoom else { return }
      session.start(waiting.removeFirst())
    }
  }

  /// A call lost its stream: it moves on when the server certainly did not process it, else fails.
  func lost(_ call: GRPCCall, reason: String, processed: Bool) {
    if !processed, !call.wasMoved, !isShutDown {
      call.wasMoved = true
      waiting.insert(call, at: 0)
      // From a fresh turn: the connection may be in the middle of closing its streams.
      loop.execute { self.pump() }
    } else {
      call.finish(GRPCReply(code: .unavailable, message: "\(target.description): \(reason)"))
    }
  }

  func messageReader() -> GRPCMessageReader {
    GRPCMessageReader(limit: limits.maxReplySize, decompressors: decompressors)
  }

  /// After `too_many_pings` the interval doubles, as in other gRPC clients.
  func pingLess() { pingSpacing = min(pingSpacing * 2, 1024) }

  func pingInterval(_ keepalive: ClientKeepaliveConfig) -> TimeAmount {
    TimeAmount(clamping: max(keepalive.time, limits.minPingInterval) * pingSpacing)
  }

  // MARK: Connecting

  private func connect() {
    guard !isConnecting, !isShutDown else { return }
    isConnecting = true
    guard let tls else { return connect(context: nil) }
    tls.contexts.renewed(on: loop).whenComplete { result in
      switch result {
      case .success(let context): self.connect(context: context)
      case .failure(let error): self.connectFailed("\(error)")
      }
    }
  }

  private func connect(context: NIOSSLContext?) {
    let serverName = tls?.serverName
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(TimeAmount(clamping: limits.connectTimeout))
      .channelOption(.writeBufferWaterMark, value: .init(low: 64 << 10, high: 256 << 10))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let context {
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: context, serverHostname: serverName))
          }
          let session = GRPCSession(
            link: self, channel: channel, keepalive: self.config.keepalive, usesTLS: context != nil)
          try session.install()
        }
      }
    let connected: EventLoopFuture<any Channel> =
      switch target.address {
      case .host(let host, let port): bootstrap.connect(host: host, port: port)
      case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
      }
    connected.whenComplete { result in
      switch result {
      case .success(let channel): self.awaitSettings(of: channel)
      case .failure(let error): self.connectFailed(FailureText.of(error))
      }
    }
  }

  /// A connection is of use once the server's settings are there.
  private func awaitSettings(of channel: any Channel) {
    guard channel.isActive, let session = try? channel.pipeline.syncOperations.handler(type: GRPCSession.self)
    else { return connectFailed("the server closed the connection") }
    guard !session.isReady else { return }
    handshaking = session
    loop.scheduleTask(in: TimeAmount(clamping: limits.connectTimeout)) {
      if !session.isReady { session.close("the server did not answer the HTTP/2 handshake") }
    }
  }

  func sessionIsOpen(_ session: GRPCSession) {
    sessions.append(session)
    if isShutDown { session.close("the client is shut down") }
  }

  func sessionIsReady(_ session: GRPCSession) {
    guard !isShutDown else { return }
    isConnecting = false
    handshaking = nil
    failedConnects = 0
    self.session = session
    pump()
  }

  func sessionIsDraining(_ session: GRPCSession) {
    if self.session === session { self.session = nil }
    pump()
  }

  func sessionIsClosed(_ session: GRPCSession) {
    sessions.removeAll { $0 === session }
    if self.session === session { self.session = nil }
    if handshaking === session {
      handshaking = nil
      connectFailed(session.failure ?? "the server closed the connection")
    }
    if isShutDown && sessions.isEmpty { finishShutdown() }
    // Streams tell their calls in this turn; what they put back is started in the next.
    loop.execute { self.pump() }
  }

  private func connectFailed(_ reason: String) {
    guard isConnecting else { return }
    isConnecting = false
    failedConnects += 1
    if config.waitForReady && !isShutDown {
      isConnecting = true
      loop.scheduleTask(in: .milliseconds(Int64(min(100 << min(failedConnects, 10), 20_000)))) {
        self.isConnecting = false
        self.pump()
      }
      return
    }
    let message = "cannot connect to \(target.description): \(reason)"
    let calls = waiting
    waiting = []
    for call in calls { call.finish(GRPCReply(code: .unavailable, message: message)) }
  }

  // MARK: Shutdown

  /// Refuses new calls, fails those under way, and closes; the future is done when every connection is closed.
  func shutDown() -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    whenClosed.append(promise)
    isShutDown = true
    let calls = waiting
    waiting = []
    for call in calls {
      call.finish(GRPCReply(code: .unavailable, message: "the client of \(target.description) is shut down"))
    }
    if sessions.isEmpty { finishShutdown() }
    for session in sessions { session.close("the client is shut down") }
    return promise.futureResult
  }

  private func finishShutdown() {
    let promises = whenClosed
    whenClosed = []
    for promise in promises { promise.succeed() }
  }
}

/// Bounds of a gRPC client that have no key in the configuration.
struct GRPCClientLimits: Sendable {
  /// The most bytes of an answer; gRPC's default.
  var maxReplySize = 4 << 20
  /// For the connection and the HTTP/2 handshake, each.
  var connectTimeout: Duration = .seconds(20)
  /// Shorter keepalive times are raised to it, as servers and other clients expect.
  var minPingInterval: Duration = .seconds(10)
}
