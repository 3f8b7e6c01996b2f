internal import TelemetryData
internal import WireFormat

/// What is counted of a histogram with explicit bounds.
struct ExplicitCounts: Sendable, Hashable {
  var count: UInt64
  var sum: Double?
  var min: Double?
  var max: Double?
  var buckets: [UInt64]
  /// A hash of the bounds, which are not kept.
  var bounds: StreamID

  init(_ point: HistogramDataPointView, _ seed: StreamSeed) {
    count = point.count
    sum = point.sum
    min = point.min
    max = point.max
    buckets = point.bucketCounts.array
    var digest = StreamDigest(seed)
    point.explicitBounds.forEach { digest.add($0.bitPattern) }
    bounds = digest.id
  }

  /// Whether the buckets of both are the same.
  func isComparable(with other: ExplicitCounts) -> Bool {
    buckets.count == other.buckets.count && bounds == other.bounds
  }

  /// Adds what another one counted in the same buckets; what only one of both tells is not told any more.
  mutating func add(_ other: ExplicitCounts) {
    count &+= other.count
    sum = OptionalNumbers.both(sum, other.sum, +)
    min = OptionalNumbers.both(min, other.min, Swift.min)
    max = OptionalNumbers.both(max, other.max, Swift.max)
    for position in buckets.indices { buckets[position] &+= other.buckets[position] }
  }

  /// What was counted since an earlier state with the same buckets; nil when anything has become less.
  func since(_ earlier: ExplicitCounts) -> ExplicitCounts? {
    if count < earlier.count { return nil }
    var delta = self
    delta.count = count - earlier.count
    delta.sum = sum.map { $0 - (earlier.sum ?? 0) }
    delta.min = nil
    delta.max = nil
    for position in buckets.indices {
      if buckets[position] < earlier.buckets[position] { return nil }
      delta.buckets[position] -= earlier.buckets[position]
    }
    return delta
  }

  /// The fields of a data point that it says anew.
  static let fields: FieldNumbers = [2, 4, 5, 6, 11, 12]

  func write(to writer: inout WireWriter, startTime: UInt64) {
    if startTime != 0 { writer.fixed64Field(2, startTime) }
    if count != 0 { writer.fixed64Field(4, count) }
    if let sum { writer.doubleField(5, sum) }
    writer.packedFixed64Field(6, buckets)
    if let min { writer.doubleField(11, min) }
    if let max { writer.doubleField(12, max) }
  }
}

/// Arithmetic of numbers that may be missing.
enum OptionalNumbers {
  static func both(_ a: Double?, _ b: Double?, _ combine: (Double, Double) -> Double) -> Double? {
    guard let a, let b else { return nil }
    return combine(a, b)
  }
}
