internal import NIOHTTP2

extension RefusalReason {
  /// Why the HTTP/2 layer gave up a connection.
  init(_ error: any Error, _ code: HTTP2ErrorCode) {
    switch error {
    case is NIOHTTP2Errors.ExcessiveRSTFrames, is NIOHTTP2Errors.ExcessiveStreamErrors,
      is NIOHTTP2Errors.ExcessiveNumberOfGlitches:
      self = .resets
    case is NIOHTTP2Errors.ExcessiveControlFrames, is NIOHTTP2Errors.ExcessiveEmptyDataFrames,
      is NIOHTTP2Errors.ExcessiveContinuationFrames, is NIOHTTP2Errors.ExcessiveOutboundFrameBuffering:
      self = .controlFrames
    case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock: self = .headers
    case is NIOHTTP2Errors.MaxStreamsViolation: self = .streams
    default: self = code == .compressionError ? .headers : .malformed
    }
  }

  /// Why the HTTP/2 layer reset a stream; nil when that is no refusal, as for one that comes while the server goes away.
  init?(streamError error: any Error) {
    guard let error = error as? NIOHTTP2Errors.StreamError else { return nil }
    switch error.baseError {
    case is NIOHTTP2Errors.CreatedStreamAfterGoaway, is NIOHTTP2Errors.NoSuchStream,
      is NIOHTTP2Errors.StreamClosed:
      return nil
    default: self = .malformed
    }
  }
}
