internal import NIOCore

/// Joins the many small writes of one burst into one buffer, so that the socket is written once.
///
/// An answer is three frames, and a burst of requests has many answers; one buffer costs less than as many
/// entries of a vectored write. While the peer does not read what is written, nothing more is read from it.
final class WriteCombiner: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  /// Larger writes pass by without being copied.
  private static let copyLimit = 8 << 10
  private var joined = ByteBuffer()
  private var isReadHeld = false

  func read(context: ChannelHandlerContext) {
    if context.channel.isWritable { context.read() } else { isReadHeld = true }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if isReadHeld, context.channel.isWritable {
      isReadHeld = false
      context.read()
    }
    context.fireChannelWritabilityChanged()
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard promise == nil, case .byteBuffer(var buffer) = unwrapOutboundIn(data),
      buffer.readableBytes <= Self.copyLimit
    else {
      pass(context)
      context.write(data, promise: promise)
      return
    }
    joined.writeBuffer(&buffer)
    if joined.readableBytes >= 4 * Self.copyLimit { pass(context) }
  }

  func flush(context: ChannelHandlerContext) {
    pass(context)
    context.flush()
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    pass(context)
    context.close(mode: mode, promise: promise)
  }

  private func pass(_ context: ChannelHandlerContext) {
    guard joined.readableBytes > 0 else { return }
    context.write(wrapOutboundOut(.byteBuffer(joined)), promise: nil)
    joined = ByteBuffer()
  }
}
