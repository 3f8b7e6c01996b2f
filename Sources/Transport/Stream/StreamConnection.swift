internal import NIOCore

/// One connection of a ``StreamServer``. Confined to its event loop.
///
/// When the server stops, its end of the connection is closed for writing, since protocols of this kind know no other
/// goodbye: a client that looks connects anew and closes this one, and whatever it had sent is read. One that goes on
/// sending all the same is read until the deadline, and a silent one is closed after a moment.
final class StreamConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// How long a client may be silent before it is closed at a stop.
  private static let farewell = TimeAmount.milliseconds(200)

  private let lane: StreamLane
  private let connections: ConnectionSet
  private let idleTimeout: TimeAmount?
  private let timer: WatchTimer
  private var reader: (any StreamReader)?
  private var isDraining = false

  init(lane: StreamLane, connections: ConnectionSet, idleTimeout: TimeAmount?) {
    self.lane = lane
    self.connections = connections
    self.idleTimeout = idleTimeout
    timer = WatchTimer(loop: lane.loop)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { activate(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end(context) }

  func channelActive(context: ChannelHandlerContext) {
    activate(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(context)
    context.fireChannelInactive()
  }

  private func activate(_ context: ChannelHandlerContext) {
    guard reader == nil else { return }
    let channel = context.channel
    timer.whenExpired { [weak self] in self?.silent(channel) }
    reader = lane.open(
      StreamPeer(remote: HostPort(context.remoteAddress), local: HostPort(context.localAddress)))
    lane.add(channel)
    if connections.isDraining { return drain(context) }
    setDeadline()
  }

  private func end(_ context: ChannelHandlerContext) {
    lane.remove(context.channel)
    timer.end()
    guard let reader else { return }
    self.reader = nil
    reader.ended()
    lane.bytesCame()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    reader?.received(buffer.readableBytesUInt8Span)
    lane.bytesCame()
    setDeadline()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is Listener.Drain: drain(context)
    case ChannelEvent.inputClosed: context.close(promise: nil)
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func drain(_ context: ChannelHandlerContext) {
    guard !isDraining else { return }
    isDraining = true
    context.close(mode: .output, promise: nil)
    setDeadline()
  }

  private func setDeadline() {
    if isDraining {
      timer.set(.now() + Self.farewell)
    } else if let idleTimeout {
      timer.set(.now() + idleTimeout)
    }
  }

  private func silent(_ channel: any Channel) {
    // A client that was not read has not been silent.
    if lane.isPaused { return setDeadline() }
    channel.close(promise: nil)
  }
}

extension HostPort {
  init(_ address: SocketAddress?) {
    let host = address?.ipAddress ?? ""
    // A client over IPv4 at a socket for both families.
    self.init(host: host.hasPrefix("::ffff:") ? String(host.dropFirst(7)) : host, port: address?.port ?? 0)
  }
}
