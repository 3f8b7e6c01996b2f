import TelemetryData
import Testing

@testable import TraceFormats

@Suite struct ZipkinRoundTripTests {
  static func roundTrip(
    _ batch: Batch, _ message: ZipkinMessage, parsesTags: Bool = true
  ) throws -> Batch {
    let requests = ZipkinEncoder(message, defaultServiceName: "unknown").encode(batch)
    let part = try #require(requests.parts.first)
    let reading = try ZipkinReader.read(message, part.body, parsesTags: parsesTags)
    _ = try Batch(bytes: reading.batch.bytes, signal: .traces, validation: .structure)
    #expect(reading.faults.total == 0)
    #expect(reading.batch.itemCount == part.spans)
    return reading.batch
  }

  /// What Zipkin has a place or a name for: no flags, no bytes, text within the resource.
  static func full(_ change: (inout SpanValue) -> Void = { _ in }) -> Batch {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "shop", "host.name": "h"]))
    builder.beginScope(ScopeValue(name: "lib", version: "1.2"))
    var span = TraceFixture.full
    span.flags = 0
    span.attributes = ["text": "zwölf \"⛵\"\n", "count": -3, "flag": true, "ratio": 0.5]
    span.events[0].attributes = ["why": "be|cause", "n": 3, "f": 0.25, "b": false]
    span.links[0].traceState = "b=2"
    span.links[0].droppedAttributesCount = 2
    change(&span)
    builder.add(span)
    return builder.finish()
  }

  @Test(arguments: ZipkinMessage.allCases)
  func `every field that Zipkin has a place or a name for comes back`(message: ZipkinMessage) throws {
    let batch = Self.full()
    #expect(TraceFixture.json(try Self.roundTrip(batch, message)) == TraceFixture.json(batch))
  }

  @Test(arguments: ZipkinMessage.allCases)
  func `without parsing every tag is a text`(message: ZipkinMessage) throws {
    let expected = Self.full {
      $0.attributes = ["text": "zwölf \"⛵\"\n", "count": "-3", "flag": "true", "ratio": "0.5"]
    }
    let found = try Self.roundTrip(Self.full(), message, parsesTags: false)
    #expect(TraceFixture.json(found) == TraceFixture.json(expected))
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5] as [Int32], ZipkinMessage.allCases)
  func `kinds come back`(kind: Int32, message: ZipkinMessage) throws {
    let batch = Self.full { $0.kind = kind }
    #expect(TraceFixture.json(try Self.roundTrip(batch, message)) == TraceFixture.json(batch))
  }

  @Test(arguments: ZipkinMessage.allCases)
  func `both sides come back`(message: ZipkinMessage) throws {
    let batch = Self.full {
      $0.kind = 3
      $0.attributes = [
        "net.host.ip": "10.0.0.1", "net.host.port": 8080, "peer.service": "db", "net.peer.ip": "2001:db8::7",
        "net.peer.port": 5432,
      ]
    }
    #expect(TraceFixture.json(try Self.roundTrip(batch, message)) == TraceFixture.json(batch))
  }

  @Test(arguments: ZipkinMessage.allCases)
  func `a service that has another name only keeps its key`(message: ZipkinMessage) throws {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["faas.name": "f"]))
    builder.add(JaegerProtoEncoderTests.span(1))
    let batch = try Self.roundTrip(builder.finish(), message)
    #expect(batch.resource(at: 0).attributes.values == ["faas.name": "f"])
  }

  @Test func `the default name is for services without any`() throws {
    var builder = BatchBuilder(.traces)
    builder.add(JaegerProtoEncoderTests.span(1))
    let batch = try Self.roundTrip(builder.finish(), .json)
    #expect(batch.resource(at: 0).attributes.values == ["service.name": "unknown"])
  }

  @Test func `the attribute of a span outranks that of its resource`() throws {
    let batch = try Self.roundTrip(Self.full { $0.attributes = ["host.name": "mine"] }, .json)
    #expect(batch.resource(at: 0).attributes.values == ["service.name": "shop", "host.name": "mine"])
  }
}
