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

  @Test func `equal resources are one request, with all their scopes and spans in order`() throws {
    var builder = BatchBuilder(.traces)
    for (service, number) in [("a", 1), ("b", 2), ("a", 3), ("a", 4)] as [(String, UInt8)] {
      builder.beginResource(ResourceValue(attributes: ["service.name": .string(service)]))
      builder.beginScope(ScopeValue(name: "lib \(number)", version: ""))
      builder.add(Self.span(number))
    }
    let batch = builder.finish()
    for requests in [JaegerProtoEncoder().encode(batch), JaegerThriftEncoder().encode(batch)] {
      #expect(requests.parts.map(\.spans) == [3, 1])
    }
    let reading = try JaegerReader.read(.postSpans, JaegerProtoEncoder().encode(batch).parts[0].body)
    let json = TraceFixture.json(reading.batch)
    let places = try ["lib 1", "lib 3", "lib 4"].map { try #require(json.firstRange(of: $0)).lowerBound }
    #expect(places == places.sorted() && !json.contains("lib 2"))
  }

  @Test func `equal resources of many spans are several requests that servers take`() {
    var builder = BatchBuilder(.traces)
    var large = Self.span(1)
    large.attributes = ["text": .string(String(repeating: "x", count: 300_000))]
    for _ in 0..<8 {
      builder.beginResource(ResourceValue(attributes: ["service.name": "a"]))
      builder.add(large)
    }
    let parts = JaegerProtoEncoder().encode(builder.finish()).parts
    #expect(parts.map(\.spans) == [3, 3, 2])
    #expect(parts.allSatisfy { $0.body.count < 4 << 20 })
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
