internal import WireFormat

/// Points, written field by field.
extension ScrapeOutput {
  /// The flag `NO_RECORDED_VALUE` of data points.
  private static let noRecordedValue: UInt64 = 1

  /// Writes a point of a gauge or sum.
  /// - Parameters:
  ///   - attributes: encoded, with their tags.
  ///   - start: nanoseconds since the Unix epoch; 0 when not known.
  ///   - bits: of the number; those of a stale marker make a point without a value.
  @inline(__always)
  mutating func number(_ attributes: Span<UInt8>, start: UInt64, time: UInt64, bits: UInt64) {
    let isStale = bits == StaleMarker.bits
    let size = attributes.count &+ (start == 0 ? 9 : 18) &+ (isStale ? 2 : 9)
    writer.writeTag(.lengthDelimited(1))
    writer.writeVarint(UInt64(truncatingIfNeeded: size))
    if start != 0 { writer.fixed64Field(2, start) }
    writer.fixed64Field(3, time)
    if isStale {
      writer.varintField(8, Self.noRecordedValue)
    } else {
      writer.fixed64Field(4, bits)
    }
    writer.write(attributes)
  }

  /// Writes a point of a gauge or sum with exemplars.
  mutating func number(
    _ attributes: Span<UInt8>, start: UInt64, time: UInt64, bits: UInt64, exemplars: [ExpositionExemplar],
    scrapeTime: UInt64
  ) {
    if exemplars.isEmpty { return number(attributes, start: start, time: time, bits: bits) }
    let mark = writer.beginMessage(1)
    if start != 0 { writer.fixed64Field(2, start) }
    writer.fixed64Field(3, time)
    if bits == StaleMarker.bits {
      writer.varintField(8, Self.noRecordedValue)
    } else {
      writer.fixed64Field(4, bits)
    }
    write(exemplars, field: 5, scrapeTime: scrapeTime)
    writer.write(attributes)
    writer.endMessage(mark)
  }

  /// Writes a point of a classic histogram or a summary, from the bounds and values that were left in their room.
  mutating func whole(
    _ attributes: Span<UInt8>, kind: ScrapedKind, start: UInt64, time: UInt64, count: UInt64, sum: UInt64?,
    exemplars: [ExpositionExemplar], scrapeTime: UInt64
  ) {
    let mark = writer.beginMessage(1, expecting: attributes.count + 40 + values.count * 16)
    if start != 0 { writer.fixed64Field(2, start) }
    writer.fixed64Field(3, time)
    writer.fixed64Field(4, count)
    if let sum { writer.fixed64Field(5, sum) }
    if kind == .summary {
      for position in bounds.indices { quantile(bounds[position], values[position]) }
    } else {
      writer.packedFixed64Field(6, values)
      writer.packedDoubleField(7, bounds)
      write(exemplars, field: 8, scrapeTime: scrapeTime)
    }
    writer.write(attributes)
    writer.endMessage(mark)
  }

  private mutating func quantile(_ quantile: Double, _ bits: UInt64) {
    writer.writeTag(.lengthDelimited(6))
    writer.writeVarint(18)
    writer.doubleField(1, quantile)
    writer.fixed64Field(2, bits)
  }

  /// Writes the end of a histogram or summary, with the bounds or quantiles that were left in their room: whoever made
  /// several series of it must know which end.
  mutating func ending(_ attributes: Span<UInt8>, kind: ScrapedKind, hasSum: Bool, time: UInt64) {
    let mark = writer.beginMessage(1, expecting: attributes.count + 40 + bounds.count * 16)
    writer.fixed64Field(3, time)
    if hasSum { writer.fixed64Field(5, 0) }
    if kind == .summary {
      for bound in bounds { quantile(bound, 0) }
    } else {
      writer.packedFixed64Field(6, Array(repeating: 0, count: bounds.count + 1))
      writer.packedDoubleField(7, bounds)
    }
    writer.write(attributes)
    writer.varintField(kind == .summary ? 8 : 10, Self.noRecordedValue)
    writer.endMessage(mark)
  }

