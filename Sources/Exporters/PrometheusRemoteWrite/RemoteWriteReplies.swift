internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import PrometheusData
internal import Synchronization
internal import Transport

/// What an answer means for the request it is an answer to.
enum RemoteWriteVerdict: Sendable {
  /// The backend has decided; the rejection says what it did not take.
  case answered(RemoteWriteRejection?)
  /// It does not know the message.
  case unknownMessage
  /// It can be tried again.
  case failed(RemoteWriteFailure)
}

/// Reads what a backend answered, as the remote-write specifications define it.
final class RemoteWriteReplies: Sendable {
  private let logger: Logger
  private let clock: any PipelineClock
  /// One for each reason, so that a flood of one does not hide another.
  private let logs = Mutex<[String: RateLimitedLog]>([:])

  init(context: ComponentContext) {
    logger = context.logger
    clock = context.clock
  }

  /// Says that data points have no series.
  func log(_ drops: SeriesDrops) {
    for drop in drops.byReason {
      log(drop.reason.rawValue).log(
        .warning, "data points that Prometheus cannot take are dropped",
        metadata: ["reason": "\(drop.reason.rawValue)", "items": "\(drop.points)"])
    }
  }

  func verdict(
    on reply: HTTPReply, of part: RemoteWritePart, _ message: RemoteWriteMessage
  ) -> RemoteWriteVerdict {
    let written = Written(reply)
    switch reply.status {
    case 200..<300:
      guard message == .request else { return .answered(nil) }
      // A backend of version 1.0 finds nothing in a message of version 2.0, and does not mind.
      guard let written else { return part.counts.isEmpty ? .answered(nil) : .unknownMessage }
      return .answered(
        shortfall(written, part, "not_written", "the backend has not written all of a request"))
    case 415 where message == .request: return .unknownMessage
    case 429, 500...: return .failed(RemoteWriteFailure(reason: reason(reply), after: reply.retryAfter))
    default:
      let text = reason(reply)
      let key = "http_\(reply.status)"
      if message == .request, let written {
        let rejection = shortfall(written, part, key, text)
        if rejection != nil { return .answered(rejection) }
      }
      let rejection = RemoteWriteRejection(reason: key, points: part.counts.points, message: text)
      log(key).log(
        .error, "the backend does not take a request, it is not tried again",
        metadata: ["error": "\(text)", "items": "\(rejection.points)"])
      return .answered(rejection)
    }
  }

  /// What a request without an answer means.
  func verdict(on error: any Error) -> RemoteWriteVerdict {
    let reason = error is CancellationError ? "no reply in time" : "\(error)"
    return .failed(RemoteWriteFailure(reason: reason, after: nil))
  }

  /// What is missing from what the backend says it has written.
  private func shortfall(
    _ written: Written, _ part: RemoteWritePart, _ key: String, _ text: String
  ) -> RemoteWriteRejection? {
    let counts = part.counts
    let samples = max(0, counts.samples - written.samples)
    let histograms = max(0, counts.histograms - written.histograms)
    let exemplars = max(0, counts.exemplars - written.exemplars)
    if samples + histograms + exemplars == 0 { return nil }
    log(key).log(
      .warning, "the backend has not taken all of a request",
      metadata: [
        "error": "\(text)", "samples": "\(samples)", "histograms": "\(histograms)",
        "exemplars": "\(exemplars)",
      ])
    if samples + histograms == 0 { return nil }
    // A data point may have many samples: as many points as samples are missing, at most.
    let isAll = samples == counts.samples && histograms == counts.histograms
    let points = isAll ? counts.points : min(counts.points, samples + histograms)
    return RemoteWriteRejection(reason: key, points: points, message: text)
  }

  private func reason(_ reply: HTTPReply) -> String {
    let line = reply.body.prefix(300).prefix { $0 != 0x0a && $0 != 0x0d }
    let text = String(decoding: line, as: UTF8.self)
    return text.isEmpty ? "HTTP \(reply.status)" : "HTTP \(reply.status): \(text)"
  }

  private func log(_ reason: String) -> RateLimitedLog {
    logs.withLock { logs in
      if let log = logs[reason] { return log }
      let log = RateLimitedLog(logger, clock: clock, interval: .seconds(60))
      logs[reason] = log
      return log
    }
  }
}

/// What the headers `X-Prometheus-Remote-Write-*-Written` say; one that is missing stands for 0.
private struct Written {
  var samples = 0
  var histograms = 0
  var exemplars = 0

  /// Nil when there is none of them.
  init?(_ reply: HTTPReply) {
    func count(_ kind: String) -> Int? {
      reply.header("x-prometheus-remote-write-\(kind)-written").flatMap { Int($0) }
    }
    let counts = (count("samples"), count("histograms"), count("exemplars"))
    if counts.0 == nil, counts.1 == nil, counts.2 == nil { return nil }
    samples = counts.0 ?? 0
    histograms = counts.1 ?? 0
    exemplars = counts.2 ?? 0
  }
}
