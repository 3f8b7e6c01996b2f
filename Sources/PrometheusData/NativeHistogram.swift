/// A native histogram as Prometheus has it: sparse buckets in spans, integer or float counts.
///
/// Source: Prometheus' native histogram specification, and `io.prometheus.client.Histogram`.
package struct NativeHistogram: Sendable, Hashable {
  /// Exponential for −4 … 8 (a bucket's upper bound is 2^(index · 2^−schema)), ``customBuckets`` for bounds of its own.
  package var schema: Int32 = 0
  package var zeroThreshold: Double = 0
  package var zeroCount: Double = 0
  package var count: Double = 0
  package var sum: Double = 0
  package var positiveSpans: [BucketSpan] = []
  package var negativeSpans: [BucketSpan] = []
  /// Absolute counts, one for each bucket of the spans.
  package var positiveCounts: [Double] = []
  package var negativeCounts: [Double] = []
  /// Upper bounds of the buckets when the schema is ``customBuckets``, without +Inf.
  package var customBounds: [Double] = []
  /// Whether the counts were written as floats; otherwise they are whole numbers.
  package var isFloat = false
  /// Whether it may go up and down (`gauge histogram`).
  package var isGauge = false

  /// The schema of histograms with bounds of their own (NHCB).
  package static let customBuckets: Int32 = -53

  package init() {}
}

/// A run of buckets: `offset` buckets after the end of the run before it (the first counts from bucket 0), `length` long.
package struct BucketSpan: Sendable, Hashable {
  package var offset: Int32
  package var length: UInt32

  package init(offset: Int32, length: UInt32) {
    self.offset = offset
    self.length = length
  }
}
