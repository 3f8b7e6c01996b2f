import Exporters
import Foundation
import NativeCodecs
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@Suite struct FileExporterTests {
  private let scratch = Scratch()
  private let clock = TestClock()

  private func started(
    _ name: String = "out.json", calls: any FileCalls = SystemFileCalls(),
    _ configure: (inout FileExporterConfig) -> Void = { _ in }
  ) async throws -> FileExporter {
    var config = FileExporterConfig()
    config.path = "\(scratch.path)/\(name)"
    configure(&config)
    let exporter = FileExporter(
      config: config, context: .testing(.exporter, "file", clock: clock), calls: calls)
    try await exporter.start()
    return exporter
  }

  private func export(_ batch: Batch, _ exporter: FileExporter) async -> Outcome {
    await exporter.export(batch, metadata: nil)
  }

  @Test func `each batch is one line of JSON, there before the answer`() async throws {
    let exporter = try await started()
    #expect(await export(.logs("a", "b"), exporter) == .accepted)
    #expect(try scratch.bodies("out.json") == [["a", "b"]])
    #expect(await export(.logs("c"), exporter) == .accepted)
    #expect(await export(Batch(signal: .logs), exporter) == .accepted)
    #expect(try scratch.bodies("out.json") == [["a", "b"], ["c"]])
    #expect(scratch.text("out.json").hasSuffix("}\n"))
    await exporter.stop()
  }

  @Test func `proto records follow their big-endian length`() async throws {
    let exporter = try await started { $0.format = .proto }
    let batches = [Batch.logs("a"), Batch.logs(String(repeating: "x", count: 700))]
    for batch in batches { #expect(await export(batch, exporter) == .accepted) }
    await exporter.stop()
    #expect(records(scratch.bytes("out.json")) == batches.map(\.bytes))
  }

  @Test(arguments: [FileExporterConfig.Format.json, .proto])
  func `each message is compressed on its own`(format: FileExporterConfig.Format) async throws {
    let exporter = try await started {
      $0.format = format
      $0.compression = .zstd
    }
    let batches = [Batch.logs(String(repeating: "x", count: 5000)), Batch.logs("b")]
    for batch in batches { #expect(await export(batch, exporter) == .accepted) }
    await exporter.stop()
    let messages = try records(scratch.bytes("out.json")).map { record in
      var message: [UInt8] = []
      try Decompressor(.zstd, limit: 1 << 20).decompress(record.span, to: &message)
      return message
    }
    #expect(messages.count == 2)
    #expect(scratch.bytes("out.json").count < 1000)
    if format == .proto {
      #expect(messages == batches.map(\.bytes))
    } else {
      #expect(String(decoding: messages[1], as: UTF8.self).contains(#""stringValue":"b""#))
    }
  }

  private func records(_ bytes: [UInt8]) -> [[UInt8]] {
    var records: [[UInt8]] = []
    var rest = bytes[...]
    while rest.count >= 4 {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      records.append(Array(rest.dropFirst(4).prefix(length)))
      rest = rest.dropFirst(4 + length)
    }
    #expect(rest.isEmpty)
    return records
  }

  @Test(arguments: [(true, "old\n"), (false, "")])
  func `append keeps what was there`(append: Bool, kept: String) async throws {
    scratch.put("out.json", "old\n")
    let exporter = try await started { $0.append = append }
    #expect(scratch.text("out.json") == kept)
    await exporter.stop()
  }

  @Test func `a line that a crash cut off does not spoil the next one`() async throws {
    scratch.put("out.json", "{\"resourceLo")
    let exporter = try await started { $0.append = true }
    _ = await export(.logs("a"), exporter)
    await exporter.stop()
    let lines = scratch.text("out.json").split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first == "{\"resourceLo")
  }

  @Test func `half a record is cut off again and the batch can be tried again`() async throws {
    let disk = FillingDisk(room: 200)
    let exporter = try await started(calls: disk)
    #expect(await export(.logs("first"), exporter) == .accepted)
    let before = scratch.text("out.json")
    guard case .refused(let reason, _) = await export(.logs("second"), exporter) else {
      Issue.record("a full disk must refuse")
      return
    }
    #expect(reason.contains("\(scratch.path)/out.json"))
    #expect(reason.contains("No space left on device"))
    #expect(scratch.text("out.json") == before)
    disk.free(10_000)
    #expect(await export(.logs("second"), exporter) == .accepted)
    #expect(try scratch.bodies("out.json") == [["first"], ["second"]])
    await exporter.stop()
  }

  /// Many resources, several times what is written at once.
  private func largeBatch() throws -> Batch {
    let text = String(repeating: "x", count: 3000)
    let bytes = (0..<300).flatMap { Batch.logs("\(text) \($0)").bytes }
    return try Batch(bytes: bytes, signal: .logs, validation: .structure)
  }

  @Test func `a line that is written in pieces is the JSON of the whole batch`() async throws {
    let exporter = try await started()
    let batch = try largeBatch()
    #expect(await export(batch, exporter) == .accepted)
    #expect(await export(.logs("next"), exporter) == .accepted)
    var whole: [UInt8] = []
    try batch.writeJSON(into: &whole)
    let isSame = scratch.bytes("out.json").prefix(whole.count + 1) == (whole + [10])[...]
    #expect(isSame)
    #expect(try scratch.bodies("out.json").map(\.count) == [300, 1])
    await exporter.stop()
  }

  @Test func `what was written of a line is cut off when a later piece fails`() async throws {
    let disk = FillingDisk(room: 600_000)
    let exporter = try await started(calls: disk)
    #expect(await export(.logs("first"), exporter) == .accepted)
    guard case .refused = await export(try largeBatch(), exporter) else {
      Issue.record("a full disk must refuse")
      return
    }
    #expect(try scratch.bodies("out.json") == [["first"]])
    await exporter.stop()
  }

  @Test func `a directory that is missing is named with the place that declares it`() async throws {
    let path = "\(scratch.path)/no/such/out.json"
    await #expect {
      _ = try await started("no/such/out.json")
    } throws: { error in
      let text = "\(error)"
      return text.contains(path) && text.contains("test.yaml:1") && text.contains("create_directory")
    }
    let exporter = try await started("no/such/out.json") { $0.createDirectory = true }
    #expect(await export(.logs("a"), exporter) == .accepted)
    await exporter.stop()
    #expect(scratch.names == ["no/such/out.json"])
  }

  @Test func `written data is synced once per interval, and only when there is some`() async throws {
    let disk = FillingDisk(room: 1 << 20)
    let exporter = try await started(calls: disk) { $0.flushInterval = .seconds(2) }
    clock.advance(by: .seconds(10))
    #expect(clock.pendingTimers == 0)
    _ = await export(.logs("a"), exporter)
    _ = await export(.logs("b"), exporter)
    #expect(clock.pendingTimers == 1)
    clock.advance(by: .seconds(2))
    // A batch passes the same thread, so the timer's work is done when it is answered.
    _ = await export(Batch(signal: .logs), exporter)
    await exporter.stop()
    #expect(disk.syncs == 1)
  }

  @Test func `stopping syncs what was written last`() async throws {
    let disk = FillingDisk(room: 1 << 20)
    let exporter = try await started(calls: disk)
    _ = await export(.logs("a"), exporter)
    #expect(disk.syncs == 0)
    await exporter.stop()
    #expect(disk.syncs == 1)
  }

  // Rotation.

  private static let big = String(repeating: "x", count: 700_000)

  @Test func `a full file is renamed by its time and a new one started`() async throws {
    let exporter = try await started {
      $0.rotation = .init()
      $0.rotation?.maxMegabytes = 1
    }
    _ = await export(.logs(Self.big), exporter)
    #expect(scratch.names == ["out.json"])
    _ = await export(.logs("next", Self.big), exporter)
    #expect(scratch.names == ["out-2026-01-02T03-04-05.678.json", "out.json"])
    // The same moment again: the name must not overwrite the first.
    _ = await export(.logs("last", Self.big), exporter)
    await exporter.stop()
    #expect(
      scratch.names == [
        "out-2026-01-02T03-04-05.678.json", "out-2026-01-02T03-04-05.679.json", "out.json",
      ])
    #expect(try scratch.bodies("out-2026-01-02T03-04-05.678.json").map(\.first) == [Self.big])
    #expect(try scratch.bodies("out-2026-01-02T03-04-05.679.json").map(\.first) == ["next"])
    #expect(try scratch.bodies("out.json").map(\.first) == ["last"])
  }

  @Test func `a batch larger than the limit gets a file of its own`() async throws {
    let exporter = try await started {
      $0.rotation = .init()
      $0.rotation?.maxMegabytes = 1
    }
    #expect(await export(.logs(Self.big, Self.big), exporter) == .accepted)
    #expect(scratch.names == ["out.json"])
    #expect(await export(.logs("a"), exporter) == .accepted)
    await exporter.stop()
    #expect(scratch.names.count == 2)
  }

  @Test func `old files beyond the number or the age are removed, and no others`() async throws {
    let kept = [
      "out-2026-01-02T01-00-00.000.json", "out-notes.json", "out-2026-01-02T01-00-00.000.txt",
      "other-2020-01-01T00-00-00.000.json", "out-2020-01-01T00-00-00.000x.json",
    ]
    let removed = ["out-2025-12-31T03-04-05.677.json", "out-2026-01-01T00-00-00.000.json"]
    for name in kept + removed { scratch.put(name, "x") }
    let exporter = try await started {
      $0.rotation = .init()
      $0.rotation?.maxBackups = 1
    }
    await exporter.stop()
    #expect(scratch.names == (kept + ["out.json"]).sorted())
  }

  @Test func `age is measured in days from the time in the name`() async throws {
    scratch.put("out-2025-12-31T03-04-05.677.json", "x")
    scratch.put("out-2025-12-31T03-04-05.678.json", "x")
    let exporter = try await started {
      $0.rotation = .init()
      $0.rotation?.maxBackups = 0
      $0.rotation?.maxDays = 2
    }
    await exporter.stop()
    #expect(scratch.names == ["out-2025-12-31T03-04-05.678.json", "out.json"])
  }

  @Test func `with rotation a restart continues the file`() async throws {
    for body in ["a", "b"] {
      let exporter = try await started { $0.rotation = .init() }
      _ = await export(.logs(body), exporter)
      await exporter.stop()
    }
    #expect(try scratch.bodies("out.json") == [["a"], ["b"]])
  }
}
