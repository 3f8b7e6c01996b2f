import TelemetryData
import Testing

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Requests that real SDKs sent.
struct CaptureTests {
  struct Capture: CustomTestStringConvertible {
    var name: String
    var signal: Signal
    var itemCount: Int
    var testDescription: String { name }

    func bytes() throws -> [UInt8] {
      let folder = URL(filePath: #filePath).deletingLastPathComponent()
      return [UInt8](try Data(contentsOf: folder.appending(path: "Fixtures/\(name).pb")))
    }
  }

  static let captures = [
    Capture(name: "traces-small", signal: .traces, itemCount: 2),
    Capture(name: "traces-medium", signal: .traces, itemCount: 12),
    Capture(name: "traces-large", signal: .traces, itemCount: 101),
    Capture(name: "metrics-grpc", signal: .metrics, itemCount: 20),
    Capture(name: "metrics-http", signal: .metrics, itemCount: 20),
    Capture(name: "logs-small", signal: .logs, itemCount: 12),
    Capture(name: "logs-medium", signal: .logs, itemCount: 33),
  ]

  @Test(arguments: captures)
  func `a capture passes the structural check with the items that an independent decoder counts`(
    capture: Capture
  ) throws {
    let batch = try Batch(bytes: try capture.bytes(), signal: capture.signal, validation: .structure)
    #expect(batch.itemCount == capture.itemCount)
  }

  @Test(arguments: captures)
  func `a capture read into values and built again has the same model`(capture: Capture) throws {
    let batch = try Batch(bytes: try capture.bytes(), signal: capture.signal)
    let model = Model(batch)
    #expect(Model(model.batch()) == model)
    #expect(model.rows.count == batch.itemCount)
  }

  @Test(arguments: captures)
  func `a capture split and merged has the same rows`(capture: Capture) throws {
    let batch = try Batch(bytes: try capture.bytes(), signal: capture.signal)
    let parts = batch.split(maxItems: 7)
    #expect(parts.allSatisfy { $0.itemCount <= 7 })
    let merged = try Batch.merging(parts, signal: capture.signal)
    #expect(Model(merged).rows == Model(batch).rows)
  }

  @Test(arguments: captures)
  func `a capture with an attribute added and taken away again is the same, byte by byte`(
    capture: Capture
  ) throws {
    let batch = try Batch(bytes: try capture.bytes(), signal: capture.signal)
    var adding = AttributeActions()
    adding.insert("millrace.test", .string(String(repeating: "x", count: 300)))
    var editor = BatchEditor(batch)
    editor.applyToItems(adding)
    editor.applyToResources(adding)
    let added = try editor.finish()
    #expect(added.byteCount > batch.byteCount + 300 * batch.itemCount)
    var removing = AttributeActions()
    removing.delete("millrace.test")
    var second = BatchEditor(added)
    second.applyToItems(removing)
    second.applyToResources(removing)
    #expect(try second.finish().bytes == batch.bytes)
  }

  @Test func `trace ids are found on the fast path and on the slow one`() throws {
    let id: [UInt8] = Array(1...16)
    var builder = BatchBuilder(.traces)
    builder.add(SpanValue(traceID: id, name: "first"))
    builder.addItem { writer in
      writer.stringField(5, "late")
      writer.bytesField(1, id)
    }
    builder.add(SpanValue(name: "none"))
    let batch = builder.finish()
    let expected = TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    #expect(batch.traceID(at: 0) == expected)
    #expect(batch.traceID(at: 1) == expected)
    #expect(batch.traceID(at: 2) == nil)
  }
}
