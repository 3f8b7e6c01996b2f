internal import WireFormat

/// Delimited `io.prometheus.client.MetricFamily` messages.
extension ExpositionWriting {
  mutating func writeProtobuf(_ family: ExposedFamily) {
    var writer = WireWriter(capacity: 256 + family.points.count * 64)
    writer.bytesField(1, family.name)
    if !family.help.isEmpty { writer.bytesField(2, family.help) }
    let type: UInt64 =
      switch family.type {
      case .counter: 0
      case .gauge, .info, .stateSet: 1
      case .summary: 2
      case .unknown: 3
      case .histogram: 4
      case .gaugeHistogram: 5
      }
    if type != 0 { writer.varintField(3, type) }
    for point in family.points {
      let mark = writer.beginMessage(4)
      writeLabels(point.labels, 1, &writer)
      writeValue(point, family.type, &writer)
      if sendsTimestamps, let timestamp = point.timestamp { writer.intField(6, timestamp) }
      writer.endMessage(mark)
    }
    if family.nameEndsInUnit { writer.bytesField(5, family.unit) }
    var length = UInt64(writer.count)
    while length >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: length) | 0x80)
      length >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: length))
    output.append(contentsOf: writer.finish())
  }

  private func writeValue(_ point: ExposedPoint, _ type: ExpositionType, _ writer: inout WireWriter) {
    switch (point.value, type) {
    case (.number(let value), .counter):
      writer.message(3) { writer in
        writer.doubleField(1, value)
        if let exemplar = point.exemplars.first { writeExemplar(exemplar, 2, &writer) }
        Self.writeTimestamp(point.start, 3, &writer)
      }
    case (.number(let value), .unknown): writer.message(5) { $0.doubleField(1, value) }
    case (.number(let value), _): writer.message(2) { $0.doubleField(1, value) }
    case (.series(let parts), .summary): writeSummary(parts, point, &writer)
    case (.series(let parts), _): writeHistogram(parts, point, &writer)
    case (.native(let histogram), _): writeNative(histogram, point, &writer)
    }
  }

  private func writeSummary(_ parts: [ExposedSeries], _ point: ExposedPoint, _ writer: inout WireWriter) {
    writer.message(4) { writer in
      for part in parts {
        switch part.part {
        case .count: writer.varintField(1, Self.whole(part.value))
        case .sum: writer.doubleField(2, part.value)
        case .quantile, .bucket:
          writer.message(3) { writer in
            writer.doubleField(1, part.bound)
            writer.doubleField(2, part.value)
          }
        }
      }
      Self.writeTimestamp(point.start, 4, &writer)
    }
  }

  private func writeHistogram(_ parts: [ExposedSeries], _ point: ExposedPoint, _ writer: inout WireWriter) {
    writer.message(7) { writer in
      for part in parts {
        switch part.part {
        case .count: writer.varintField(1, Self.whole(part.value))
        case .sum: writer.doubleField(2, part.value)
        case .bucket, .quantile:
          writer.message(3) { writer in
            writer.varintField(1, Self.whole(part.value))
            writer.doubleField(2, part.bound)
            if point.exemplars.indices.contains(Int(part.exemplar)) {
              writeExemplar(point.exemplars[Int(part.exemplar)], 3, &writer)
            }
          }
        }
      }
      Self.writeTimestamp(point.start, 15, &writer)
    }
  }

  private func writeNative(
    _ histogram: NativeHistogram, _ point: ExposedPoint, _ writer: inout WireWriter
  ) {
    writer.message(7) { writer in
      if histogram.isFloat {
        writer.doubleField(4, histogram.count)
        writer.doubleField(8, histogram.zeroCount)
      } else {
        writer.varintField(1, Self.whole(histogram.count))
        writer.varintField(7, Self.whole(histogram.zeroCount))
      }
      writer.doubleField(2, histogram.sum)
      writer.sintField(5, Int64(histogram.schema))
      writer.doubleField(6, histogram.zeroThreshold)
      for (number, spans, counts) in [
        (9 as UInt32, histogram.negativeSpans, histogram.negativeCounts),
        (12, histogram.positiveSpans, histogram.positiveCounts),
      ] {
        for span in spans {
          writer.message(number) { writer in
            if span.offset != 0 { writer.sintField(1, Int64(span.offset)) }
            writer.varintField(2, UInt64(span.length))
          }
        }
        if histogram.isFloat {
          writer.packedDoubleField(number + 2, counts)
        } else {
          writer.packedVarintField(number + 1, Self.deltas(counts))
        }
      }
      // Without any bucket, an empty span says that this is a native histogram all the same.
      if histogram.positiveSpans.isEmpty, histogram.negativeSpans.isEmpty { writer.message(12) { _ in } }
      Self.writeTimestamp(point.start, 15, &writer)
      for exemplar in point.exemplars { writeExemplar(exemplar, 16, &writer) }
    }
  }

  private static func deltas(_ counts: [Double]) -> [UInt64] {
    var last: Int64 = 0
    return counts.map { count in
      let next = Int64(truncatingIfNeeded: whole(count))
      defer { last = next }
      return ZigZag.encode(next &- last)
    }
  }

  private static func whole(_ value: Double) -> UInt64 {
    value > 0 && value < 0x1p64 ? UInt64(value) : value > 0 ? .max : 0
  }

  private static func writeTimestamp(_ milliseconds: Int64, _ number: UInt32, _ writer: inout WireWriter) {
    if milliseconds <= 0 { return }
    writer.message(number) { writer in
      writer.intField(1, milliseconds / 1000)
      if milliseconds % 1000 != 0 { writer.intField(2, milliseconds % 1000 * 1_000_000) }
    }
  }

  private func writeExemplar(_ exemplar: ExposedExemplar, _ number: UInt32, _ writer: inout WireWriter) {
    writer.message(number) { writer in
      writeLabels(exemplar.labels, 1, &writer)
      writer.doubleField(2, exemplar.value)
      Self.writeTimestamp(exemplar.timestamp, 3, &writer)
    }
  }

  private func writeLabels(_ labels: ExposedLabels, _ number: UInt32, _ writer: inout WireWriter) {
    let bytes = labels.bytes
    labels.forEach { name, value in
      let mark = writer.beginMessage(number)
      if names == .underscores, !Self.isPlain(bytes[name], isMetric: false) {
        writer.bytesField(1, Self.escaped(Array(bytes[name]), isMetric: false))
      } else {
        writer.bytesField(1, bytes[name].span)
      }
      writer.bytesField(2, bytes[value].span)
      writer.endMessage(mark)
    }
  }
}
