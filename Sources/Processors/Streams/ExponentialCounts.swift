internal import TelemetryData
internal import WireFormat

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Counts of neighbouring buckets of an exponential histogram.
struct ExponentialBuckets: Sendable, Hashable {
  /// The index of the first bucket.
  var offset = 0
  var counts: [UInt64] = []

  init() {}

  init(_ view: BucketsView?) {
    guard let view else { return }
    offset = Int(view.offset)
    counts = view.bucketCounts.array
    trim()
  }

  /// The indexes between the first and the last bucket that counted something.
  var range: Range<Int> { offset..<offset + counts.count }

  subscript(index: Int) -> UInt64 { range.contains(index) ? counts[index - offset] : 0 }

  /// Leaves out empty buckets at both ends.
  mutating func trim() {
    while counts.last == 0 { counts.removeLast() }
    let empty = counts.prefix { $0 == 0 }.count
    if empty > 0 { counts.removeFirst(empty) }
    offset = counts.isEmpty ? 0 : offset + empty
  }

  /// Joins each run of 2^shift buckets.
  mutating func downscale(by shift: Int) {
    if shift <= 0 || counts.isEmpty { return }
    let shift = Swift.min(shift, 62)
    let first = offset >> shift
    var joined = Array(repeating: UInt64(0), count: ((range.upperBound - 1) >> shift) - first + 1)
    for (position, count) in counts.enumerated() { joined[((offset + position) >> shift) - first] &+= count }
    offset = first
    counts = joined
  }

  /// Adds other buckets of the same scale; the caller knows that the result is not too wide.
  mutating func add(_ other: ExponentialBuckets) {
    if other.counts.isEmpty { return }
    if counts.isEmpty {
      self = other
      return
    }
    let first = Swift.min(offset, other.offset)
    let end = Swift.max(range.upperBound, other.range.upperBound)
    var sum = Array(repeating: UInt64(0), count: end - first)
    for (position, count) in counts.enumerated() { sum[offset - first + position] = count }
    for (position, count) in other.counts.enumerated() { sum[other.offset - first + position] &+= count }
    offset = first
    counts = sum
  }

  /// What was counted since an earlier state of the same scale; nil when any bucket has become less.
  func since(_ earlier: ExponentialBuckets) -> ExponentialBuckets? {
    var delta = self
    for (position, count) in earlier.counts.enumerated() where count > 0 {
      let index = earlier.offset + position
      if self[index] < count { return nil }
      delta.counts[index - offset] -= count
    }
    delta.trim()
    return delta
  }

  /// Takes out the buckets up to an index, and says how much they counted.
  mutating func removeBuckets(through index: Int) -> UInt64 {
    if index < offset || counts.isEmpty { return 0 }
    let removed = index >= range.upperBound - 1 ? counts.count : index - offset + 1
    let count = counts.prefix(removed).reduce(0, &+)
    counts.removeFirst(removed)
    offset += removed
    trim()
    return count
  }

  func write(to writer: inout WireWriter) {
    if offset != 0 { writer.sintField(1, Int64(offset)) }
    writer.packedVarintField(2, counts)
  }
}

/// What is counted of an exponential histogram.
struct ExponentialCounts: Sendable, Hashable {
  /// The most buckets on either side, as in the SDKs; wider ones are joined.
  static let maxBuckets = 160

  var count: UInt64
  var sum: Double?
  var min: Double?
  var max: Double?
  var scale: Int
  var zeroCount: UInt64
  var zeroThreshold: Double
  var positive: ExponentialBuckets
  var negative: ExponentialBuckets

  init(_ point: ExponentialHistogramDataPointView) {
    count = point.count
    sum = point.sum
    min = point.min
    max = point.max
    scale = Int(point.scale)
    zeroCount = point.zeroCount
    zeroThreshold = point.zeroThreshold
    positive = ExponentialBuckets(point.positive)
    negative = ExponentialBuckets(point.negative)
  }

  /// Makes the buckets as wide as a smaller scale says.
  mutating func downscale(to smaller: Int) {
    if smaller >= scale { return }
    positive.downscale(by: scale - smaller)
    negative.downscale(by: scale - smaller)
    scale = smaller
  }

  /// Joins buckets where there are too many.
  mutating func narrow() {
    let none = ExponentialBuckets()
    downscale(to: scale - Swift.max(Self.excess(of: positive, none), Self.excess(of: negative, none)))
  }

  /// Adds what another one counted: at the smaller of both scales, or a smaller one still where there would be too many
  /// buckets, and with the larger of both zero thresholds. What only one of both tells is not told any more.
  mutating func add(_ other: ExponentialCounts) {
    var other = other
    let common = Swift.min(scale, other.scale)
    downscale(to: common)
    other.downscale(to: common)
    let excess = Swift.max(
      Self.excess(of: positive, other.positive), Self.excess(of: negative, other.negative))
    downscale(to: common - excess)
    other.downscale(to: common - excess)
    if zeroThreshold != other.zeroThreshold {
      let wider = Self.threshold(Swift.max(zeroThreshold, other.zeroThreshold), for: self, other)
      widenZero(to: wider)
      other.widenZero(to: wider)
    }
    positive.add(other.positive)
    negative.add(other.negative)
    count &+= other.count
    zeroCount &+= other.zeroCount
    sum = OptionalNumbers.both(sum, other.sum, +)
    min = OptionalNumbers.both(min, other.min, Swift.min)
    max = OptionalNumbers.both(max, other.max, Swift.max)
  }

