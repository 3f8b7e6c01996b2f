/// Buckets in absolute positions, and what makes fewer of them.
extension NativeHistogram {
  /// A bucket of an exponential histogram: its Prometheus index and its count.
  struct Bucket {
    var index: Int
    var count: Double
  }

  /// The buckets in their order; the spans must agree with the counts.
  func buckets(_ spans: [BucketSpan], _ counts: [Double]) -> [Bucket] {
    var buckets: [Bucket] = []
    buckets.reserveCapacity(counts.count)
    var index = 0
    var position = 0
    for span in spans {
      index += Int(span.offset)
      for _ in 0..<span.length where position < counts.count {
        buckets.append(Bucket(index: index, count: counts[position]))
        index += 1
        position += 1
      }
    }
    return buckets
  }

  /// Halves the resolution until there are no more buckets than a limit (`native_histogram_bucket_limit`).
  ///
  /// - Throws: when that cannot be done, as Prometheus has it: beyond schema −4, and for bounds of its own.
  package mutating func limitBuckets(to limit: Int) throws(ScrapeError) {
    while positiveCounts.count + negativeCounts.count > limit {
      guard schema != Self.customBuckets, schema > -4, fault == nil else {
        throw .bucketLimit(
          "a native histogram has more than \(limit) buckets (native_histogram_bucket_limit)")
      }
      schema -= 1
      (positiveSpans, positiveCounts) = halved(positiveSpans, positiveCounts)
      (negativeSpans, negativeCounts) = halved(negativeSpans, negativeCounts)
    }
  }

  /// Lowers the resolution until each bound is so many times the one before (`native_histogram_min_bucket_factor`).
  package mutating func widenBuckets(to factor: Double) {
    guard factor > 1, schema != Self.customBuckets, fault == nil else { return }
    // A bucket of schema s is 2^(2^-s) times as wide as the one before.
    while schema > -4, Self.growth(schema) < factor {
      schema -= 1
      (positiveSpans, positiveCounts) = halved(positiveSpans, positiveCounts)
      (negativeSpans, negativeCounts) = halved(negativeSpans, negativeCounts)
    }
  }

  private static func growth(_ schema: Int32) -> Double {
    var growth = 2.0
    if schema >= 0 {
      for _ in 0..<schema { growth = growth.squareRoot() }
    } else {
      for _ in schema..<0 { growth *= growth }
    }
    return growth
  }

  private func halved(_ spans: [BucketSpan], _ counts: [Double]) -> ([BucketSpan], [Double]) {
    Self.spans(of: Self.merged(buckets(spans, counts), shift: 1))
  }

  /// Buckets of a resolution that is lower by so many halvings.
  static func merged(_ buckets: [Bucket], shift: Int) -> [Bucket] {
    var merged: [Bucket] = []
    for bucket in buckets {
      let index = ((bucket.index - 1) >> shift) + 1
      if let last = merged.indices.last, merged[last].index == index {
        merged[last].count += bucket.count
      } else {
        merged.append(Bucket(index: index, count: bucket.count))
      }
    }
    return merged
  }

  private static func spans(of buckets: [Bucket]) -> ([BucketSpan], [Double]) {
    var spans: [BucketSpan] = []
    var end = 0
    for bucket in buckets {
      if let last = spans.indices.last, bucket.index == end {
        spans[last].length += 1
      } else {
        spans.append(BucketSpan(offset: Int32(clamping: bucket.index - end), length: 1))
      }
      end = bucket.index + 1
    }
    return (spans, buckets.map(\.count))
  }
}
