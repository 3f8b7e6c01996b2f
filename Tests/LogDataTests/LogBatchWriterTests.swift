import SeededRandom
import TelemetryData
import Testing
import WireFormat

@testable import LogData

/// Entries into batches.
@Suite struct LogBatchWriterTests {
  /// What a batch holds: for each resource its attributes, for each scope its name and the bodies of its records.
  static func content(of batch: Batch) throws -> [(resource: String, scope: String, bodies: [String])] {
    // Also checks everything within.
    let checked = try Batch(bytes: batch.bytes, signal: .logs)
    #expect(checked.itemCount == batch.itemCount)
    var json: [UInt8] = []
    try checked.writeJSON(into: &json)
    return try LogBatchJSON.content(of: String(decoding: json, as: UTF8.self))
  }

  static func entry(_ body: String, resource: String = "", scope: String = "") throws -> LogEntry {
    var entry = LogEntry()
    entry.body = entry.string(body)
    entry.observedTimestamp = 7
    if !resource.isEmpty { try entry.set(entry.string(resource), at: FieldPath(.resource, ["r"])) }
    entry.scopeName = entry.add(scope)
    return entry
  }

  @Test func `records of equal resources and scopes stand together, in their order`() throws {
    var writer = LogBatchWriter()
    for (number, place) in [
      ("", ""), ("a", ""), ("", ""), ("a", "s"), ("", "s"), ("a", ""), ("b", "s"), ("", ""),
    ].enumerated() {
      writer.append(try Self.entry("\(number)", resource: place.0, scope: place.1))
    }
    #expect(writer.recordCount == 8)
    let batch = writer.finish()
    #expect(batch.itemCount == 8)
    let content = try Self.content(of: batch)
    #expect(
      content.map { "\($0.resource)/\($0.scope): \($0.bodies.joined(separator: " "))" } == [
        "/: 0 2 7", "/s: 4", "a/: 1 5", "a/s: 3", "b/s: 6",
      ])
    #expect(batch.index.resources.count == 3)
  }

  @Test func `a writer is empty again after a batch`() throws {
    var writer = LogBatchWriter(capacity: 64)
    #expect(writer.finish().isEmpty)
    for round in 1...3 {
      for number in 0..<(round * 1000) {
        writer.append(try Self.entry("\(number)", scope: number % 3 == 0 ? "x" : ""))
      }
      let size = writer.byteCount
      let batch = writer.finish()
      #expect(batch.itemCount == round * 1000)
      #expect(abs(batch.byteCount - size) < 64)
      #expect(writer.isEmpty && writer.byteCount == 0)
      _ = try Self.content(of: batch)
    }
  }

  @Test(arguments: [0, 1, 100, 125, 126, 127, 128, 300, 20_000])
  func `a line is written as an entry would be`(length: Int) throws {
    var entry = LogEntry()
    try entry.set(entry.string("access.log"), at: FieldPath(.attributes, ["log.file.name"]))
    try entry.set(entry.string("web"), at: FieldPath(.resource, ["service.name"]))
    let frame = LogLineFrame(entry)
    let line = [UInt8](repeating: 0x61, count: length)
    entry.body = .string(entry.add(line.span))
    entry.observedTimestamp = 1_700_000_000_000_000_000
    var lines = LogBatchWriter()
    var entries = LogBatchWriter()
    for _ in 0..<3 {
      lines.appendLine(line.span, observed: entry.observedTimestamp, in: frame)
      entries.append(entry)
    }
    #expect(lines.byteCount == entries.byteCount)
    let batch = lines.finish()
    #expect(batch.bytes == entries.finish().bytes)
    #expect(batch.itemCount == 3)
  }

  @Test func `a line may be bytes and have attributes of its own`() throws {
    var entry = LogEntry()
    try entry.set(entry.string("access.log"), at: FieldPath(.attributes, ["log.file.name"]))
    let frame = LogLineFrame(entry)
    var config = FileAttributesConfig()
    config.includeFileRecordNumber = true
    config.includeFileRecordOffset = true
    var attributes = WireWriter()
    var lines = LogBatchWriter()
    var entries = LogBatchWriter()
    for number in [1, 300] as [UInt64] {
      attributes.removeAll()
      config.write(number: number, offset: 7 * number, to: &attributes)
      lines.appendLine(
        [0xFF].span, isBytes: true, attributes: attributes.bytes, observed: 1, in: frame)
      var copy = entry
      config.add(number: number, offset: 7 * number, to: &copy)
      copy.body = .bytes(copy.add([0xFF].span))
      copy.observedTimestamp = 1
      entries.append(copy)
    }
    #expect(lines.finish().bytes == entries.finish().bytes)
  }

  @Test func `lines of several files with resources of their own are grouped too`() throws {
    var frames: [LogLineFrame] = []
    for name in ["a", "b", ""] {
      frames.append(LogLineFrame(try Self.entry("", resource: name), bodyIsBytes: name == "b"))
    }
    var writer = LogBatchWriter()
    for number in 0..<9 { writer.appendLine("\(number)".utf8.span, observed: 1, in: frames[number % 3]) }
    writer.append(try Self.entry("9", resource: "a"))
    let content = try Self.content(of: writer.finish())
    #expect(
      content.map { "\($0.resource): \($0.bodies.joined(separator: " "))" } == [
        "a: 0 3 6 9", "b: MQ== NA== Nw==", ": 2 5 8",
      ])
  }

  @Test func `many groups keep all their records`() throws {
    var random = SeededGenerator(11)
    var writer = LogBatchWriter()
    var expected: [String: [String]] = [:]
    for number in 0..<5000 {
      let (resource, scope) = (
        "r\(Int.random(in: 0..<40, using: &random))", "s\(Int.random(in: 0..<9, using: &random))"
      )
      writer.append(try Self.entry("\(number)", resource: resource, scope: scope))
      expected["\(resource)/\(scope)", default: []].append("\(number)")
    }
    let content = try Self.content(of: writer.finish())
    #expect(
      Dictionary(uniqueKeysWithValues: content.map { ("\($0.resource)/\($0.scope)", $0.bodies) }) == expected)
  }
}
