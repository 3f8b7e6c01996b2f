import SeededRandom
import TelemetryData

/// Models filled with random values of every kind, small and empty ones included.
extension SeededGenerator {
  mutating func model(_ signal: Signal) -> Model {
    var model = Model(signal: signal)
    for _ in 0..<below(4) {
      var resource = Model.Resource(value: resource())
      for _ in 0..<below(4) {
        var scope = Model.Scope(value: scope())
        for _ in 0..<below(7) {
          switch signal {
          case .traces: scope.items.append(.span(span()))
          case .logs: scope.items.append(.logRecord(logRecord()))
          case .metrics: scope.items.append(.metric(metric()))
          }
        }
        resource.scopes.append(scope)
      }
      model.resources.append(resource)
    }
    return model
  }

  mutating func text() -> String {
    let texts = [
      "", "a", "name", "größe", "日本", "http.request.method", String(repeating: "long ", count: 40), "😀",
    ]
    return texts[below(texts.count)]
  }

  mutating func attributes() -> Attributes {
    var attributes = Attributes()
    let count = below(6)
    for index in 0..<count { attributes.append("key.\(below(3) * 6 + index)", value(depth: 0)) }
    return attributes
  }

  mutating func value(depth: Int) -> AnyValue {
    switch below(depth > 3 ? 6 : 8) {
    case 0: return .string(text())
    case 1: return .bool(chance(50))
    case 2: return .int([0, 1, -1, .max, .min, 300, 127, 128].randomElement(using: &self) ?? 0)
    case 3:
      return .double(
        [0, -0.0, 1.5, .infinity, -.infinity, .leastNonzeroMagnitude].randomElement(using: &self) ?? 0)
    case 4: return .bytes(bytes(below(20)))
    case 5: return .empty
    case 6: return .array((0..<below(4)).map { _ in value(depth: depth + 1) })
    default:
      var attributes = Attributes()
      for _ in 0..<below(3) { attributes.append(text(), value(depth: depth + 1)) }
      return .keyValueList(attributes)
    }
  }

  mutating func resource() -> ResourceValue {
    var value = ResourceValue(
      attributes: attributes(), droppedAttributesCount: UInt32(below(3)), schemaURL: text())
    for _ in 0..<below(2) {
      value.entityRefs.append(
        EntityRefValue(
          schemaURL: text(), type: text(), idKeys: (0..<below(3)).map { _ in text() },
          descriptionKeys: (0..<below(3)).map { _ in text() }))
    }
    return value
  }

  mutating func scope() -> ScopeValue {
    ScopeValue(
      name: text(), version: text(), attributes: attributes(), droppedAttributesCount: UInt32(below(300)),
      schemaURL: text())
  }

  mutating func id(_ count: Int) -> [UInt8] { chance(20) ? [] : bytes(count) }

  mutating func span() -> SpanValue {
    var span = SpanValue(
      traceID: id(16), spanID: id(8), traceState: text(), parentSpanID: id(8), flags: UInt32(below(3)),
      name: text(),
      kind: Int32(below(6)), startTime: next(), endTime: UInt64(below(2)), attributes: attributes(),
      droppedAttributesCount: UInt32(below(2)), droppedEventsCount: UInt32(below(2)),
      droppedLinksCount: UInt32(below(2)))
    for _ in 0..<below(3) {
      span.events.append(
        SpanEventValue(time: next(), name: text(), attributes: attributes(), droppedAttributesCount: 1))
    }
    for _ in 0..<below(3) {
      span.links.append(
        SpanLinkValue(
          traceID: id(16), spanID: id(8), traceState: text(), attributes: attributes(),
          droppedAttributesCount: UInt32(below(9)), flags: UInt32(below(4))))
    }
    if chance(50) { span.status = StatusValue(message: text(), code: Int32(below(3))) }
    return span
  }

  mutating func logRecord() -> LogRecordValue {
    LogRecordValue(
      time: UInt64(below(2)), observedTime: next(), severityNumber: Int32(below(25)), severityText: text(),
      body: chance(80) ? value(depth: 0) : nil, attributes: attributes(),
      droppedAttributesCount: UInt32(below(2)),
      flags: UInt32(below(2)), traceID: id(16), spanID: id(8), eventName: text())
  }

  mutating func metric() -> MetricValue {
    var metric = MetricValue(name: text(), description: text(), unit: text(), metadata: attributes())
    let temporality = AggregationTemporality(rawValue: Int32(below(3))) ?? .unspecified
    let count = below(6)
    switch below(6) {
    case 0: metric.data = .gauge((0..<count).map { _ in numberPoint() })
    case 1: metric.data = .sum((0..<count).map { _ in numberPoint() }, temporality, isMonotonic: chance(50))
    case 2: metric.data = .histogram((0..<count).map { _ in histogramPoint() }, temporality)
    case 3: metric.data = .exponentialHistogram((0..<count).map { _ in exponentialPoint() }, temporality)
    case 4: metric.data = .summary((0..<count).map { _ in summaryPoint() })
    default: break
    }
    return metric
  }

  mutating func number() -> NumberValue? {
    switch below(3) {
    case 0: .int([0, -1, .max, .min].randomElement(using: &self) ?? 0)
    case 1: .double([0, -0.0, 3.25].randomElement(using: &self) ?? 0)
    default: nil
    }
  }

  mutating func double() -> Double? { chance(30) ? nil : Double(below(5)) - 2 }

  mutating func exemplars() -> [ExemplarValue] {
    (0..<below(2)).map { _ in
      ExemplarValue(
        filteredAttributes: attributes(), time: next(), value: number(), spanID: id(8), traceID: id(16))
    }
  }

  mutating func numberPoint() -> NumberDataPointValue {
    NumberDataPointValue(
      attributes: attributes(), startTime: UInt64(below(2)), time: next(), value: number(),
      exemplars: exemplars(),
      flags: UInt32(below(2)))
  }

  mutating func histogramPoint() -> HistogramDataPointValue {
    HistogramDataPointValue(
      attributes: attributes(), startTime: next(), time: next(), count: next(), sum: double(),
      bucketCounts: (0..<below(5)).map { _ in next() }, explicitBounds: (0..<below(5)).map { Double($0) / 3 },
      exemplars: exemplars(), flags: UInt32(below(2)), min: double(), max: double())
  }

  mutating func exponentialPoint() -> ExponentialHistogramDataPointValue {
    ExponentialHistogramDataPointValue(
      attributes: attributes(), startTime: next(), time: next(), count: next(), sum: double(),
      scale: Int32(below(30)) - 10, zeroCount: UInt64(below(3)), positive: buckets(), negative: buckets(),
      flags: UInt32(below(2)), exemplars: exemplars(), min: double(), max: double(),
      zeroThreshold: double() ?? 0)
  }

  mutating func buckets() -> BucketsValue? {
    if chance(30) { return nil }
    return BucketsValue(
      offset: Int32(below(200)) - 100, bucketCounts: (0..<below(5)).map { _ in next() >> 40 })
  }

  mutating func summaryPoint() -> SummaryDataPointValue {
    SummaryDataPointValue(
      attributes: attributes(), startTime: next(), time: next(), count: next(), sum: double() ?? 0,
      quantileValues: (0..<below(4)).map { QuantileValue(quantile: Double($0) / 4, value: double() ?? 7) },
      flags: UInt32(below(2)))
  }
}
