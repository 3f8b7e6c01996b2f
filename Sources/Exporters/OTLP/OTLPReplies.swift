internal import Logging
internal import PipelineKit
internal import TelemetryData
internal import Transport

/// Reads what a backend answered, as the OTLP specification defines it.
final class OTLPReplies: Sendable {
  private let warnings: RateLimitedLog

  init(context: ComponentContext) {
    warnings = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// The outcome an HTTP reply means (OTLP specification, "OTLP/HTTP Response").
  ///
  /// 429, 502, 503 and 504 ask for another try; every other failure is final.
  func outcome(of reply: HTTPReply, for batch: Batch) -> Outcome {
    let encoding = BodyEncoding(contentType: reply.contentType)
    switch reply.status {
    case 200..<300:
      return taken(encoding.partialSuccess(in: reply.body, signal: batch.signal), batch)
    case 429, 502, 503, 504:
      return .refused(reason: reason(reply, encoding), after: reply.retryAfter)
    default:
      return .rejected(reason: reason(reply, encoding))
    }
  }

  /// The outcome a gRPC reply means (OTLP specification, "OTLP/gRPC Response").
  ///
  /// `RESOURCE_EXHAUSTED` is final unless the backend says with RetryInfo that it will recover.
  func outcome(of reply: GRPCReply, for batch: Batch) -> Outcome {
    if reply.code == .ok {
      return taken(BodyEncoding.protobuf.partialSuccess(in: reply.body, signal: batch.signal), batch)
    }
    let delay = reply.details.flatMap { try? RPCStatus(decoding: $0.span) }?.retryDelay
    let reason = reason(reply)
    switch reply.code {
    case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss:
      return .refused(reason: reason, after: delay)
    case .resourceExhausted where delay != nil:
      return .refused(reason: reason, after: delay)
    default:
      return .rejected(reason: reason)
    }
  }

  /// The outcome of a try that got no reply at all.
  func outcome(of error: any Error) -> Outcome {
    switch error {
    case is CancellationError: .refused(reason: "no reply in time", after: nil)
    case is ConnectionError, is CredentialsError: .refused(reason: "\(error)", after: nil)
    // The batch could not be encoded or compressed, which another try would not change.
    default: .rejected(reason: "\(error)")
    }
  }

  private func taken(_ partial: PartialSuccess?, _ batch: Batch) -> Outcome {
    guard let partial else { return .accepted }
    let rejected = min(Int(clamping: partial.rejected), batch.itemCount)
    if rejected > 0 { return .partial(rejected: rejected, message: partial.message.shortened) }
    if !partial.message.isEmpty {
      warnings.log(
        .warning, "the backend took a batch with a warning",
        metadata: ["signal": "\(batch.signal.rawValue)", "warning": "\(partial.message.shortened)"])
    }
    return .accepted
  }

  private func reason(_ reply: GRPCReply) -> String {
    guard reply.isFromServer else { return reply.message }
    return reply.message.isEmpty
      ? "gRPC \(reply.code.name)" : "gRPC \(reply.code.name): \(reply.message.shortened)"
  }

  private func reason(_ reply: HTTPReply, _ encoding: BodyEncoding) -> String {
    guard let message = encoding.failureMessage(in: reply.body) else { return "HTTP \(reply.status)" }
    return "HTTP \(reply.status): \(message.shortened)"
  }
}

extension String {
  /// The beginning of a backend's message: it goes on to logs and to senders, some of them in a header.
  fileprivate var shortened: String { utf8.count <= 1000 ? self : String(prefix(300)) + "…" }
}

/// What the body of an HTTP reply is written in.
private enum BodyEncoding {
  case protobuf, json, text, unknown

  /// The encoding of a media type in lower case, without parameters.
  init(contentType: String) {
    switch contentType {
    case "application/x-protobuf", "application/protobuf": self = .protobuf
    case "application/json": self = .json
    case "text/plain": self = .text
    default: self = .unknown
    }
  }

  /// The partial success an export response holds; nil when there is none, or the body is not an export response.
  func partialSuccess(in body: [UInt8], signal: Signal) -> PartialSuccess? {
    guard !body.isEmpty else { return nil }
    switch self {
    case .protobuf: return try? PartialSuccess.decodeResponse(body.span)
    case .json: return try? PartialSuccess.decodeJSONResponse(body.span, signal: signal)
    case .text, .unknown: return nil
    }
  }

  /// What a failure says about itself: the message of a `google.rpc.Status`, or the first line of a text.
  func failureMessage(in body: [UInt8]) -> String? {
    let message: String? =
      switch self {
      case .protobuf: (try? RPCStatus(decoding: body.span))?.message
      case .json: (try? RPCStatus(json: body.span))?.message
      case .text: String(decoding: body.prefix(200).prefix { $0 >= 0x20 }, as: UTF8.self)
      case .unknown: nil
      }
    return message.flatMap { $0.isEmpty ? nil : $0 }
  }
}
