public import WireFormat

/// A trace id as two numbers, for sampling and grouping.
public struct TraceID: Hashable, Sendable {
  /// Bytes 0 to 7, big-endian.
  public var high: UInt64
  /// Bytes 8 to 15, big-endian; the part that is random in every version of W3C Trace Context.
  public var low: UInt64

  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

extension Batch {
  /// The trace id of a span or log record, or nil when it has none (or one that is not 16 bytes).
  ///
  /// All SDKs write it first in a span, where it is found at once.
  @inlinable
  public func traceID(at position: Int) -> TraceID? {
    let span = bytes.span
    let payload = index.items[position].payload
    let start = payload.lowerBound
    if signal == .traces, payload.count >= 18, span[start] == 0x0A, span[start &+ 1] == 16 {
      // A second occurrence further on would win; no encoder writes one, and looking for it would cost the
      // whole walk.
      return TraceID(
        high: span.loadUInt64(at: start &+ 2).byteSwapped, low: span.loadUInt64(at: start &+ 10).byteSwapped)
    }
    let id = WireMessage(span, payload).payload(signal == .traces ? 1 : 9)
    if signal == .metrics || id.count != 16 { return nil }
    return TraceID(
      high: span.loadUInt64(at: id.lowerBound).byteSwapped,
      low: span.loadUInt64(at: id.lowerBound &+ 8).byteSwapped)
  }
}
