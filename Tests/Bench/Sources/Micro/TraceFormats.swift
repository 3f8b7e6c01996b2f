import TelemetryData

@testable import TraceFormats

/// Spans in the formats of Jaeger and Zipkin, both ways; items are spans of ten attributes.
extension Operation {
  static func traceFormats(_ batch: Batch) throws -> [Operation] {
    let protobuf = JaegerProtoEncoder().encode(batch).parts[0].body
    let thrift = JaegerThriftEncoder().encode(batch).parts[0].body
    let json = ZipkinEncoder(.json, defaultServiceName: "none")
    let zipkin = json.encode(batch).parts[0].body
    return [
      Operation("Jaeger: write protobuf", goal: 200) { size(JaegerProtoEncoder().encode(batch)) },
      Operation("Jaeger: write Thrift", goal: 200) { size(JaegerThriftEncoder().encode(batch)) },
      Operation("Jaeger: read protobuf") { try JaegerReader.read(.postSpans, protobuf).batch.byteCount },
      Operation("Jaeger: read Thrift") { try JaegerReader.read(.thriftBatch, thrift).batch.byteCount },
      Operation("Zipkin: write JSON") { size(json.encode(batch)) },
      Operation("Zipkin: read JSON") { try ZipkinReader.read(.json, zipkin).batch.byteCount },
    ]
  }

  private static func size(_ requests: TraceRequests) -> Int {
    requests.parts.reduce(0) { $0 + $1.body.count }
  }
}
