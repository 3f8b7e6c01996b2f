internal import NIOHPACK
internal import NIOHTTP2

/// Reads how a call ended from header fields (gRPC documentation, "gRPC over HTTP2" and "HTTP to gRPC status code
/// mapping").
enum GRPCStatusFields {
  /// The status in trailers; nil when there is none.
  static func reply(trailers: HPACKHeaders) -> GRPCReply? {
    guard let text = trailers.first(name: "grpc-status") else { return nil }
    let message = trailers.first(name: "grpc-message").map(GRPCText.percentDecoded) ?? ""
    guard let number = Int(text), let code = GRPCCode(rawValue: number) else {
      return GRPCReply(code: .unknown, message: "unknown grpc-status \(text): \(message)", isFromServer: true)
    }
    return GRPCReply(
      code: code, message: message,
      details: trailers.first(name: "grpc-status-details-bin").flatMap(GRPCText.base64Decoded),
      isFromServer: true)
  }

  /// The status for an HTTP answer that is not gRPC's.
  static func reply(httpStatus: Int) -> GRPCReply {
    let code: GRPCCode =
      switch httpStatus {
      case 400: .internalError
      case 401: .unauthenticated
      case 403: .permissionDenied
      case 404: .unimplemented
      case 429, 502, 503, 504: .unavailable
      default: .unknown
      }
    return GRPCReply(
      code: code, message: "the server answered with HTTP status \(httpStatus)", isFromServer: true)
  }

  /// The status for a stream that the server reset.
  static func reply(resetBy error: HTTP2ErrorCode) -> GRPCReply {
    let code: GRPCCode =
      switch error {
      case .refusedStream: .unavailable
      case .cancel: .cancelled
      case .enhanceYourCalm: .resourceExhausted
      case .inadequateSecurity: .permissionDenied
      default: .internalError
      }
    return GRPCReply(code: code, message: "the server reset the stream: \(error)", isFromServer: true)
  }

  /// A duration as `grpc-timeout` carries it: at most eight digits and a unit, rounded up.
  static func timeout(nanoseconds: Int64) -> String {
    var value = max(nanoseconds, 1)
    for (unit, size) in [("n", 1000), ("u", 1000), ("m", 1000), ("S", 60), ("M", 60), ("H", 0)]
      as [(String, Int64)]
    {
      if value <= 99_999_999 || size == 0 { return "\(min(value, 99_999_999))\(unit)" }
      value = (value - 1) / size + 1
    }
    return "99999999H"
  }
}