  /// By how much the scale must become smaller for the buckets of both to be few enough.
  private static func excess(of a: ExponentialBuckets, _ b: ExponentialBuckets) -> Int {
    if a.counts.isEmpty && b.counts.isEmpty { return 0 }
    var first = a.counts.isEmpty ? b.offset : b.counts.isEmpty ? a.offset : Swift.min(a.offset, b.offset)
    var last =
      -1
      + (a.counts.isEmpty
        ? b.range.upperBound
        : b.counts.isEmpty ? a.range.upperBound : Swift.max(a.range.upperBound, b.range.upperBound))
    var shift = 0
    while last - first >= maxBuckets {
      first >>= 1
      last >>= 1
      shift += 1
    }
    return shift
  }

  /// The bucket that a value above 0 falls into, whose upper bound belongs to it.
  static func bucket(of value: Double, scale: Int) -> Int {
    let index = (log2(value) * exp2(Double(scale))).rounded(.up) - 1
    return Int(exactly: index) ?? (index < 0 ? Int(Int32.min) : Int(Int32.max))
  }

  private static func upperBound(of bucket: Int, scale: Int) -> Double {
    exp2(Double(bucket + 1) * exp2(-Double(scale)))
  }

  /// A zero threshold of at least so much that divides no bucket which counted something.
  private static func threshold(
    _ value: Double, for a: ExponentialCounts, _ b: ExponentialCounts
  ) -> Double {
    guard value > 0, value.isFinite else { return value }
    let index = bucket(of: value, scale: a.scale)
    let isDivided = [a, b].contains { $0.positive[index] > 0 || $0.negative[index] > 0 }
    let bound = upperBound(of: index, scale: a.scale)
    return isDivided && bound.isFinite ? Swift.max(value, bound) : value
  }

  /// Counts what lies within a larger zero threshold as zeros.
  mutating func widenZero(to threshold: Double) {
    if !(threshold > zeroThreshold) { return }
    // A threshold at the upper bound of a bucket takes it in; one within a bucket divides none that counted.
    let last = threshold.isFinite ? Self.bucket(of: threshold, scale: scale) : Int.max
    zeroCount &+= positive.removeBuckets(through: last)
    zeroCount &+= negative.removeBuckets(through: last)
    zeroThreshold = threshold
  }

  /// What was counted since an earlier state; nil when that cannot have become this one.
  func since(_ earlier: ExponentialCounts) -> ExponentialCounts? {
    if count < earlier.count || zeroThreshold < earlier.zeroThreshold || scale > earlier.scale { return nil }
    var earlier = earlier
    // The zeros first: at the finer scale fewer buckets are divided by the threshold.
    earlier.widenZero(to: zeroThreshold)
    earlier.downscale(to: scale)
    guard zeroCount >= earlier.zeroCount, let positive = positive.since(earlier.positive),
      let negative = negative.since(earlier.negative)
    else { return nil }
    var delta = self
    delta.count = count - earlier.count
    delta.sum = sum.map { $0 - (earlier.sum ?? 0) }
    delta.min = nil
    delta.max = nil
    delta.zeroCount = zeroCount - earlier.zeroCount
    delta.positive = positive
    delta.negative = negative
    return delta
  }

  /// The fields of a data point that it says anew.
  static let fields: FieldNumbers = [2, 4, 5, 6, 7, 8, 9, 12, 13, 14]

  func write(to writer: inout WireWriter, startTime: UInt64) {
    if startTime != 0 { writer.fixed64Field(2, startTime) }
    if count != 0 { writer.fixed64Field(4, count) }
    if let sum { writer.doubleField(5, sum) }
    if scale != 0 { writer.sintField(6, Int64(Swift.max(scale, Int(Int32.min)))) }
    if zeroCount != 0 { writer.fixed64Field(7, zeroCount) }
    if !positive.counts.isEmpty { writer.message(8) { positive.write(to: &$0) } }
    if !negative.counts.isEmpty { writer.message(9) { negative.write(to: &$0) } }
    if let min { writer.doubleField(12, min) }
    if let max { writer.doubleField(13, max) }
    if zeroThreshold != 0 { writer.doubleField(14, zeroThreshold) }
  }
}

/// What is counted of a histogram of either kind, in a box of its own: a sum's state stays small.
indirect enum Distribution: Sendable, Hashable {
  case explicit(ExplicitCounts)
  case exponential(ExponentialCounts)

  /// Bytes it takes, about.
  var byteCount: Int {
    switch self {
    case .explicit(let counts): 144 + counts.buckets.count * 8
    case .exponential(let counts): 224 + (counts.positive.counts.count + counts.negative.counts.count) * 8
    }
  }
}
