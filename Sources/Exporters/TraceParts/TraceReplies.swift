internal import Transport

/// Reads what backends of other formats than OTLP answer, none of which has more to say than a status.
enum TraceReplies {
  /// What the answer of a Jaeger server means.
  ///
  /// A collector that is busy says RESOURCE_EXHAUSTED, and one whose pipeline refuses, UNKNOWN: both are tried again.
  static func verdict(on reply: GRPCReply) -> TracePartVerdict {
    switch reply.code {
    case .ok: return .taken
    case .unknown, .cancelled, .deadlineExceeded, .resourceExhausted, .aborted, .outOfRange, .unavailable,
      .dataLoss:
      return .failed(reason: reason(reply), after: nil)
    case .unimplemented:
      return .rejected(
        "\(reason(reply)) (does the server speak jaeger.api_v2? today's Jaeger wants protocol: otlp on port 4317)"
      )
    default: return .rejected(reason(reply))
    }
  }

  /// What the answer of an HTTP server means: whatever is not the client's fault is tried again.
  static func verdict(on reply: HTTPReply) -> TracePartVerdict {
    switch reply.status {
    case 200..<300: .taken
    case 408, 429, 500...: .failed(reason: reason(reply), after: reply.retryAfter)
    default: .rejected(reason(reply))
    }
  }

  /// What a request without an answer means.
  static func verdict(on error: any Error) -> TracePartVerdict {
    switch error {
    case is CancellationError: .failed(reason: "no reply in time", after: nil)
    case is ConnectionError, is CredentialsError: .failed(reason: "\(error)", after: nil)
    // The body could not be compressed, which another try would not change.
    default: .rejected("\(error)")
    }
  }

  private static func reason(_ reply: GRPCReply) -> String {
    guard reply.isFromServer else { return reply.message }
    let message = String(reply.message.prefix(300))
    return message.isEmpty ? "gRPC \(reply.code.name)" : "gRPC \(reply.code.name): \(message)"
  }

  private static func reason(_ reply: HTTPReply) -> String {
    let line = reply.body.prefix(300).prefix { $0 >= 0x20 }
    let text = String(decoding: line, as: UTF8.self)
    return text.isEmpty ? "HTTP \(reply.status)" : "HTTP \(reply.status): \(text)"
  }
}
