import TelemetryData
import Testing
import WireFormat

@testable import TraceFormats

@Suite struct JaegerProtoEncoderTests {
  static func span(_ number: UInt8) -> SpanValue {
    SpanValue(
      traceID: [UInt8](repeating: number, count: 16), spanID: [UInt8](repeating: number, count: 8),
      name: "span \(number)", startTime: 1_000_000_000, endTime: 1_500_000_000)
  }

  @Test func `each resource is a request of its own`() {
    var builder = BatchBuilder(.traces)
    for service in ["a", "b"] {
      builder.beginResource(ResourceValue(attributes: ["service.name": .string(service)]))
      builder.add(Self.span(1))
      builder.add(Self.span(2))
    }
    let requests = JaegerProtoEncoder().encode(builder.finish())
    #expect(requests.parts.map(\.spans) == [2, 2])
    #expect(requests.drops.total == 0)
  }

  @Test func `a resource without a span that has ids makes no request`() {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "a"]))
    builder.add(Self.span(0))
    var spanless = Self.span(1)
    spanless.spanID = []
    builder.add(spanless)
    let requests = JaegerProtoEncoder().encode(builder.finish())
    #expect(requests.parts.isEmpty)
    #expect(requests.drops.byReason.map(\.reason) == [.invalidTraceID, .invalidSpanID])
  }
}
