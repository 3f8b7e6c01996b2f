internal import TelemetryData

/// The sum of all deltas of a stream so far.
struct AccumulatedStream: StreamState {
  enum Value: Sendable, Hashable {
    case int(Int64)
    case double(Double)
    case distribution(Distribution)
  }

  /// When the stream began, nanoseconds since the Unix epoch.
  var start: UInt64
  /// The time of the last delta.
  var time: UInt64
  var value: Value

  static let vacant = AccumulatedStream(start: 0, time: 0, value: .int(0))

  var extraBytes: Int {
    if case .distribution(let distribution) = value { return distribution.byteCount }
    return 0
  }

  /// Adds a delta, or says why it cannot be.
  mutating func add(_ delta: AccumulatedStream) -> AccumulationError? {
    if delta.start < start { return .olderStart }
    if delta.time <= time { return .outOfOrder }
    time = delta.time
    switch (value, delta.value) {
    case (.int(let sum), .int(let value)): self.value = .int(sum &+ value)
    case (.int(let sum), .double(let value)): self.value = .double(Double(sum) + value)
    case (.double(let sum), .int(let value)): self.value = .double(sum + Double(value))
    case (.double(let sum), .double(let value)): self.value = .double(sum + value)
    case (.distribution(.explicit(var counts)), .distribution(.explicit(let added)))
    where counts.isComparable(with: added):
      counts.add(added)
      value = .distribution(.explicit(counts))
    case (.distribution(.exponential(var counts)), .distribution(.exponential(let added))):
      counts.add(added)
      value = .distribution(.exponential(counts))
    default:
      // Other buckets cannot be added up: the stream begins anew with them.
      start = delta.start
      value = delta.value
    }
    return nil
  }
}

/// Why a delta was not added.
enum AccumulationError: Int, CaseIterable {
  /// It began before its stream: another process sends the same stream.
  case olderStart
  /// It is not newer than the one before.
  case outOfOrder
  /// There is no room for its stream.
  case limit

  /// The Collector's words for it.
  var label: String {
    switch self {
    case .olderStart: "delta.ErrOlderStart"
    case .outOfOrder: "delta.ErrOutOfOrder"
    case .limit: "limit"
    }
  }
}
