import TelemetryData
import Testing
import WireFormat

@Suite struct BatchRewritingTests {
  /// Two resources: one with scopes of one and of two log records, one with a scope of one.
  static let batch: Batch = {
    var builder = BatchBuilder(.logs)
    builder.beginResource(ResourceValue(attributes: ["r": 1]))
    builder.beginScope(ScopeValue(name: "s1"))
    builder.add(LogRecordValue(body: "a"))
    builder.beginScope(ScopeValue(name: "s2"))
    builder.add(LogRecordValue(body: "b"))
    builder.add(LogRecordValue(body: "c"))
    builder.beginResource(ResourceValue(attributes: ["r": 2], schemaURL: "u"))
    builder.beginScope(ScopeValue(name: "s3"))
    builder.add(LogRecordValue(body: "d"))
    return builder.finish()
  }()

  static func shown(_ batch: Batch) -> [String] {
    var shown: [String] = []
    batch.forEachLogRecord { resource, scope, record in
      let number = resource.attributes.first("r")?.int ?? 0
      shown.append("\(number) \(scope.name.string) \(record.body?.string ?? "")")
    }
    return shown
  }

  static func write(_ body: String, to writer: inout WireWriter) {
    writer.message(5) { $0.stringField(1, body) }
  }

  @Test func `items are kept, written anew and removed`() throws {
    let kept = try Self.batch.rewritingItems { _, _ in .kept }
    #expect(kept.bytes == Self.batch.bytes)
    let rewritten = try Self.batch.rewritingItems { position, writer in
      Self.write("\(position)" + String(repeating: "x", count: 200), to: &writer)
      return position == 1 ? .written : position == 2 ? .removed : .kept
    }
    let text = "1" + String(repeating: "x", count: 200)
    #expect(Self.shown(rewritten) == ["1 s1 a", "1 s2 \(text)", "2 s3 d"])
  }

  @Test func `a scope goes with its last item, and a resource with its last scope`() throws {
    let without = try Self.batch.rewritingItems { position, _ in position == 1 ? .kept : .removed }
    #expect(Self.shown(without) == ["1 s2 b"])
    #expect(without.resourceCount == 1 && without.scopeCount == 1)
    let nothing = try Self.batch.rewritingItems { _, _ in .removed }
    #expect(nothing.isEmpty && nothing.bytes.isEmpty)
  }

  @Test func `items and resources are added, also to a scope that has lost its own`() throws {
    let added = try Self.batch.rewritingItems { position, _ in
      position == 3 ? .removed : .kept
    } appending: { scope, writer in
      if scope != 1 { writer.message(2) { Self.write("new \(scope)", to: &$0) } }
    } trailing: { writer in
      writer.message(1) { resource in
        resource.message(2) { scope in scope.message(2) { Self.write("last", to: &$0) } }
      }
    }
    #expect(
      Self.shown(added) == ["1 s1 a", "1 s1 new 0", "1 s2 b", "1 s2 c", "2 s3 new 2", "0  last"])
    let url = added.resource(at: 1).schemaURL.string
    #expect(url == "u")
  }

  @Test func `fields are copied but for some`() {
    var writer = WireWriter()
    writer.varintField(1, 7)
    writer.stringField(2, "x")
    writer.varintField(63, 1)
    writer.varintField(64, 2)
    writer.varintField(1, 8)
    let source = writer.finish()
    var copy = WireWriter()
    copy.copyFields(of: WireMessage(source.span, WireRange(0, source.count)), except: [1, 63])
    var expected = WireWriter()
    expected.stringField(2, "x")
    expected.varintField(64, 2)
    let (copied, wanted) = (copy.finish(), expected.finish())
    #expect(copied == wanted)
  }
}
