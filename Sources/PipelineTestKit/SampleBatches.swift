package import TelemetryData

extension Batch {
  /// `count` spans of one resource, named `NAME-0`, `NAME-1`, …
  package static func spans(_ count: Int, name: String = "span") -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "test"]))
    builder.beginScope()
    for index in 0..<count {
      builder.add(
        SpanValue(
          traceID: Array(repeating: UInt8(truncatingIfNeeded: index &+ 1), count: 16),
          spanID: Array(repeating: UInt8(truncatingIfNeeded: index &+ 1), count: 8), name: "\(name)-\(index)")
      )
    }
    return builder.finish()
  }

  /// `count` log records of one resource.
  package static func logs(_ count: Int) -> Batch {
    var builder = BatchBuilder(.logs)
    builder.beginResource(ResourceValue(attributes: ["service.name": "test"]))
    builder.beginScope()
    for index in 0..<count { builder.add(LogRecordValue(body: .string("line \(index)"))) }
    return builder.finish()
  }

  /// `count` points of one gauge.
  package static func metrics(_ count: Int) -> Batch {
    var builder = BatchBuilder(.metrics)
    builder.beginResource(ResourceValue(attributes: ["service.name": "test"]))
    builder.beginScope()
    let points = (0..<count).map { index in
      NumberDataPointValue(
        attributes: ["index": .int(Int64(index))], time: 1_767_323_045_678_000_000, value: .int(Int64(index)))
    }
    builder.add(MetricValue(name: "test", data: .gauge(points)))
    return builder.finish()
  }

  /// `count` items of a signal.
  package static func items(_ count: Int, of signal: Signal) -> Batch {
    switch signal {
    case .traces: spans(count)
    case .metrics: metrics(count)
    case .logs: logs(count)
    }
  }
}
