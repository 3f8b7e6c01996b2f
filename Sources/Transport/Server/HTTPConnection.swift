internal import ConfigSchema
internal import NIOCore
internal import PipelineKit

/// One HTTP/1.1 connection: reads requests, hands them on one at a time, writes answers in order.
///
/// While a request waits for its answer nothing more is read from the socket, so that a client that sends faster than
/// it is answered is slowed down by TCP. Confined to the connection's event loop.
final class HTTPConnection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    /// Between requests.
    case idle
    /// Bytes of a request came, its head is not complete.
    case arriving
    /// Whether the client may send is being found out; the body is left unread.
    case deciding
    /// The body is being received.
    case receiving
    /// The request is answered already; so many more bytes of its body are read and dropped.
    case discarding(Int)
    /// The handler has the request.
    case waiting
    /// The last answer is written; what the client still sends is dropped until it closes.
    case lingering
    case closed
  }

  /// Bytes of an unwanted body that are read to keep the connection; beyond, it is closed.
  static let maxDiscard = 256 << 10
  /// Bytes of headers that do not count as held: what ordinary requests have.
  static let freeHeaderBytes = 2 << 10

  let shared: Shared
  let loop: any EventLoop
  var context: ChannelHandlerContext?
  var phase = Phase.idle
  /// Which request of the connection is being served; an answer to another one is stale.
  var exchange: UInt64 = 0
  var isDraining = false
  /// Whether bytes are being processed further up the stack.
  private var isProcessing = false
  private var isReadHeld = false
  /// Whether a read burst is under way, at whose end everything written is flushed.
  var isInBurst = false
  var needsFlush = false
  var timing: Timing
  private var reader: HTTPRequestReader
  /// What came and cannot be used yet: the beginning of something, or what follows a request that is not answered. No
  /// more than one burst of reads, and a head as large as it may be.
  private var unread = ByteBuffer()
  private var isInputClosed = false
  private(set) var peer = ""

  /// The request being received or served.
  var current = RequestLine()
  private var receiver: BodyReceiver?
  var dateText = ""
  var dateSecond = -1

  init(shared: Shared, loop: any EventLoop) {
    self.shared = shared
    self.loop = loop
    timing = Timing(loop: loop)
    reader = HTTPRequestReader(shared.limits)
  }

  // MARK: Life

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    timing.timer.whenExpired { [weak self] in self?.deadlinePassed() }
    if context.channel.isActive { activate(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelActive(context: ChannelHandlerContext) { activate(context) }

  func channelInactive(context: ChannelHandlerContext) { end() }

  private func activate(_ context: ChannelHandlerContext) {
    peer = ListenAddress.text(context.remoteAddress)
    if shared.connections.isDraining { return context.close(promise: nil) }
    setDeadline(after: shared.readHeaderTimeout ?? shared.idleTimeout)
  }

  private func end() {
    phase = .closed
    abandonBody()
    unread = ByteBuffer()
    timing.timer.end()
    context = nil
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is Listener.Drain:
      isDraining = true
      if case .idle = phase { context.close(promise: nil) }
    case is ConnectionSet.MakeRoom:
      if case .receiving = phase, let receiver, receiver.isSlow(at: .now(), patience: shared.patience) {
        refuse(shared.answer(to: .overloaded, contentType: current.contentType))
      }
    case ChannelEvent.inputClosed:
      isInputClosed = true
      if isHolding { current.keepsAlive = false } else { context.close(promise: nil) }
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Answers a request that cannot be read on, and ends the connection.
  func fail(_ reason: RefusalReason, _ status: Int, _ message: String) {
    shared.count(reason)
    abandonBody()
    current.keepsAlive = false
    send(shared.handler.failure(status, message, contentType: current.contentType))
  }

  // MARK: Reading

  /// Whether what comes in is kept for later, and no more of it is asked for.
  private var isHolding: Bool {
    switch phase {
    case .waiting, .deciding: true
    default: false
    }
  }

  /// Whether what comes in is dropped.
  private var isEnding: Bool {
    switch phase {
    case .lingering, .closed: true
    default: false
    }
  }

  func read(context: ChannelHandlerContext) {
    if isHolding {
      isReadHeld = true
    } else if !context.channel.isWritable {
      isReadHeld = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      setWriteDeadline(nil)
      resumeReading()
    } else {
      setWriteDeadline(shared.writeTimeout)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isInBurst = true
    var bytes = unwrapInboundIn(data)
    if isEnding { return }
    if case .idle = phase { beginArrival() }
    if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
    advance()
  }

  private func fail(_ failure: HTTPRequestReader.Failure) {
    let (reason, status, message) =
      switch failure {
      case .tooLong: (RefusalReason.headers, 431, "the headers are too large")
      case .malformed(let why): (RefusalReason.malformed, 400, "malformed HTTP request: \(why)")
      }
    switch phase {
    case .discarding:
      // It has its answer.
      shared.count(reason)
      current.keepsAlive = false
      return linger()
    case .arriving:
      // Nothing is known of it; what was before it is no matter.
      current = RequestLine()
    default: break
    }
    fail(reason, status, message)
  }

  private func beginArrival() {
    phase = .arriving
    timing.requestStart = .now()
    setDeadline(after: shared.readHeaderTimeout ?? shared.readTimeout)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isInBurst = false
    flushIfNeeded()
    context.fireChannelReadComplete()
  }

  /// Goes on with what was read while the last request waited; called when it is answered.
  func resume() {
    guard !isProcessing else { return }
    advance()
    if isInputClosed, case .receiving = phase {
      // The rest of the body was never sent.
      context?.close(promise: nil)
    }
    resumeReading()
  }

  /// Does what can be done with the bytes that are there.
  private func advance() {
    guard !isProcessing else { return }
    isProcessing = true
    defer { isProcessing = false }
    do throws(HTTPRequestReader.Failure) {
      while !isHolding, !isEnding, let part = try reader.next(from: &unread) { process(part) }
    } catch {
      fail(error)
    }
    switch phase {
    case .lingering, .closed: unread = ByteBuffer()
    case .idle where unread.readableBytes > 0: beginArrival()
    // It was nothing but an empty line.
    case .arriving where unread.readableBytes == 0: becomeIdle()
    default: break
    }
    // A few bytes must not hold on to the large buffer that they came with.
    if unread.readableBytes < unread.storageCapacity / 4 {
      unread = unread.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: unread.readableBytesView)
    }
  }

  private func resumeReading() {
    guard isReadHeld, !isHolding, let context, context.channel.isWritable else { return }
    isReadHeld = false
    context.read()
  }

  private func process(_ part: HTTPRequestReader.Part) {
    switch part {
    case .head(let head): begin(head)
    case .body(let buffer): receive(buffer)
    case .end: finish()
    }
  }

  private func begin(_ head: RequestHead) {
    exchange &+= 1
    current = RequestLine(head, keepsAlive: shared.keepsAlive && !isDraining)
    if shared.authentication == nil { admit() } else { authenticate() }
  }

  /// Goes on with a request whose sender may send.
  func admit() {
    switch shared.verdict(current) {
    case .refuse(let answer): refuse(answer)
    case .receive(let compression):
      if current.expectsContinue { write(Self.continueBytes) }
      receiver = BodyReceiver(
        compression: compression, limit: shared.bodyLimit, ratio: shared.limits.maxDecompressionRatio,
        announced: current.contentLength ?? 0, pool: shared.pool, budget: shared.budget, now: .now(),
        overhead: max(0, current.headerBytes - Self.freeHeaderBytes))
      phase = .receiving
      setBodyDeadline()
      do throws(BodyReceiver.Failure) {
        try receiver?.charge()
      } catch {
        refuse(shared.answer(to: error, contentType: current.contentType))
      }
    }
  }

  private static let continueBytes = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")

  private func receive(_ buffer: ByteBuffer) {
    switch phase {
    case .receiving:
      do throws(BodyReceiver.Failure) {
        try receiver?.append(buffer)
        setBodyDeadline()
      } catch {
        refuse(shared.answer(to: error, contentType: current.contentType))
      }
    case .discarding(let left):
      if buffer.readableBytes > left {
        linger()
      } else {
        phase = .discarding(left - buffer.readableBytes)
      }
    default: break
    }
  }

  private func finish() {
    switch phase {
    case .receiving:
      guard var receiver else { return }
      self.receiver = nil
      do throws(BodyReceiver.Failure) {
        try receiver.finish()
      } catch {
        receiver.release()
        current.bodyIsRead = true
        return refuse(shared.answer(to: error, contentType: current.contentType))
      }
      phase = .waiting
      setDeadline(after: nil)
      let responder = HTTPResponder(
        self, loop: loop, exchange: exchange, charge: receiver.takeCharge(), budget: shared.budget)
      shared.handler.handle(request(body: receiver.takeBytes()), responder)
    case .discarding: becomeIdle()
    default: break
    }
  }

  private func request(body: [UInt8]) -> ServerRequest {
    var metadata = shared.includesMetadata ? current.headers.grouped : [:]
    if let interest = shared.hooks.interest, !interest.isEmpty {
      let headers = current.headers
      interest.add(to: &metadata, peer: peer, shared.authentication) { headers.all($0) }
    }
    return ServerRequest(
      method: current.method, path: current.path, query: current.query, contentType: current.contentType,
      body: body, peer: peer, metadata: metadata, headers: current.headers)
  }

  /// Forgets the body received so far.
  func abandonBody() {
    receiver?.release()
    receiver = nil
  }

  /// Answers a request whose body is not wanted, or not wanted any more.
  func refuse(_ answer: HTTPAnswer) {
    abandonBody()
    let canSkipBody =
      current.bodyIsRead || !current.expectsContinue && (current.contentLength ?? 0) <= Self.maxDiscard
    if !canSkipBody { current.keepsAlive = false }
    let isWhole = current.bodyIsRead
    send(answer)
    guard current.keepsAlive else { return }
    if isWhole { becomeIdle() } else { phase = .discarding(Self.maxDiscard) }
  }
}
