internal import Logging
internal import PipelineKit
internal import TelemetryData
internal import TraceFormats

/// What an answer means for the request it is an answer to.
enum TracePartVerdict: Sendable {
  case taken
  /// The backend will never take it.
  case rejected(String)
  /// It can be tried again.
  case failed(reason: String, after: Duration?)
}

/// Sends batches of spans in the requests that another format makes of them.
///
/// Requests of a batch go side by side, and a try repeats only those that have not been answered for good.
final class TracePartSender: Sendable {
  typealias Post = @Sendable (TracePart) async -> TracePartVerdict

  /// Requests of one batch that are under way at the same time.
  private static let width = 4

  private let book: BatchProgressBook<TracePartProgress>
  private let drops: RateLimitedLog
  private let rejections: RateLimitedLog

  /// - Parameter consumers: how many batches may be under way at once.
  init(context: ComponentContext, consumers: Int) {
    book = BatchProgressBook(most: max(16, consumers * 2))
    drops = RateLimitedLog(context.logger, clock: context.clock)
    rejections = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Makes one try to send what is left of a batch.
  ///
  /// - Parameter encode: makes the requests, when the batch is tried for the first time.
  func send(_ batch: Batch, encode: (Batch) -> TraceRequests, post: @escaping Post) async -> Outcome {
    var progress = book.remove(batch) ?? start(encode(batch), items: batch.itemCount)
    await send(&progress, post)
    let outcome = progress.outcome
    book.put(progress, for: batch)
    return outcome
  }

  /// What became of the single spans of a batch that is not tried again.
  func endedItems(of batch: Batch) -> [EndedItems] { book.remove(batch)?.ended ?? [] }

  private func start(_ requests: TraceRequests, items: Int) -> TracePartProgress {
    for (reason, spans) in requests.drops.byReason {
      drops.log(
        .warning, "spans that the format cannot carry are dropped",
        metadata: ["reason": "\(reason.rawValue)", "items": "\(spans)"])
    }
    return TracePartProgress(requests, items: items)
  }

  private func send(_ progress: inout TracePartProgress, _ post: @escaping Post) async {
    let parts = progress.takeRest()
    if parts.count == 1, let part = parts.first {
      return note(await post(part), on: part, in: &progress)
    }
    await withTaskGroup(of: (TracePart, TracePartVerdict).self) { group in
      var next = 0
      while next < min(Self.width, parts.count) {
        let part = parts[next]
        next += 1
        group.addTask { (part, await post(part)) }
      }
      for await (part, verdict) in group {
        note(verdict, on: part, in: &progress)
        // A backend that is away is not asked once for each request.
        if progress.failure != nil {
          progress.leave(parts[next...])
          next = parts.count
        } else if next < parts.count {
          let part = parts[next]
          next += 1
          group.addTask { (part, await post(part)) }
        }
      }
    }
  }

  private func note(_ verdict: TracePartVerdict, on part: TracePart, in progress: inout TracePartProgress) {
    if case .rejected(let reason) = verdict {
      rejections.log(
        .error, "the backend does not take a request, it is not tried again",
        metadata: ["error": "\(reason)", "items": "\(part.spans)"])
    }
    progress.add(part, verdict)
  }
}

/// How far a batch has come: which of its requests have no answer yet, and what became of the others.
struct TracePartProgress: Sendable {
  private let items: Int
  private let drops: SpanDrops
  private var rest: [TracePart]
  private var delivered = 0
  private var rejected = 0
  private var message = ""
  /// Why the last try left something to be sent.
  private(set) var failure: (reason: String, after: Duration?)?

  init(_ requests: TraceRequests, items: Int) {
    rest = requests.parts
    drops = requests.drops
    self.items = items
  }

  /// What is to be sent; the try begins with no failure.
  mutating func takeRest() -> [TracePart] {
    failure = nil
    defer { rest = [] }
    return rest
  }

  /// Keeps requests for the next try.
  mutating func leave(_ parts: ArraySlice<TracePart>) { rest += parts }

  mutating func add(_ part: TracePart, _ verdict: TracePartVerdict) {
    switch verdict {
    case .taken: delivered += part.spans
    case .rejected(let reason):
      rejected += part.spans
      if message.isEmpty { message = reason }
    case .failed(let reason, let after):
      failure = (reason, [failure?.after, after].compactMap(\.self).max())
      rest.append(part)
    }
  }

  var outcome: Outcome {
    if let failure { return .refused(reason: failure.reason, after: failure.after) }
    let lost = drops.total + rejected
    if lost == 0 { return .accepted }
    let text = message.isEmpty ? drops.byReason.first?.reason.rawValue ?? "" : message
    return lost >= items ? .rejected(reason: text) : .partial(rejected: lost, message: text)
  }

  /// What became of single spans, for the ledger.
  var ended: [EndedItems] {
    var ended = drops.byReason.map { EndedItems(.dropped, reason: $0.reason.rawValue, items: $0.spans) }
    if rejected > 0 { ended.append(EndedItems(.rejected, reason: "", items: rejected)) }
    // Where the rest is given up, these have arrived nevertheless.
    if !rest.isEmpty, delivered > 0 { ended.append(EndedItems(.delivered, reason: "", items: delivered)) }
    return ended
  }
}
