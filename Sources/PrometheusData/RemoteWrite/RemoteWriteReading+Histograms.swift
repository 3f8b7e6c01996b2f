internal import TelemetryData
internal import WireFormat

extension NativeHistogram {
  /// A `Histogram` message of remote write, both versions.
  struct Reading {
    var value = NativeHistogram()
    /// Milliseconds since the Unix epoch.
    var timestamp: Int64 = 0
    /// Milliseconds since the Unix epoch; 0 for unknown.
    var start: Int64 = 0

    var isRepresentable: Bool { RemoteWriteTime.isRepresentable(timestamp) }

    init(_ message: consuming WireCursor) throws(WireError) {
      var cursor = message
      var deltas = (positive: [Int64](), negative: [Int64]())
      while !cursor.isAtEnd {
        let place = cursor.offset
        let tag = try cursor.readTag()
        switch tag {
        case .varint(1): value.count = Double(try cursor.readVarint())
        case .fixed64(2):
          value.count = Double(bitPattern: try cursor.readFixed64())
          value.isFloat = true
        case .fixed64(3): value.sum = Double(bitPattern: try cursor.readFixed64())
        case .varint(4): value.schema = Int32(truncatingIfNeeded: ZigZag.decode(try cursor.readVarint()))
        case .fixed64(5): value.zeroThreshold = Double(bitPattern: try cursor.readFixed64())
        case .varint(6): value.zeroCount = Double(try cursor.readVarint())
        case .fixed64(7): value.zeroCount = Double(bitPattern: try cursor.readFixed64())
        case .lengthDelimited(8): value.negativeSpans.append(try Self.span(try cursor.readMessage()))
        case .lengthDelimited(11): value.positiveSpans.append(try Self.span(try cursor.readMessage()))
        case .varint(14): value.isGauge = try cursor.readVarint() == 3
        case .varint(15): timestamp = Int64(bitPattern: try cursor.readVarint())
        case .varint(17): start = Int64(bitPattern: try cursor.readVarint())
        default:
          switch tag.fieldNumber {
          case 9: try Self.deltas(&cursor, tag, place, &deltas.negative)
          case 10: try Self.doubles(&cursor, tag, place, &value.negativeCounts)
          case 12: try Self.deltas(&cursor, tag, place, &deltas.positive)
          case 13: try Self.doubles(&cursor, tag, place, &value.positiveCounts)
          case 16: try Self.doubles(&cursor, tag, place, &value.customBounds)
          default: try cursor.skip(tag)
          }
        }
      }
      if !deltas.positive.isEmpty { value.positiveCounts = Self.sums(deltas.positive) }
      if !deltas.negative.isEmpty { value.negativeCounts = Self.sums(deltas.negative) }
    }

    private static func span(_ message: consuming WireCursor) throws(WireError) -> BucketSpan {
      var cursor = message
      var span = BucketSpan(offset: 0, length: 0)
      while let tag = try cursor.nextTag() {
        switch tag {
        case .varint(1): span.offset = Int32(truncatingIfNeeded: ZigZag.decode(try cursor.readVarint()))
        case .varint(2): span.length = UInt32(truncatingIfNeeded: try cursor.readVarint())
        default: try cursor.skip(tag)
        }
      }
      return span
    }

    private static func deltas(
      _ cursor: inout WireCursor, _ tag: WireTag, _ place: Int, _ values: inout [Int64]
    ) throws(WireError) {
      switch tag.type {
      case .lengthDelimited:
        var packed = try cursor.readMessage()
        while !packed.isAtEnd { values.append(ZigZag.decode(try packed.readVarint())) }
      case .varint: values.append(ZigZag.decode(try cursor.readVarint()))
      default: throw WireError(.wrongWireType, at: place)
      }
    }

    private static func doubles(
      _ cursor: inout WireCursor, _ tag: WireTag, _ place: Int, _ values: inout [Double]
    ) throws(WireError) {
      switch tag.type {
      case .lengthDelimited:
        var packed = try cursor.readMessage()
        while !packed.isAtEnd { values.append(Double(bitPattern: try packed.readFixed64())) }
      case .fixed64: values.append(Double(bitPattern: try cursor.readFixed64()))
      default: throw WireError(.wrongWireType, at: place)
      }
    }

