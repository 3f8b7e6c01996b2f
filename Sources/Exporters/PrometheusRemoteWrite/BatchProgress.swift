internal import PipelineKit
internal import PrometheusData
internal import TelemetryData

/// Why requests must be sent again.
struct RemoteWriteFailure: Sendable {
  var reason: String
  var after: Duration?

  /// With the longer wait.
  func worse(_ other: RemoteWriteFailure) -> RemoteWriteFailure {
    RemoteWriteFailure(reason: reason, after: [after, other.after].compactMap(\.self).max())
  }
}

/// Data points that a backend will never take.
struct RemoteWriteRejection: Sendable {
  /// A short constant, for the ledger.
  var reason: String
  var points: Int
  var message: String
}

/// What came of a row of requests.
struct RowResult: Sendable {
  var delivered = 0
  var rejections: [RemoteWriteRejection] = []
  /// From the request on that has no answer yet.
  var rest: [RemoteWritePart] = []
  var failure: RemoteWriteFailure?
  var isMessageUnknown = false

  mutating func add(_ part: RemoteWritePart, _ rejection: RemoteWriteRejection?) {
    let rejected = min(rejection?.points ?? 0, part.counts.points)
    delivered += part.counts.points - rejected
    if var rejection, rejected > 0 {
      rejection.points = rejected
      rejections.append(rejection)
    }
  }
}

/// How far a batch has come: which of its requests have no answer yet, and what became of the others.
struct BatchProgress: Sendable {
  let message: RemoteWriteMessage
  private let items: Int
  private let drops: SeriesDrops
  private var rows: [[RemoteWritePart]]
  private var delivered = 0
  private var rejections: [RemoteWriteRejection] = []
  private(set) var isMessageUnknown = false

  init(_ requests: RemoteWriteRequests, message: RemoteWriteMessage, items: Int) {
    rows = requests.rows
    drops = requests.drops
    self.message = message
    self.items = items
  }

  mutating func takeRows() -> [[RemoteWritePart]] {
    defer { rows = [] }
    return rows
  }

  mutating func add(_ result: RowResult) -> RemoteWriteFailure? {
    delivered += result.delivered
    rejections += result.rejections
    if !result.rest.isEmpty { rows.append(result.rest) }
    if result.isMessageUnknown { isMessageUnknown = true }
    return result.failure
  }

  /// Gives up what has no answer yet.
  mutating func rejectRest(_ reason: String, _ message: String) {
    let points = rows.joined().reduce(0) { $0 + $1.counts.points }
    if points > 0 {
      rejections.append(RemoteWriteRejection(reason: reason, points: points, message: message))
    }
    rows = []
  }

  /// The outcome once every request has an answer.
  var outcome: Outcome {
    let lost = drops.total + rejections.reduce(0) { $0 + $1.points }
    if lost == 0 { return .accepted }
    var reasons = rejections.map(\.message)
    for drop in drops.byReason { reasons.append("\(drop.points) data points: \(drop.reason.rawValue)") }
    let text = reasons.first.map { reasons.count > 1 ? "\($0) (and more)" : $0 } ?? ""
    return lost >= items ? .rejected(reason: text) : .partial(rejected: lost, message: text)
  }

  /// What became of single data points, for the ledger.
  var ended: [EndedItems] {
    var ended = drops.byReason.map { EndedItems(.dropped, reason: $0.reason.rawValue, items: $0.points) }
    for rejection in rejections {
      ended.append(EndedItems(.rejected, reason: rejection.reason, items: rejection.points))
    }
    // Where the rest is given up, these have arrived nevertheless.
    if !rows.isEmpty, delivered > 0 { ended.append(EndedItems(.delivered, reason: "", items: delivered)) }
    return ended
  }
}
