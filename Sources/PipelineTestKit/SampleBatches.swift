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
}
