internal import Logging
internal import NIOCore

/// Closes connections beyond the limits as soon as they are accepted, before anything is set up for them.
///
/// They are accepted all the same: left in the kernel's queue they would keep others waiting behind them, and a client
/// that sees its connection closed knows to try elsewhere. Says so at most once every ten seconds.
final class ConnectionGate: ChannelInboundHandler {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel

  private let connections: ConnectionSet
  private let refused: @Sendable () -> Void
  private let logger: Logger
  private var silentUntil = NIODeadline.distantPast
  private var unreported = 0

  init(connections: ConnectionSet, logger: Logger, refused: @escaping @Sendable () -> Void) {
    self.connections = connections
    self.logger = logger
    self.refused = refused
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let channel = unwrapInboundIn(data)
    guard connections.insert(channel) else {
      refused()
      report()
      channel.close(promise: nil)
      return
    }
    context.fireChannelRead(data)
  }

  private func report() {
    unreported += 1
    guard NIODeadline.now() >= silentUntil else { return }
    silentUntil = .now() + .seconds(10)
    logger.warning(
      "too many connections; new ones are closed",
      metadata: ["open": "\(connections.count)", "refused": "\(unreported)"])
    unreported = 0
  }
}
