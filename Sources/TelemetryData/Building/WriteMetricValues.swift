import WireFormat

extension WireWriter {
  mutating func write(_ value: MetricValue) {
    optionalString(1, value.name)
    optionalString(2, value.description)
    optionalString(3, value.unit)
    switch value.data {
    case .gauge(let points): message(5) { $0.numberPoints(points) }
    case .sum(let points, let temporality, let isMonotonic):
      message(7) { writer in
        writer.numberPoints(points)
        writer.optionalInt(2, Int64(temporality.rawValue))
        writer.optionalVarint(3, isMonotonic ? 1 : 0)
      }
    case .histogram(let points, let temporality):
      message(9) { writer in
        for point in points { writer.message(1) { $0.write(point) } }
        writer.optionalInt(2, Int64(temporality.rawValue))
      }
    case .exponentialHistogram(let points, let temporality):
      message(10) { writer in
        for point in points { writer.message(1) { $0.write(point) } }
        writer.optionalInt(2, Int64(temporality.rawValue))
      }
    case .summary(let points):
      message(11) { writer in
        for point in points { writer.message(1) { $0.write(point) } }
      }
    case nil: break
    }
    attributeFields(12, value.metadata)
  }

  mutating func numberPoints(_ points: [NumberDataPointValue]) {
    for point in points { message(1) { $0.write(point) } }
  }

  mutating func write(_ point: NumberDataPointValue) {
    optionalFixed64(2, point.startTime)
    optionalFixed64(3, point.time)
    number(point.value)
    exemplars(5, point.exemplars)
    attributeFields(7, point.attributes)
    optionalVarint(8, UInt64(point.flags))
  }

  mutating func write(_ point: HistogramDataPointValue) {
    optionalFixed64(2, point.startTime)
    optionalFixed64(3, point.time)
    optionalFixed64(4, point.count)
    if let sum = point.sum { doubleField(5, sum) }
    packedFixed64Field(6, point.bucketCounts)
    packedDoubleField(7, point.explicitBounds)
    exemplars(8, point.exemplars)
    attributeFields(9, point.attributes)
    optionalVarint(10, UInt64(point.flags))
    if let min = point.min { doubleField(11, min) }
    if let max = point.max { doubleField(12, max) }
  }

  mutating func write(_ point: ExponentialHistogramDataPointValue) {
    attributeFields(1, point.attributes)
    optionalFixed64(2, point.startTime)
    optionalFixed64(3, point.time)
    optionalFixed64(4, point.count)
    if let sum = point.sum { doubleField(5, sum) }
    optionalSint(6, Int64(point.scale))
    optionalFixed64(7, point.zeroCount)
    if let buckets = point.positive { message(8) { $0.write(buckets) } }
    if let buckets = point.negative { message(9) { $0.write(buckets) } }
    optionalVarint(10, UInt64(point.flags))
    exemplars(11, point.exemplars)
    if let min = point.min { doubleField(12, min) }
    if let max = point.max { doubleField(13, max) }
    optionalDouble(14, point.zeroThreshold)
  }

  mutating func write(_ buckets: BucketsValue) {
    optionalSint(1, Int64(buckets.offset))
    packedVarintField(2, buckets.bucketCounts)
  }

  mutating func write(_ point: SummaryDataPointValue) {
    optionalFixed64(2, point.startTime)
    optionalFixed64(3, point.time)
    optionalFixed64(4, point.count)
    optionalDouble(5, point.sum)
    for value in point.quantileValues {
      message(6) { writer in
        writer.optionalDouble(1, value.quantile)
        writer.optionalDouble(2, value.value)
      }
    }
    attributeFields(7, point.attributes)
    optionalVarint(8, UInt64(point.flags))
  }

  /// The value of a `NumberDataPoint`: a member of a oneof, so that zero is written too.
  mutating func number(_ value: NumberValue?) {
    switch value {
    case .double(let value): doubleField(4, value)
    case .int(let value): fixed64Field(6, UInt64(bitPattern: value))
    case nil: break
    }
  }

  mutating func exemplars(_ number: UInt32, _ exemplars: [ExemplarValue]) {
    for exemplar in exemplars {
      message(number) { writer in
        writer.optionalFixed64(2, exemplar.time)
        switch exemplar.value {
        case .double(let value): writer.doubleField(3, value)
        case .int(let value): writer.fixed64Field(6, UInt64(bitPattern: value))
        case nil: break
        }
        writer.optionalBytes(4, exemplar.spanID)
        writer.optionalBytes(5, exemplar.traceID)
        writer.attributeFields(7, exemplar.filteredAttributes)
      }
    }
  }
}
