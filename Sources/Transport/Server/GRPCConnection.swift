internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// One HTTP/2 connection of a gRPC server: all its streams in one handler.
///
/// The frames come straight from the HTTP/2 handler, without a channel per stream: a unary request needs no more than
/// an entry in a table. Confined to the connection's event loop.
final class GRPCConnection: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  let shared: Shared
  let loop: any EventLoop
  private let watch: GoAwayWatch
  var context: ChannelHandlerContext?
  var streams: [HTTP2StreamID: GRPCStream] = [:]
  /// The newest stream seen.
  var lastStreamID = HTTP2StreamID.rootStream
  /// Whether frames of one read burst are being processed; the HTTP/2 handler flushes at its end.
  var isInBurst = false
  private var isFlushScheduled = false
  /// The time at the start of the current burst.
  var now = NIODeadline.now()
  var life: Life
  private(set) var peer = ""

  init(shared: Shared, loop: any EventLoop, watch: GoAwayWatch) {
    self.shared = shared
    self.loop = loop
    self.watch = watch
    life = Life(loop: loop)
  }

  // MARK: Connection

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    life.timer.whenExpired { [weak self] in self?.tick() }
    if context.channel.isActive { activate(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelActive(context: ChannelHandlerContext) {
    activate(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func activate(_ context: ChannelHandlerContext) {
    peer = ListenAddress.text(context.remoteAddress)
    write(.windowUpdate(windowSizeIncrement: Shared.connectionWindow - 65_535), to: .rootStream)
    flushSoon()
    startLife()
    if shared.connections.isDraining { beginGoingAway() }
  }

  private func end() {
    for id in Array(streams.keys) { streams[id]?.release() }
    shared.openStreams.give(streams.count)
    streams.removeAll()
    life.timer.end()
    context = nil
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is IOError {
      context.close(promise: nil)
    } else if let code = watch.failure {
      guard !life.isClosing else { return }
      shared.count(RefusalReason(error, code))
      closeSoon()
    } else if let reason = RefusalReason(streamError: error) {
      // A stream's error has ended that stream already; the connection goes on.
      shared.count(reason)
    }
  }

  /// Says that bytes arrived before the HTTP/2 handler sees them; false drops them.
  func bytesArrived(_ bytes: ByteBufferView) -> Bool {
    guard !life.isClosing else { return false }
    let hasEnded = life.frames.advance(over: bytes)
    if !life.frames.isPartial {
      life.partialSince = nil
    } else if hasEnded || life.partialSince == nil {
      let now = NIODeadline.now()
      life.partialSince = now
      life.timer.bringForward(to: now + shared.stallTimeout)
    }
    return true
  }

  // MARK: Frames

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !life.isClosing else { return }
    if !isInBurst {
      isInBurst = true
      now = .now()
      life.lastRead = now
    }
    let frame = unwrapInboundIn(data)
    switch frame.payload {
    case .data(let payload):
      guard case .byteBuffer(let buffer) = payload.data else { return }
      receive(buffer, isEnd: payload.endStream, on: frame.streamID)
    case .headers(let payload): receive(payload.headers, isEnd: payload.endStream, on: frame.streamID)
    case .ping(_, let ack):
      if ack { pingAnswered() } else { pingReceived() }
    case .settings(.ack): life.handshakeEnd = nil
    case .settings(.settings(let settings)):
      if settings.count > Self.maxSettings { refuse(.controlFrames, .enhanceYourCalm) }
    case .windowUpdate:
      if life.windowUpdates.isTooMany(at: now, rate: shared.controlFrameRate) {
        refuse(.controlFrames, .enhanceYourCalm)
      }
    default: break
    }
  }

  /// Entries of one SETTINGS frame: there are about ten kinds, and each may change the windows of all streams.
  private static let maxSettings = 64

  func channelReadComplete(context: ChannelHandlerContext) {
    isInBurst = false
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    setWriteDeadline(isNeeded: !context.channel.isWritable)
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as NIOHTTP2WindowUpdatedEvent: windowChanged(event)
    case let event as StreamClosedEvent: remove(event.streamID)
    case is Listener.Drain: beginGoingAway()
    case is ConnectionSet.MakeRoom: makeRoom()
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// Lets the client send more once half of a window is used.
  private func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
    guard let size = event.inboundWindowSize else { return }
    if event.streamID == .rootStream {
      if size <= Shared.connectionWindow / 2 {
        write(.windowUpdate(windowSizeIncrement: Shared.connectionWindow - size), to: .rootStream)
        flushSoon()
      }
    } else if size <= Shared.streamWindow / 2, streams[event.streamID]?.wantsMore == true {
      write(.windowUpdate(windowSizeIncrement: Shared.streamWindow - size), to: event.streamID)
      flushSoon()
    }
  }

  private func receive(_ headers: HPACKHeaders, isEnd: Bool, on id: HTTP2StreamID) {
    if streams[id] != nil {
      // Trailers: gRPC clients have none, but may end the request this way.
      if isEnd {
        streams[id]?.isClientDone = true
        finish(id)
      }
      return
    }
    // Headers of a stream that was answered before it was complete.
    guard id > lastStreamID else { return }
    lastStreamID = id
    life.windowUpdates.entitle()
    // Until the client has confirmed the settings, the HTTP/2 handler allows a hundred streams whatever they say.
    guard streams.count < shared.streamLimit, shared.openStreams.take(1) else {
      shared.count(.streams)
      write(.rstStream(.refusedStream), to: id)
      flushSoon()
      return
    }
    do throws(GRPCFailure) {
      let isDecided = try authenticate(headers, on: id)
      var stream = try GRPCHeaders.request(headers, shared, peer: peer, now: now)
      stream.isClientDone = isEnd
      if let reason = shared.hooks.gate?() {
        shared.hooks.refused?(.gate)
        throw GRPCFailure(.unavailable, reason, details: shared.handler.overloadDetails(reason))
      }
      try stream.chargeMetadata(shared)
      if !isDecided { stream.phase = .deciding }
      if let deadline = stream.deadline { life.timer.bringForward(to: deadline) }
      life.timer.bringForward(to: now + shared.stallTimeout)
      streams[id] = stream
    } catch {
      shared.openStreams.give(1)
      fail(error, on: id, isClientDone: isEnd)
      return
    }
    if isEnd { finish(id) }
  }

  private func receive(_ data: ByteBuffer, isEnd: Bool, on id: HTTP2StreamID) {
    guard let index = streams.index(forKey: id) else { return }
    do throws(GRPCFailure) {
      streams.values[index].lastProgress = now
      if isEnd { streams.values[index].isClientDone = true }
      try streams.values[index].receive(data, shared)
    } catch {
      fail(error, on: id, isClientDone: isEnd)
      return
    }
    if isEnd { finish(id) }
  }

  func finish(_ id: HTTP2StreamID) {
    guard let index = streams.index(forKey: id), case .receiving = streams.values[index].phase else { return }
    do throws(GRPCFailure) {
      streams.values[index].isClientDone = true
      let (bytes, charge) = try streams.values[index].finish(shared)
      let request = GRPCRequest(
        path: streams.values[index].path, message: bytes, peer: peer, metadata: streams.values[index].metadata
      )
      let responder = GRPCResponder(self, loop: loop, streamID: id, charge: charge, budget: shared.budget)
      shared.handler.handle(request, responder)
    } catch {
      fail(error, on: id, isClientDone: true)
    }
  }

  private func remove(_ id: HTTP2StreamID) {
    guard var stream = streams.removeValue(forKey: id) else { return }
    shared.openStreams.give(1)
    stream.release()
    if streams.isEmpty { becameIdle() }
  }

  // MARK: Answers

  /// Answers a request that was handed on. Ignored when its stream is gone.
  func answer(_ answer: Result<[UInt8], GRPCFailure>, to id: HTTP2StreamID) {
    guard let stream = streams[id] else { return }
    switch answer {
    case .success(let message):
      life.pingStrikes.reset()
      write(.headers(.init(headers: GRPCHeaders.success)), to: id)
      write(.data(.init(data: .byteBuffer(Self.framed(message)))), to: id)
      write(.headers(.init(headers: GRPCHeaders.successTrailers, endStream: true)), to: id)
      awaitReader(of: id)
      flushSoon()
    case .failure(let failure): fail(failure, on: id, isClientDone: stream.isClientDone)
    }
  }

  /// Notes since when an answer waits, when the client's window has no room for it.
  private func awaitReader(of id: HTTP2StreamID) {
    guard let index = streams.index(forKey: id) else { return }
    let now = NIODeadline.now()
    streams.values[index].phase = .answered
    streams.values[index].lastProgress = now
    life.timer.bringForward(to: now + shared.writeTimeout)
  }

  /// Ends a stream with an error; the client is told to send no more.
  func fail(_ failure: GRPCFailure, on id: HTTP2StreamID, isClientDone: Bool) {
    if let reason = failure.reason { shared.count(reason) }
    streams[id]?.release()
    life.pingStrikes.reset()
    write(.headers(.init(headers: GRPCHeaders.failure(failure), endStream: true)), to: id)
    if !isClientDone { write(.rstStream(.noError), to: id) }
    remove(id)
    flushSoon()
  }

  private static let emptyMessage = ByteBuffer(repeating: 0, count: 5)

  private static func framed(_ message: [UInt8]) -> ByteBuffer {
    if message.isEmpty { return emptyMessage }
    var buffer = ByteBuffer()
    buffer.reserveCapacity(5 + message.count)
    buffer.writeInteger(UInt8(0))
    buffer.writeInteger(UInt32(truncatingIfNeeded: message.count))
    buffer.writeBytes(message)
    return buffer
  }

  func write(_ payload: HTTP2Frame.FramePayload, to id: HTTP2StreamID) {
    context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
  }

  /// Flushes once for all that is written in this turn of the event loop.
  func flushSoon() {
    guard !isInBurst, !isFlushScheduled else { return }
    isFlushScheduled = true
    loop.assumeIsolated().execute {
      self.isFlushScheduled = false
      self.context?.flush()
    }
  }

  /// Ends the connection because of what the client does.
  func refuse(_ reason: RefusalReason, _ code: HTTP2ErrorCode, _ text: String? = nil) {
    guard !life.isClosing else { return }
    shared.count(reason)
    write(
      .goAway(
        lastStreamID: lastStreamID, errorCode: code, opaqueData: text.map { ByteBuffer(string: $0) }),
      to: .rootStream)
    closeSoon()
  }

  /// Closes after the client had a moment to read the last frames; what it sends meanwhile is dropped.
  func closeSoon() {
    guard !life.isClosing else { return }
    life.isClosing = true
    context?.flush()
    loop.assumeIsolated().scheduleTask(in: .milliseconds(100)) { self.context?.close(promise: nil) }
  }
}
