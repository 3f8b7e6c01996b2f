internal import NIOCore

/// Stands before the HTTP/2 handler and tells the connection that bytes arrived.
///
/// The HTTP/2 handler shows a frame only when all of it is there, so that a client that never completes one would not be
/// noticed. And it would go on with what a client sends after the connection was given up.
final class GRPCArrivalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let connection: GRPCConnection

  init(_ connection: GRPCConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard connection.bytesArrived(unwrapInboundIn(data).readableBytesView) else { return }
    context.fireChannelRead(data)
  }
}
