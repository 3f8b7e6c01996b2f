internal import TelemetryData

/// The last cumulative point of a stream: what the next one is told from.
struct DeltaBaseline: StreamState {
  /// Nanoseconds since the Unix epoch.
  var time: UInt64
  /// The bits of the value of a sum, integer or double as the stream's identity says.
  var bits: UInt64
  /// What a histogram had counted.
  var distribution: Distribution?

  static let vacant = DeltaBaseline(time: 0, bits: 0, distribution: nil)
  var extraBytes: Int { distribution?.byteCount ?? 0 }
}

/// Why a point does not go on.
enum DeltaDrop: Int, CaseIterable {
  /// The first of its stream, of which nobody knows when it began.
  case initial
  /// The value has become less.
  case reset
  /// The buckets are others than before.
  case bucketMismatch
  /// It is older than one that came before.
  case outOfOrder
  /// It says that there is no value.
  case noValue

  /// The Collector's word for it, where it has one.
  var reason: String {
    switch self {
    case .initial: "initial"
    case .reset: "reset"
    case .bucketMismatch: "bucket_mismatch"
    case .outOfOrder: "out_of_order"
    case .noValue: "no_value"
    }
  }
}

/// What becomes of a point.
enum DeltaVerdict<Value> {
  case delta(Value, startTime: UInt64)
  case dropped(DeltaDrop)
}
