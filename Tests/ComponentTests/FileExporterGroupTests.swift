import Exporters
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@Suite struct FileExporterGroupTests {
  private let scratch = Scratch()

  private func started(
    _ path: String = "logs/*.json", calls: any FileCalls = SystemFileCalls(), openFiles: Int = 100
  ) async throws -> FileExporter {
    var config = FileExporterConfig()
    config.path = "\(scratch.path)/\(path)"
    config.groupBy.enabled = true
    config.groupBy.resourceAttribute = "tenant"
    config.groupBy.maxOpenFiles = openFiles
    let exporter = FileExporter(config: config, context: .testing(.exporter, "file"), calls: calls)
    try await exporter.start()
    return exporter
  }

  @Test func `each value of the attribute has a file`() async throws {
    let exporter = try await started()
    let batch = try Batch.merged(
      .logs("a1", resource: ["tenant": "a"]), .logs("b1", resource: ["tenant": "b"]),
      .logs("a2", resource: ["tenant": "a"]))
    #expect(await exporter.export(batch, metadata: nil) == .accepted)
    #expect(await exporter.export(.logs("c", resource: ["tenant": "x/y"]), metadata: nil) == .accepted)
    await exporter.stop()
    #expect(scratch.names == ["logs/a.json", "logs/b.json", "logs/x/y.json"])
    #expect(try scratch.bodies("logs/a.json") == [["a1", "a2"]])
    #expect(try scratch.bodies("logs/b.json") == [["b1"]])
  }

  @Test(arguments: [
    ("../../escape", "logs/escape.json"), ("/etc/passwd", "logs/etc/passwd.json"), ("..", "logs/.json"),
    ("a/../../b", "logs/a/b.json"), ("./x", "logs/x.json"), ("", "logs/.json"),
    ("a\u{0}b\nc", "logs/a_b_c.json"),
    (String(repeating: "é", count: 300), "logs/\(String(repeating: "é", count: 100)).json"),
  ])
  func `no value leads out of the directory`(value: String, path: String) async throws {
    let exporter = try await started()
    let outcome = await exporter.export(.logs("a", resource: ["tenant": .string(value)]), metadata: nil)
    #expect(outcome == .accepted)
    await exporter.stop()
    #expect(scratch.names == [path])
  }

  @Test func `a dot before the star cannot be completed to a parent directory`() async throws {
    let exporter = try await started("logs/.*/out.json")
    #expect(await exporter.export(.logs("a", resource: ["tenant": "."]), metadata: nil) == .accepted)
    #expect(await exporter.export(.logs("b", resource: ["tenant": ".hidden"]), metadata: nil) == .accepted)
    await exporter.stop()
    #expect(scratch.names.allSatisfy { $0.hasPrefix("logs/") })
    #expect(scratch.names.count == 2)
  }

  @Test func `resources without the attribute are rejected by number`() async throws {
    let exporter = try await started()
    let batch = try Batch.merged(
      .logs("a", resource: ["tenant": "a"]), .logs("b", "c", resource: ["tenant": 7]))
    guard case .partial(let rejected, let message) = await exporter.export(batch, metadata: nil) else {
      Issue.record("expected a partial success")
      return
    }
    #expect(rejected == 2)
    #expect(message.contains("tenant"))
    guard case .rejected = await exporter.export(.logs("d"), metadata: nil) else {
      Issue.record("expected a rejection")
      return
    }
    await exporter.stop()
    #expect(try scratch.bodies("logs/a.json") == [["a"]])
  }

  @Test func `files closed to make room are continued later`() async throws {
    let exporter = try await started(openFiles: 2)
    for round in 0..<3 {
      for tenant in ["a", "b", "c"] {
        let outcome = await exporter.export(
          .logs("\(round)", resource: ["tenant": .string(tenant)]), metadata: nil)
        #expect(outcome == .accepted)
      }
    }
    await exporter.stop()
    for tenant in ["a", "b", "c"] {
      #expect(try scratch.bodies("logs/\(tenant).json") == [["0"], ["1"], ["2"]])
    }
  }

  @Test func `a batch that fails in one file is in none`() async throws {
    let disk = FillingDisk(room: 250)
    let exporter = try await started(calls: disk)
    let batch = try Batch.merged(
      .logs("a", resource: ["tenant": "a"]),
      .logs(String(repeating: "b", count: 300), resource: ["tenant": "b"]))
    guard case .refused = await exporter.export(batch, metadata: nil) else {
      Issue.record("a full disk must refuse")
      return
    }
    #expect(scratch.text("logs/a.json") == "")
    #expect(scratch.text("logs/b.json") == "")
    disk.free(10_000)
    #expect(await exporter.export(batch, metadata: nil) == .accepted)
    await exporter.stop()
    #expect(try scratch.bodies("logs/a.json") == [["a"]])
    #expect(try scratch.bodies("logs/b.json").count == 1)
  }
}
