internal import WireFormat

extension WireWriter {
  /// Writes the fields of a `Histogram`, which are the same in both versions of remote write.
  mutating func writeHistogram(_ histogram: borrowing NativeHistogram, timestamp: Int64, start: Int64 = 0) {
    let isStale = StaleMarker.isStale(histogram.sum)
    if histogram.isFloat {
      doubleField(2, isStale ? StaleMarker.value : histogram.count)
    } else {
      varintField(1, isStale ? StaleMarker.bits : UInt64(clamping: histogram.count))
    }
    doubleField(3, histogram.sum)
    sintField(4, Int64(histogram.schema))
    doubleField(5, histogram.zeroThreshold)
    if histogram.isFloat {
      doubleField(7, histogram.zeroCount)
    } else {
      varintField(6, UInt64(clamping: histogram.zeroCount))
    }
    writeSpans(8, histogram.negativeSpans)
    writeCounts(deltas: 9, counts: 10, histogram.negativeCounts, isFloat: histogram.isFloat)
    writeSpans(11, histogram.positiveSpans)
    writeCounts(deltas: 12, counts: 13, histogram.positiveCounts, isFloat: histogram.isFloat)
    if histogram.isGauge { varintField(14, 3) }
    intField(15, timestamp)
    packedDoubleField(16, histogram.customBounds)
    if start != 0 { intField(17, start) }
  }

  private mutating func writeSpans(_ number: UInt32, _ spans: [BucketSpan]) {
    for span in spans {
      let message = beginMessage(number)
      sintField(1, Int64(span.offset))
      varintField(2, UInt64(span.length))
      endMessage(message)
    }
  }

  private mutating func writeCounts(
    deltas: UInt32, counts number: UInt32, _ counts: [Double], isFloat: Bool
  ) {
    if isFloat { return packedDoubleField(number, counts) }
    if counts.isEmpty { return }
    let message = beginMessage(deltas)
    var last: Int64 = 0
    for count in counts {
      let whole = Int64(clamping: UInt64(clamping: count))
      writeVarint(ZigZag.encode(whole &- last))
      last = whole
    }
    endMessage(message)
  }
}

extension UInt64 {
  /// The whole number nearest to zero beside a count; counts below zero and NaN are 0.
  init(clamping count: Double) {
    if count >= 0x1p64 {
      self = .max
    } else {
      self = count > 0 ? UInt64(count) : 0
    }
  }
}
