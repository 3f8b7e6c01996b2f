internal import NIOCore

/// Sizes the buffers that connections are read into, so that an idle connection keeps next to nothing.
///
/// A channel keeps the first few buffers it was given for as long as it lives, whatever their size; those after them it
/// drops as soon as they are read. So the first ones are small, and the others follow the traffic: with NIO's own
/// allocator a connection that was busy once holds up to a quarter of a mebibyte for as long as it lives.
struct ReadBuffers: RecvByteBufferAllocator {
  /// How often a channel is read in one turn of its event loop, which is also how many buffers it keeps.
  static let readsPerTurn = 4
  /// Bytes of the buffers that a channel keeps: enough for a preface, settings and pings.
  private static let keptSize = 512

  private var readsLeft = Self.readsPerTurn
  private var traffic: AdaptiveRecvByteBufferAllocator

  /// - Parameter largest: bytes of the largest read; at least 16 KiB. Handlers that gather what they cannot use yet
  ///   keep about as much.
  init(largest: Int) {
    traffic = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 16 << 10, maximum: largest)
  }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
    readsLeft > 0 ? allocator.buffer(capacity: Self.keptSize) : traffic.buffer(allocator: allocator)
  }

  /// Always says that the next buffer may be larger, so that it is asked for instead of using a kept one.
  mutating func record(actualReadBytes: Int) -> Bool {
    if readsLeft > 0 {
      readsLeft -= 1
    } else {
      _ = traffic.record(actualReadBytes: actualReadBytes)
    }
    return true
  }

  /// No size in advance: with one, the channel would look for a kept buffer that can grow to it.
  func nextBufferSize() -> Int? { nil }
}
