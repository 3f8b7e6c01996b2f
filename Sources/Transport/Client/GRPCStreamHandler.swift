internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// Carries one call over one HTTP/2 stream.
///
/// The message is copied into buffers piece by piece while the stream can take it, so that a call that waits for flow
/// control holds little more than its own bytes.
final class GRPCStreamHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame.FramePayload
  typealias OutboundOut = HTTP2Frame.FramePayload

  /// Bytes copied at a time; the stream's high watermark is the same.
  static let pieceSize = 64 << 10

  private let call: GRPCCall
  private let session: GRPCSession
  private let reader: GRPCMessageReader
  private var context: ChannelHandlerContext?
  private var sent = 0
  private var sentEnd = false
  private var status: Int?
  /// The call has its answer or has moved on; what still happens on the stream is nobody's.
  private var isOver = false

  init(call: GRPCCall, session: GRPCSession, reader: GRPCMessageReader) {
    self.call = call
    self.session = session
    self.reader = reader
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    call.stream = self
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    if call.stream === self { call.stream = nil }
  }

  func channelActive(context: ChannelHandlerContext) {
    guard !call.isFinished else { return context.close(promise: nil) }
    var headers = call.headers
    if call.deadline < .distantFuture {
      let left = (call.deadline - .now()).nanoseconds
      headers.add(name: "grpc-timeout", value: GRPCStatusFields.timeout(nanoseconds: left))
    }
    context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    writePieces(context: context)
    context.fireChannelActive()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    writePieces(context: context)
    context.fireChannelWritabilityChanged()
  }

  private func writePieces(context: ChannelHandlerContext) {
    guard !sentEnd, !isOver, context.channel.isActive else { return }
    var wrote = sent == 0
    while !sentEnd, sent == 0 || context.channel.isWritable {
      let piece = call.chunk(from: sent, limit: Self.pieceSize, allocator: context.channel.allocator)
      sent += piece.readableBytes
      sentEnd = sent == call.size
      wrote = true
      context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(piece), endStream: sentEnd))), promise: nil)
    }
    if wrote { context.flush() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver, !call.isFinished else { return }
    switch unwrapInboundIn(data) {
    case .headers(let payload): read(payload.headers, isLast: payload.endStream, context: context)
    case .data(let payload):
      if case .byteBuffer(let buffer) = payload.data, !reader.append(buffer) {
        return end(
          GRPCReply(
            code: .resourceExhausted, message: "the answer is larger than \(reader.limit) bytes",
            isFromServer: true), context: context, isLast: payload.endStream)
      }
      if payload.endStream { end(withoutStatus(), context: context, isLast: true) }
    case .rstStream(let code):
      if code == .refusedStream {
        lost("the server refused the stream", processed: false)
      } else {
        call.finish(GRPCStatusFields.reply(resetBy: code))
      }
    default: break
    }
  }

  private func read(_ headers: HPACKHeaders, isLast: Bool, context: ChannelHandlerContext) {
    if !isLast {
      let status = headers.first(name: ":status").flatMap { Int($0) } ?? 0
      // Informational answers come before the one that counts.
      guard status >= 200 else { return }
      self.status = status
      reader.encoding = headers.first(name: "grpc-encoding")
      let type = headers.first(name: "content-type") ?? ""
      if status != 200 || !type.hasPrefix("application/grpc") {
        end(notGRPC(status: status, type: type), context: context, isLast: false)
      }
      return
    }
    if status == nil { status = headers.first(name: ":status").flatMap { Int($0) } }
    guard var reply = GRPCStatusFields.reply(trailers: headers) else {
      return end(withoutStatus(), context: context, isLast: true)
    }
    if reply.code == .ok {
      switch reader.message() {
      case .success(let body): reply.body = body
      case .failure(let problem):
        reply = GRPCReply(code: .internalError, message: problem.text, isFromServer: true)
      }
    }
    end(reply, context: context, isLast: true)
  }

  private func notGRPC(status: Int, type: String) -> GRPCReply {
    status != 200
      ? GRPCStatusFields.reply(httpStatus: status)
      : GRPCReply(
        code: .unknown, message: "the server answered with content type \"\(type)\", not gRPC",
        isFromServer: true)
  }

  private func withoutStatus() -> GRPCReply {
    if let status, status != 200 { return GRPCStatusFields.reply(httpStatus: status) }
    return GRPCReply(
      code: .internalError, message: "the answer ended without a grpc-status", isFromServer: true)
  }

  /// The call is over; a stream that is still open in one direction is reset.
  private func end(_ reply: GRPCReply, context: ChannelHandlerContext, isLast: Bool) {
    call.finish(reply)
    if !sentEnd || !isLast { context.close(promise: nil) }
  }

  /// Resets the stream of a call that nobody waits for.
  func abandon() { context?.close(promise: nil) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if !isOver, !call.isFinished, let closed = error as? NIOHTTP2Errors.StreamClosed,
      session.lastProcessedStream == nil, session.failure == nil, closed.errorCode != .refusedStream
    {
      call.finish(GRPCStatusFields.reply(resetBy: closed.errorCode))
    } else {
      lost(session.failure ?? FailureText.of(error), processed: wasSeen(context))
    }
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    lost(session.failure ?? "the server closed the connection", processed: wasSeen(context))
    context.fireChannelInactive()
  }

  private func lost(_ reason: String, processed: Bool) {
    guard !isOver, !call.isFinished else { return }
    isOver = true
    call.stream = nil
    session.lost(call, reason: reason, processed: processed)
  }

  /// Whether the server may have processed the call: not when it was never sent, or ruled out by GOAWAY.
  private func wasSeen(_ context: ChannelHandlerContext) -> Bool {
    guard let id = try? context.channel.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) else {
      return sent > 0
    }
    return session.lastProcessedStream.map { id <= $0 } ?? true
  }
}
