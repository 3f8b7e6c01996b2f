internal import NIOCore
internal import NIOHPACK
internal import Synchronization

/// One unary call on its way: what is sent, until when, and whom to tell.
///
/// Mutable state is confined to the event loop of its client, which is what `@unchecked` stands for.
final class GRPCCall: @unchecked Sendable {
  let headers: HPACKHeaders
  /// The five bytes before the message; empty when `message` contains them.
  let prefix: [UInt8]
  let message: [UInt8]
  let deadline: NIODeadline
  private let timeout: Duration
  private let done: Mutex<CheckedContinuation<GRPCReply, Never>?>

  /// The stream that carries it, while there is one.
  var stream: GRPCStreamHandler?
  /// Whether it was moved to another connection already, which happens once.
  var wasMoved = false
  private(set) var isFinished = false
  private var timer: Scheduled<Void>?

  init(
    headers: HPACKHeaders, prefix: [UInt8], message: [UInt8], timeout: Duration,
    done: CheckedContinuation<GRPCReply, Never>
  ) {
    self.headers = headers
    self.prefix = prefix
    self.message = message
    self.timeout = timeout
    deadline = timeout > .zero ? .now() + TimeAmount(clamping: timeout) : .distantFuture
    self.done = Mutex(done)
  }

  var size: Int { prefix.count + message.count }

  /// Starts the clock.
  func arm(on loop: any EventLoop, target: String) {
    guard deadline < .distantFuture else { return }
    timer = loop.scheduleTask(deadline: deadline) {
      self.abort(
        GRPCReply(code: .deadlineExceeded, message: "no answer from \(target) within \(self.timeout)"))
    }
  }

  /// Ends the call and its stream from this side.
  func abort(_ reply: GRPCReply) {
    finish(reply)
    stream?.abandon()
  }

  /// Tells the caller; only the first time counts.
  func finish(_ reply: GRPCReply) {
    guard !isFinished else { return }
    isFinished = true
    timer?.cancel()
    timer = nil
    done.withLock { $0.take() }?.resume(returning: reply)
  }

  /// The next bytes to send, at most about `limit`, as one buffer.
  func chunk(from offset: Int, limit: Int, allocator: ByteBufferAllocator) -> ByteBuffer {
    let end = min(size, offset + limit)
    var buffer = allocator.buffer(capacity: end - offset)
    if offset < prefix.count { buffer.writeBytes(prefix[offset..<min(end, prefix.count)]) }
    let start = max(0, offset - prefix.count)
    if end > prefix.count { buffer.writeBytes(message[start..<(end - prefix.count)]) }
    return buffer
  }
}
