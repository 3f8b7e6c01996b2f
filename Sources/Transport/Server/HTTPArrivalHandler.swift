internal import NIOCore

/// Stands before the decoder and tells the connection that bytes arrived.
///
/// The decoder shows a request only when its head is complete; the time limit on reading the head starts earlier.
/// It also keeps the decoder from work whose result nobody wants.
final class HTTPArrivalHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let connection: HTTPConnection

  init(_ connection: HTTPConnection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard connection.bytesArrived(unwrapInboundIn(data).readableBytes) else { return }
    context.fireChannelRead(data)
  }
}
