import TelemetryData

/// One batch per signal that uses every field the debug exporter shows.
enum DebugSample {
  static let start: UInt64 = 1_767_323_045_678_000_123
  static let traceID: [UInt8] = Array(0x10...0x1F)
  static let spanID: [UInt8] = Array(0xA0...0xA7)

  private static func begin(_ builder: inout BatchBuilder) {
    builder.beginResource(
      ResourceValue(
        attributes: ["service.name": "shop", "host.cpus": 8], droppedAttributesCount: 1,
        entityRefs: [
          EntityRefValue(
            schemaURL: "https://e", type: "service", idKeys: ["service.name"], descriptionKeys: ["host.cpus"])
        ],
        schemaURL: "https://schema/1"))
    builder.beginScope(
      ScopeValue(
        name: "lib", version: "1.2", attributes: ["short": true], droppedAttributesCount: 2,
        schemaURL: "https://schema/2"))
  }

  static var traces: Batch {
    var builder = BatchBuilder(.traces)
    begin(&builder)
    builder.add(
      SpanValue(
        traceID: traceID, spanID: spanID, traceState: "a=b", parentSpanID: Array(0xB0...0xB7), flags: 1,
        name: "GET /cart", kind: 2, startTime: start, endTime: start + 12_400_000,
        attributes: [
          "http.status": 500, "ratio": 0.5, "empty": .empty, "raw": .bytes([1, 255]),
          "list": .array(["a\"b", 1, .empty]), "map": .keyValueList(["k": false]), "esc": "\u{1B}[31m\nred",
        ],
        droppedAttributesCount: 3,
        events: [
          SpanEventValue(time: start + 1, name: "oops", attributes: ["n": 1], droppedAttributesCount: 4)
        ],
        droppedEventsCount: 5,
        links: [
          SpanLinkValue(
            traceID: traceID, spanID: spanID, traceState: "c=d", attributes: ["l": 2],
            droppedAttributesCount: 6,
            flags: 7)
        ],
        droppedLinksCount: 8, status: StatusValue(message: "boom", code: 2)))
    builder.add(
      SpanValue(traceID: traceID, spanID: spanID, name: "quick", startTime: start, endTime: start + 850))
    return builder.finish()
  }

  static var logs: Batch {
    var builder = BatchBuilder(.logs)
    begin(&builder)
    builder.add(
      LogRecordValue(
        time: start, observedTime: start + 1, severityNumber: 18, severityText: "ERROR", body: "disk\tfull",
        attributes: ["disk": "sda"], droppedAttributesCount: 1, flags: 1, traceID: traceID, spanID: spanID,
        eventName: "disk.full"))
    builder.add(
      LogRecordValue(observedTime: start, severityNumber: 9, body: .keyValueList(["a": .array([1, "x"])])))
    builder.add(LogRecordValue())
    return builder.finish()
  }

  static var metrics: Batch {
    var builder = BatchBuilder(.metrics)
    begin(&builder)
    let exemplar = ExemplarValue(
      filteredAttributes: ["e": 1], time: start, value: .double(0.25), spanID: spanID, traceID: traceID)
    let point = NumberDataPointValue(
      attributes: ["core": 1], startTime: start, time: start + 1, value: .int(42), exemplars: [exemplar],
      flags: 1)
    builder.add(
      MetricValue(
        name: "requests", description: "Requests.", unit: "1",
        data: .sum([point, NumberDataPointValue(time: start)], .cumulative, isMonotonic: true),
        metadata: ["m": "x"]))
    builder.add(
      MetricValue(name: "load", data: .gauge([NumberDataPointValue(time: start, value: .double(1.5))])))
    builder.add(
      MetricValue(
        name: "latency", unit: "ms",
        data: .histogram(
          [
            HistogramDataPointValue(
              attributes: ["r": "eu"], time: start, count: 3, sum: 12, bucketCounts: [1, 2],
              explicitBounds: [5], min: 1,
              max: 9)
          ], .delta)))
    builder.add(
      MetricValue(
        name: "size",
        data: .exponentialHistogram(
          [
            ExponentialHistogramDataPointValue(
              time: start, count: 4, scale: -1, zeroCount: 1,
              positive: BucketsValue(offset: 2, bucketCounts: [1, 1]),
              negative: BucketsValue(offset: -1, bucketCounts: [1]), zeroThreshold: 0.1)
          ], .cumulative)))
    builder.add(
      MetricValue(
        name: "rpc",
        data: .summary([
          SummaryDataPointValue(
            time: start, count: 2, sum: 3, quantileValues: [QuantileValue(quantile: 0.5, value: 1.5)])
        ])))
    builder.add(MetricValue(name: "nothing"))
    return builder.finish()
  }
}
