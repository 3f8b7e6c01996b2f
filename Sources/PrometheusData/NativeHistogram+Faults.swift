/// What makes a histogram one that nobody can take, whether it was scraped or sent.
///
/// Source: what Prometheus checks before it stores one, and what OTLP can hold.
extension NativeHistogram {
  /// Why a histogram cannot be taken.
  package enum Fault: String, Sendable {
    case schema = "a histogram has an unknown schema"
    case spans = "a histogram's spans and buckets do not fit together"
    case range = "a histogram has buckets beyond the largest number"
    case counts = "a histogram has a negative or infinite count"
    case threshold = "a histogram's zero threshold is not a positive number"
    case bounds = "a histogram's custom bounds do not ascend"
  }

  /// What keeps the histogram from being taken; nil when nothing does. One that ends a series may hold anything.
  package var fault: Fault? {
    if StaleMarker.isStale(sum) { return nil }
    let isCustom = schema == Self.customBuckets
    guard isCustom || (-4...8).contains(schema) else { return .schema }
    guard Self.isCount(count), Self.isCount(zeroCount) else { return .counts }
    guard zeroThreshold >= 0 else { return .threshold }
    guard positiveCounts.allSatisfy(Self.isCount), negativeCounts.allSatisfy(Self.isCount) else {
      return .counts
    }
    guard let positive = Self.indices(of: positiveSpans, positiveCounts.count),
      let negative = Self.indices(of: negativeSpans, negativeCounts.count)
    else { return .spans }
    if isCustom {
      guard negativeCounts.isEmpty, zeroCount == 0 else { return .spans }
      guard zip(customBounds, customBounds.dropFirst()).allSatisfy({ $0 < $1 }),
        customBounds.allSatisfy(\.isFinite)
      else { return .bounds }
      guard positive.isEmpty || (positive.lowerBound >= 0 && positive.upperBound <= customBounds.count + 1)
      else { return .range }
      return nil
    }
    // The exponents of finite numbers, denormal ones too, and a bucket for infinity.
    let shift = Int(schema)
    let low = shift >= 0 ? -1075 << shift : (-1075 >> -shift) - 1
    let high = shift >= 0 ? (1024 << shift) + 1 : (1024 >> -shift) + 2
    for range in [positive, negative] where !range.isEmpty {
      if range.lowerBound < low || range.upperBound > high + 1 { return .range }
    }
    return nil
  }

  private static func isCount(_ value: Double) -> Bool { value >= 0 && value < 0x1p63 }

  /// From the first bucket to behind the last; nil when the spans do not fit the number of buckets.
  static func indices(of spans: [BucketSpan], _ buckets: Int) -> Range<Int>? {
    var next = 0
    var left = buckets
    var first: Int?
    for (position, span) in spans.enumerated() {
      if position > 0, span.offset < 0 { return nil }
      let length = Int(span.length)
      if length > left { return nil }
      left -= length
      next += Int(span.offset)
      if length > 0, first == nil { first = next }
      next += length
    }
    guard left == 0 else { return nil }
    return first.map { $0..<next } ?? 0..<0
  }
}