    /// Absolute counts; a sum beyond 64 bits is not a count, and shows as a negative one.
    private static func sums(_ deltas: [Int64]) -> [Double] {
      var sum: Int64 = 0
      return deltas.map { delta in
        let (next, overflow) = sum.addingReportingOverflow(delta)
        sum = overflow ? .min : next
        return Double(sum)
      }
    }
  }

  /// The most buckets of one sign that are written out; a histogram that spans more is written with fewer, wider ones.
  static var mostBuckets: Int { 16_384 }

  /// Bytes that the buckets take in OTLP, at most.
  var writtenSize: Int {
    if schema == Self.customBuckets { return customBounds.count * 16 + 32 }
    let positive = Self.indices(of: positiveSpans, positiveCounts.count)?.count ?? 0
    let negative = Self.indices(of: negativeSpans, negativeCounts.count)?.count ?? 0
    return min(positive, Self.mostBuckets) + min(negative, Self.mostBuckets)
      + 9 * (positiveCounts.count + negativeCounts.count) + 64
  }

  /// How many times neighbouring buckets must be joined for all to fit into ``mostBuckets``.
  private var reductions: Int {
    var reductions = 0
    for (spans, counts) in [(positiveSpans, positiveCounts), (negativeSpans, negativeCounts)] {
      guard let range = Self.indices(of: spans, counts.count), !range.isEmpty else { continue }
      let (first, last) = (range.lowerBound - 1, range.upperBound - 2)
      while (last >> reductions) - (first >> reductions) >= Self.mostBuckets { reductions += 1 }
    }
    return reductions
  }

  /// The buckets of one sign without gaps, and the OTLP index of the first: Prometheus counts buckets by their upper
  /// bound, OTLP by their lower.
  private static func dense(
    _ spans: [BucketSpan], _ counts: [Double], _ reductions: Int
  ) -> (offset: Int, counts: [UInt64]) {
    guard let range = indices(of: spans, counts.count), !range.isEmpty else { return (0, []) }
    let first = (range.lowerBound - 1) >> reductions
    let last = (range.upperBound - 2) >> reductions
    var dense = [UInt64](repeating: 0, count: last - first + 1)
    var index = 0
    var position = 0
    for span in spans {
      index += Int(span.offset)
      for _ in 0..<Int(span.length) {
        let bucket = ((index - 1) >> reductions) - first
        let (sum, overflow) = dense[bucket].addingReportingOverflow(UInt64(counts[position].rounded()))
        dense[bucket] = overflow ? .max : sum
        index += 1
        position += 1
      }
    }
    return (first, dense)
  }

  /// Writes the data fields of an `ExponentialHistogramDataPoint`.
  ///
  /// OTLP counts in whole numbers: the counts of a float histogram are rounded.
  func writeExponential(_ writer: inout WireWriter) {
    let reductions = reductions
    if count != 0 { writer.fixed64Field(4, UInt64(count.rounded())) }
    writer.doubleField(5, sum)
    let scale = Int64(schema) - Int64(reductions)
    if scale != 0 { writer.sintField(6, scale) }
    if zeroCount != 0 { writer.fixed64Field(7, UInt64(zeroCount.rounded())) }
    for (number, spans, counts) in [
      (8 as UInt32, positiveSpans, positiveCounts), (9, negativeSpans, negativeCounts),
    ] where !counts.isEmpty {
      let buckets = Self.dense(spans, counts, reductions)
      writer.message(number) { writer in
        if buckets.offset != 0 { writer.sintField(1, Int64(buckets.offset)) }
        writer.packedVarintField(2, buckets.counts)
      }
    }
    if zeroThreshold != 0 { writer.doubleField(14, zeroThreshold) }
  }

  /// Writes the data fields of a `HistogramDataPoint`, for custom buckets.
  func writeExplicit(_ writer: inout WireWriter) {
    if count != 0 { writer.fixed64Field(4, UInt64(count.rounded())) }
    writer.doubleField(5, sum)
    var counts = [UInt64](repeating: 0, count: customBounds.count + 1)
    var index = 0
    var position = 0
    for span in positiveSpans {
      index += Int(span.offset)
      for _ in 0..<Int(span.length) {
        counts[index] = UInt64(positiveCounts[position].rounded())
        index += 1
        position += 1
      }
    }
    writer.packedFixed64Field(6, counts)
    writer.packedDoubleField(7, customBounds)
  }
}
