internal import WireFormat

extension ProtobufReader {
  /// Reads the native part of a Histogram message.
  ///
  /// What Prometheus would refuse to store is refused here: an unknown schema, spans that do not fit the buckets, negative
  /// counts, and buckets that do not add up to the count.
  func readNativeHistogram(_ point: WireRange) throws(ExpositionError) -> NativeHistogram {
    var histogram = NativeHistogram()
    histogram.isGauge = family.type == .gaugeHistogram
    var integers = (count: UInt64(0), zero: UInt64(0))
    var floats = (count: 0.0, zero: 0.0)
    var (positive, negative) = (SparseBuckets(), SparseBuckets())
    do throws(WireError) {
      var cursor = WireCursor(bytes, in: point)
      while let tag = try cursor.nextTag() {
        switch tag {
        case .varint(1): integers.count = try cursor.readVarint()
        case .fixed64(2): histogram.sum = Double(bitPattern: try cursor.readFixed64())
        case .fixed64(4): floats.count = Double(bitPattern: try cursor.readFixed64())
        case .varint(5):
          histogram.schema = Int32(truncatingIfNeeded: ZigZag.decode(try cursor.readVarint()))
        case .fixed64(6): histogram.zeroThreshold = Double(bitPattern: try cursor.readFixed64())
        case .varint(7): integers.zero = try cursor.readVarint()
        case .fixed64(8): floats.zero = Double(bitPattern: try cursor.readFixed64())
        default:
          if try !negative.read(tag, &cursor, spans: 9), try !positive.read(tag, &cursor, spans: 12) {
            try cursor.skip(tag)
          }
        }
      }
    } catch {
      throw fault(error)
    }
    histogram.isFloat = floats.count > 0 || floats.zero > 0
    histogram.count = histogram.isFloat ? floats.count : Double(integers.count)
    histogram.zeroCount = histogram.isFloat ? floats.zero : Double(integers.zero)
    guard (-4...8).contains(histogram.schema) else {
      throw fault("schema \(histogram.schema) of a native histogram", at: point.lowerBound)
    }
    guard let positive = positive.compacted(areFloats: histogram.isFloat),
      let negative = negative.compacted(areFloats: histogram.isFloat)
    else { throw fault("a native histogram whose spans and buckets do not fit", at: point.lowerBound) }
    (histogram.positiveSpans, histogram.positiveCounts) = positive
    (histogram.negativeSpans, histogram.negativeCounts) = negative
    try check(histogram, at: point.lowerBound)
    return histogram
  }

  private func check(_ histogram: NativeHistogram, at place: Int) throws(ExpositionError) {
    let counts = histogram.positiveCounts + histogram.negativeCounts
    if counts.contains(where: { !($0 >= 0) }) || !(histogram.zeroCount >= 0) || !(histogram.count >= 0) {
      throw fault("a native histogram with a negative count", at: place)
    }
    // Observations of NaN are in no bucket. Sums of floats are never exact, nor are integers that doubles cannot hold.
    if histogram.isFloat || histogram.count >= 0x1p53 { return }
    let sum = counts.reduce(histogram.zeroCount, +)
    if histogram.sum.isNaN ? sum > histogram.count : sum != histogram.count {
      throw fault("a native histogram whose buckets do not add up to its count", at: place)
    }
  }
}

/// The buckets of one sign of a native histogram.
private struct SparseBuckets {
  var spans: [BucketSpan] = []
  var deltas: [Int64] = []
  var counts: [Double] = []

  /// Reads a field if it is one of spans, deltas or counts, whose numbers follow each other.
  mutating func read(
    _ tag: WireTag, _ cursor: inout WireCursor, spans field: UInt32
  ) throws(WireError) -> Bool {
    switch tag {
    case .lengthDelimited(field): spans.append(try Self.readSpan(try cursor.readMessage()))
    case .varint(field + 1): deltas.append(ZigZag.decode(try cursor.readVarint()))
    case .lengthDelimited(field + 1):
      var packed = try cursor.readMessage()
      while !packed.isAtEnd { deltas.append(ZigZag.decode(try packed.readVarint())) }
    case .fixed64(field + 2): counts.append(Double(bitPattern: try cursor.readFixed64()))
    case .lengthDelimited(field + 2):
      var packed = try cursor.readMessage()
      while !packed.isAtEnd { counts.append(Double(bitPattern: try packed.readFixed64())) }
    default: return false
    }
    return true
  }

  private static func readSpan(_ message: consuming WireCursor) throws(WireError) -> BucketSpan {
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

  /// Spans without empty buckets and their absolute counts, as Prometheus stores them, or nil when they do not fit.
  func compacted(areFloats: Bool) -> (spans: [BucketSpan], counts: [Double])? {
    guard let counts = areFloats ? counts : absoluteCounts() else { return nil }
    var compact: (spans: [BucketSpan], counts: [Double]) = ([], [])
    var position = 0
    var index: Int64 = 0
    // The bucket behind the last one that was kept.
    var end: Int64 = 0
    for (number, span) in spans.enumerated() {
      if number > 0, span.offset < 0 { return nil }
      index += Int64(span.offset)
      if Int(span.length) > counts.count - position { return nil }
      for count in counts[position..<position + Int(span.length)] {
        if count != 0 {
          if index == end, let last = compact.spans.indices.last {
            compact.spans[last].length += 1
          } else {
            guard let offset = Int32(exactly: index - end) else { return nil }
            compact.spans.append(BucketSpan(offset: offset, length: 1))
          }
          compact.counts.append(count)
          end = index + 1
        }
        index += 1
      }
      position += Int(span.length)
    }
    return position == counts.count ? compact : nil
  }

  /// Counts from the differences between neighbours, or nil when they do not fit into 64 bits.
  private func absoluteCounts() -> [Double]? {
    var counts: [Double] = []
    counts.reserveCapacity(deltas.count)
    var count: Int64 = 0
    for delta in deltas {
      let (sum, overflows) = count.addingReportingOverflow(delta)
      if overflows { return nil }
      count = sum
      counts.append(Double(sum))
    }
    return counts
  }
}