  /// Writes a native histogram; nil writes its end.
  mutating func native(
    _ attributes: Span<UInt8>, _ histogram: NativeHistogram?, kind: ScrapedKind, start: UInt64, time: UInt64,
    exemplars: [ExpositionExemplar], scrapeTime: UInt64
  ) {
    let mark = writer.beginMessage(1)
    writer.write(attributes)
    if start != 0 { writer.fixed64Field(2, start) }
    writer.fixed64Field(3, time)
    if let histogram, !StaleMarker.isStale(histogram.sum) {
      writer.fixed64Field(4, Self.count(histogram.count))
      writer.doubleField(5, histogram.sum)
      if kind == .custom {
        custom(histogram)
        write(exemplars, field: 8, scrapeTime: scrapeTime)
      } else {
        exponential(histogram)
        write(exemplars, field: 11, scrapeTime: scrapeTime)
      }
    } else {
      writer.varintField(10, Self.noRecordedValue)
    }
    writer.endMessage(mark)
  }

  private mutating func custom(_ histogram: NativeHistogram) {
    var counts = [UInt64](repeating: 0, count: histogram.customBounds.count + 1)
    for bucket in histogram.buckets(histogram.positiveSpans, histogram.positiveCounts) {
      counts[bucket.index] = Self.count(bucket.count)
    }
    writer.packedFixed64Field(6, counts)
    writer.packedDoubleField(7, histogram.customBounds)
  }

  /// More buckets side by side than this are put into fewer: a gap between two buckets costs nothing in Prometheus, and a
  /// byte for every bucket in OTLP.
  private static let mostBuckets = 4096

  private mutating func exponential(_ histogram: NativeHistogram) {
    var positive = histogram.buckets(histogram.positiveSpans, histogram.positiveCounts)
    var negative = histogram.buckets(histogram.negativeSpans, histogram.negativeCounts)
    var scale = Int64(histogram.schema)
    func width(_ buckets: [NativeHistogram.Bucket]) -> Int {
      guard let first = buckets.first, let last = buckets.last else { return 0 }
      return last.index - first.index + 1
    }
    while max(width(positive), width(negative)) > Self.mostBuckets {
      positive = NativeHistogram.merged(positive, shift: 1)
      negative = NativeHistogram.merged(negative, shift: 1)
      scale -= 1
    }
    if scale != 0 { writer.sintField(6, scale) }
    if histogram.zeroCount != 0 { writer.fixed64Field(7, Self.count(histogram.zeroCount)) }
    dense(8, positive)
    dense(9, negative)
    if histogram.zeroThreshold != 0 { writer.doubleField(14, histogram.zeroThreshold) }
  }

  /// Writes buckets with those between them. Prometheus names a bucket by its upper bound, OTLP by its lower one.
  private mutating func dense(_ field: UInt32, _ buckets: [NativeHistogram.Bucket]) {
    guard let first = buckets.first else { return }
    let mark = writer.beginMessage(field)
    writer.sintField(1, Int64(first.index - 1))
    let packed = writer.beginMessage(2)
    var index = first.index
    for bucket in buckets {
      // Spans that overlap would say a bucket twice; the reader of their order keeps the positions rising.
      while index < bucket.index {
        writer.writeVarint(0)
        index += 1
      }
      writer.writeVarint(Self.count(bucket.count))
      index = bucket.index + 1
    }
    writer.endMessage(packed)
    writer.endMessage(mark)
  }

  /// A count as OTLP has it: a whole number.
  private static func count(_ value: Double) -> UInt64 {
    value >= 18_446_744_073_709_549_568 ? .max : UInt64(max(0, value.rounded()))
  }

  // Exemplars.

  private mutating func write(_ exemplars: [ExpositionExemplar], field: UInt32, scrapeTime: UInt64) {
    for exemplar in exemplars {
      let mark = writer.beginMessage(field)
      writer.fixed64Field(2, exemplar.timestamp.map(ScrapeState.nanoseconds) ?? scrapeTime)
      writer.doubleField(3, exemplar.value)
      for label in exemplar.labels {
        if label.name == "span_id", let id = ExemplarID.bytes(label.value, count: 8) {
          writer.bytesField(4, id)
        } else if label.name == "trace_id", let id = ExemplarID.bytes(label.value, count: 16) {
          writer.bytesField(5, id)
        } else {
          ScrapedAttributes.write(label.name, label.value, field: 7, to: &writer)
        }
      }
      writer.endMessage(mark)
    }
  }
}

/// Reads the ids in the labels of exemplars.
enum ExemplarID {
  /// The bytes of an id; nil when the text is none of that length.
  static func bytes(_ text: String, count: Int) -> [UInt8]? {
    guard text.utf8.count == count * 2 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }
}
