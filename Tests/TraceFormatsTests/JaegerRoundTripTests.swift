import TelemetryData
import Testing
import WireFormat

@testable import TraceFormats

@Suite struct JaegerRoundTripTests {
  enum Form: CaseIterable { case proto, thrift }

  static func roundTrip(_ batch: Batch, _ form: Form) throws -> TraceReading {
    let requests = form == .proto ? JaegerProtoEncoder().encode(batch) : JaegerThriftEncoder().encode(batch)
    let part = try #require(requests.parts.first)
    let reading = try JaegerReader.read(form == .proto ? .postSpans : .thriftBatch, part.body)
    _ = try Batch(bytes: reading.batch.bytes, signal: .traces, validation: .structure)
    #expect(reading.faults.total == 0)
    #expect(reading.batch.itemCount == part.spans)
    return reading
  }

  @Test(arguments: Form.allCases)
  func `every field that Jaeger has a place or a name for comes back`(form: Form) throws {
    let batch = TraceFixture.full()
    #expect(TraceFixture.json(try Self.roundTrip(batch, form).batch) == TraceFixture.json(batch))
  }

  @Test(arguments: Form.allCases)
  func `arrays and maps become JSON`(form: Form) throws {
    let batch = TraceFixture.full {
      $0.attributes = ["list": .array([1, "a\"b"]), "map": .keyValueList(["k": .array([])]), "none": .empty]
    }
    let expected = TraceFixture.full {
      $0.attributes = ["list": #"[1,"a\"b"]"#, "map": #"{"k":[]}"#, "none": ""]
    }
    #expect(TraceFixture.json(try Self.roundTrip(batch, form).batch) == TraceFixture.json(expected))
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5] as [Int32], Form.allCases)
  func `kinds come back`(kind: Int32, form: Form) throws {
    let batch = TraceFixture.full { $0.kind = kind }
    #expect(TraceFixture.json(try Self.roundTrip(batch, form).batch) == TraceFixture.json(batch))
  }

  @Test(arguments: [0, 1, 2] as [Int32], Form.allCases)
  func `statuses come back`(code: Int32, form: Form) throws {
    let batch = TraceFixture.full { $0.status = code == 0 ? nil : StatusValue(message: "m", code: code) }
    #expect(TraceFixture.json(try Self.roundTrip(batch, form).batch) == TraceFixture.json(batch))
  }

  @Test(arguments: Form.allCases)
  func `a link to the parent is the reference to the parent`(form: Form) throws {
    let batch = TraceFixture.full {
      var link = SpanLinkValue(traceID: TraceFixture.traceID, spanID: TraceFixture.parentID)
      link.attributes = ["opentracing.ref_type": "follows_from"]
      $0.links = [link]
    }
    #expect(TraceFixture.json(try Self.roundTrip(batch, form).batch) == TraceFixture.json(batch))
  }

  @Test func `an event's attribute called event outranks its name`() throws {
    let batch = TraceFixture.full { $0.events[0].attributes = ["event": "mine"] }
    let expected = TraceFixture.full {
      $0.events[0].name = "mine"
      $0.events[0].attributes = []
    }
    #expect(TraceFixture.json(try Self.roundTrip(batch, .proto).batch) == TraceFixture.json(expected))
  }

  @Test func `a span that ends before it starts keeps both times`() throws {
    let batch = TraceFixture.full { $0.endTime = $0.startTime - 5_000 }
    #expect(TraceFixture.json(try Self.roundTrip(batch, .proto).batch) == TraceFixture.json(batch))
  }

  @Test(arguments: Form.allCases)
  func `scopes of one resource stay apart`(form: Form) throws {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["service.name": "shop"]))
    for scope in ["a", "b", ""] {
      builder.beginScope(ScopeValue(name: scope))
      builder.add(JaegerProtoEncoderTests.span(1))
      builder.add(JaegerProtoEncoderTests.span(2))
    }
    let batch = try Self.roundTrip(builder.finish(), form).batch
    #expect(batch.resourceCount == 1)
    #expect((0..<3).map { batch.scope(at: $0).name.string } == ["a", "b", ""])
    #expect((0..<3).map { batch.scope(at: $0).items.count } == [2, 2, 2])
  }

  @Test(arguments: Form.allCases)
  func `a resource without a name is one without a name again`(form: Form) throws {
    var builder = BatchBuilder(.traces)
    builder.beginResource(ResourceValue(attributes: ["host.name": "h"]))
    builder.add(JaegerProtoEncoderTests.span(1))
    let batch = try Self.roundTrip(builder.finish(), form).batch
    #expect(batch.resource(at: 0).attributes.values == ["host.name": "h"])
  }
}
