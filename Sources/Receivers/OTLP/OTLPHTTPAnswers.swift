internal import PipelineKit
internal import TelemetryData
internal import Transport

/// The answers of OTLP/HTTP (OTLP specification, "OTLP/HTTP Response"), in the encoding of the request.
enum OTLPHTTPAnswers {
  private static let acceptedProtobuf = HTTPAnswer(
    status: 200, contentType: OTLPEncoding.protobuf.contentType, body: [])
  private static let acceptedJSON = HTTPAnswer(
    status: 200, contentType: OTLPEncoding.json.contentType, body: Array("{}".utf8))

  /// Everything was taken: an empty export response.
  static func accepted(_ encoding: OTLPEncoding) -> HTTPAnswer {
    switch encoding {
    case .protobuf: acceptedProtobuf
    case .json: acceptedJSON
    }
  }

  /// What the sender is told about its batch.
  static func answer(_ outcome: Outcome, signal: Signal, encoding: OTLPEncoding) -> HTTPAnswer {
    switch outcome {
    case .accepted:
      return accepted(encoding)
    case .partial(let rejected, let message):
      let partial = PartialSuccess(rejected: Int64(rejected), message: message)
      let body =
        switch encoding {
        case .protobuf: PartialSuccess.encodeResponse(partial)
        case .json: PartialSuccess.encodeJSONResponse(partial, signal: signal)
        }
      return HTTPAnswer(status: 200, contentType: encoding.contentType, body: body)
    case .refused(let reason, let after):
      return refusal(503, reason, after: after, encoding)
    case .rejected(let reason):
      return failure(400, reason, encoding)
    }
  }

  /// A failure that asks for another try after a while.
  static func refusal(
    _ status: Int, _ message: String, after: Duration?, _ encoding: OTLPEncoding
  ) -> HTTPAnswer {
    let delay = after ?? Refusal.defaultDelay
    let headers = [("Retry-After", Refusal.wholeSeconds(delay))]
    return failure(status, message, encoding, retryDelay: delay, headers: headers)
  }

  /// A failure with a `google.rpc.Status` body.
  static func failure(
    _ status: Int, _ message: String, _ encoding: OTLPEncoding, retryDelay: Duration? = nil,
    headers: [(String, String)] = []
  ) -> HTTPAnswer {
    let code = Int32(rpcCode(of: status).rawValue)
    let body = RPCStatus(code: code, message: message, retryDelay: retryDelay)
    return HTTPAnswer(
      status: status, contentType: encoding.contentType,
      body: encoding == .json ? body.encodeJSON() : body.encode(), headers: headers)
  }

  /// The code within the body: the HTTP status is what clients go by, the code says the same in gRPC's words.
  private static func rpcCode(of status: Int) -> GRPCCode {
    switch status {
    case 401: .unauthenticated
    case 403: .permissionDenied
    case 404: .notFound
    case 405: .unimplemented
    case 408, 504: .deadlineExceeded
    case 413, 429: .resourceExhausted
    case 502, 503: .unavailable
    case 400..<500: .invalidArgument
    default: .internalError
    }
  }
}

/// How long a sender is asked to wait after a refusal.
enum Refusal {
  /// The wait where the refusing side did not name one.
  static let defaultDelay = Duration.seconds(1)

  /// The `google.rpc.Status` with RetryInfo that goes with a gRPC refusal.
  static func details(_ reason: String, after delay: Duration?) -> [UInt8] {
    let code = Int32(GRPCCode.unavailable.rawValue)
    return RPCStatus(code: code, message: reason, retryDelay: delay ?? defaultDelay).encode()
  }

  /// The delay in whole seconds, rounded up, as `Retry-After` wants it.
  static func wholeSeconds(_ delay: Duration) -> String {
    let (seconds, attoseconds) = delay.components
    return String(max(0, attoseconds > 0 ? seconds + 1 : seconds))
  }
}
