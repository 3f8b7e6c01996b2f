internal import Logging
internal import NIOCore

/// Stops accepting for a moment when it fails, as it does when the process has no file descriptor left.
///
/// The connection that could not be accepted stays in the kernel's queue, so that without a pause the event loop would
/// try again at once, for ever. Says so at most once every ten seconds. (NIO's own `AcceptBackoffHandler` holds back
/// reads, but after an error the channel still counts as reading.)
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  private static let pause = TimeAmount.milliseconds(200)
  private let logger: Logger
  private var isPaused = false
  private var silentUntil = NIODeadline.distantPast
  private var unreported = 0

  init(logger: Logger) { self.logger = logger }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    report(error)
    guard error is IOError, !isPaused else { return }
    isPaused = true
    let channel = context.channel
    try? channel.syncOptions?.setOption(.autoRead, value: false)
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
      self.isPaused = false
      try? channel.syncOptions?.setOption(.autoRead, value: true)
    }
  }

  private func report(_ error: any Error) {
    unreported += 1
    guard NIODeadline.now() >= silentUntil else { return }
    silentUntil = .now() + .seconds(10)
    logger.warning(
      "cannot accept connections; trying again",
      metadata: ["error": "\(error)", "count": "\(unreported)"])
    unreported = 0
  }
}
