import ConfigSchema
import Foundation
import PipelineKit
import PipelineTestKit
import Testing

@testable import Extensions
@testable import TelemetryData

@Suite struct FileStorageTests {
  /// A directory that goes away with the test.
  final class Place: Sendable {
    let path: String
    init() throws {
      let url = FileManager.default.temporaryDirectory.appending(path: "file-storage-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      path = url.path()
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
  }

  let place: Place
  let metrics = SelfMetrics()
  let client = ComponentID(kind: .exporter, type: "otlp_http", name: "backup")

  init() throws { place = try Place() }

  private func storage(_ change: (inout FileStorageConfig) -> Void = { _ in }) -> FileStorageExtension {
    var config = FileStorageConfig()
    config.directory = place.path
    config.timeout = .zero
    change(&config)
    return FileStorageExtension(
      config: config, context: .testing(.extension, "file_storage", clock: SystemClock(), metrics: metrics))
  }

  private func decode(_ yaml: String) throws -> (FileStorageConfig?, Diagnostics) {
    let node = try #require(
      ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")], environment: ConfigEnvironment()).0)
    var diagnostics = Diagnostics()
    return (
      ConfigDecoder.decode(FileStorageConfig.self, from: node, path: "it", diagnostics: &diagnostics),
      diagnostics
    )
  }

  // MARK: Configuration

  @Test func `every key of the Collector's configuration is taken`() throws {
    let (decoded, diagnostics) = try decode(
      """
      directory: /data
      create_directory: true
      directory_permissions: "0700"
      timeout: 3s
      fsync: true
      max_size: 64MiB
      recreate: true
      compaction:
        on_start: true
        on_rebound: false
        directory: /tmp
        max_transaction_size: 65536
        rebound_needed_threshold_mib: 50
        rebound_trigger_threshold_mib: 5
        check_interval: 3s
        cleanup_on_start: true
      """)
    let config = try #require(decoded)
    #expect(!diagnostics.hasErrors)
    #expect(config.directory == "/data" && config.createDirectory && config.fsync)
    #expect(config.timeout == .seconds(3) && config.maxSize == .mebibytes(64))
    #expect(config.compaction.onStart && !config.compaction.onRebound)
    #expect(config.compaction.reboundNeededThresholdMiB == 50)
    #expect(config.compaction.reboundTriggerThresholdMiB == 5)
  }

  @Test func `the defaults are the Collector's`() {
    let config = FileStorageConfig()
    #expect(config.directory == "/var/lib/otelcol/file_storage")
    #expect(!config.createDirectory && config.directoryPermissions == "0750")
    #expect(config.timeout == .seconds(1) && !config.fsync && config.maxSize == 0)
    #expect(config.compaction.reboundNeededThresholdMiB == 100)
    #expect(config.compaction.reboundTriggerThresholdMiB == 10)
  }

  @Test(arguments: [
    "directory: ''", "directory_permissions: '0999'", "max_size: 1000", "timeout: -1s",
    "compaction: {rebound_trigger_threshold_mib: 0}",
  ])
  func `nonsense is refused`(yaml: String) throws {
    let (config, diagnostics) = try decode(yaml)
    #expect(config == nil && diagnostics.hasErrors)
  }

  // MARK: Start

  @Test func `a missing directory stops the start, unless it may be created`() async throws {
    let path = place.path + "/missing/deep"
    let error = await #expect(throws: StartError.self) { try await storage { $0.directory = path }.start() }
    #expect(error?.message.contains(path) == true)
    #expect(error?.help?.contains("create_directory") == true)
    let made = storage {
      $0.directory = path
      $0.createDirectory = true
    }
    try await made.start()
    await made.stop()
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func `two extensions cannot share a directory`() async throws {
    let first = storage()
    try await first.start()
    let error = await #expect(throws: StartError.self) { try await storage().start() }
    #expect(error?.message.contains("in use by another process") == true)
    await first.stop()
    let second = storage()
    try await second.start()
    await second.stop()
  }

  // MARK: Queues

  @Test func `batches of all signals come back with their metadata, and without credentials`() async throws {
    let storage = storage()
    try await storage.start()
    let queue = try await storage.openQueue(for: client, limits: StoredQueueLimits())
    let metadata = RequestMetadata([
      "x-tenant": ["a", "b"], "authorization": ["Bearer secret"], "cookie": ["c=1"], "empty": [],
    ])
    let (spans, logs) = (Batch.spans(3), Batch.logs(5))
    try await queue.append(spans, metadata: metadata).get()
    try await queue.append(logs).get()
    #expect(
      queue.load
        == StoredLoad(
          batches: 2, bytes: queue.load.bytes, items: [.traces: 3, .metrics: 0, .logs: 5]))
    await queue.close()
    await storage.stop()

    let again = self.storage()
    try await again.start()
    let restored = try await again.openQueue(for: client, limits: StoredQueueLimits())
    let first = try #require(await restored.next())
    #expect(first.batch.signal == .traces && first.batch.bytes == spans.bytes && first.batch.itemCount == 3)
    #expect(first.metadata == RequestMetadata(["x-tenant": ["a", "b"], "empty": []]))
    restored.release(first)
    let same = try #require(await restored.next())
    #expect(same.id == first.id && same.metadata == first.metadata)
    restored.acknowledge(same)
    let second = try #require(await restored.next())
    #expect(second.batch.signal == .logs && second.batch.bytes == logs.bytes && second.metadata == nil)
    restored.acknowledge(second)
    #expect(restored.load == StoredLoad(batches: 0, bytes: 0, items: [.traces: 0, .metrics: 0, .logs: 0]))
    await restored.close()
    await again.stop()
    for name in place.names {
      let content = try Data(contentsOf: URL(filePath: place.path + "/" + name))
      #expect(content.range(of: Data("secret".utf8)) == nil, "\(name) holds a credential")
    }
  }

  @Test(arguments: [
    StoredQueueLimits(2, .requests), StoredQueueLimits(6, .items),
    StoredQueueLimits(Batch.spans(3).byteCount * 2, .bytes),
  ])
  func `a full queue refuses retryably`(limits: StoredQueueLimits) async throws {
    let storage = storage()
    try await storage.start()
    let queue = try await storage.openQueue(for: client, limits: limits)
    for _ in 0..<2 { try await queue.append(.spans(3)).get() }
    guard case .failure(let refusal) = await queue.append(.spans(3)),
      case .refused(let reason, nil) = refusal.outcome
    else {
      Issue.record("it was not refused")
      return
    }
    #expect(reason.contains("the queue is full"))
    if limits.batches == nil {
      guard case .failure(let refusal) = await queue.append(.spans(30)), case .rejected = refusal.outcome
      else {
        Issue.record("what can never fit was not rejected")
        return
      }
    }
    await queue.close()
    await storage.stop()
  }

  @Test func `each client has its own file, named after the current spelling`() async throws {
    let storage = storage()
    try await storage.start()
    let ids = [
      ComponentID(kind: .exporter, type: "otlp", name: "http"),
      ComponentID(kind: .exporter, type: "otlp_http"), client,
      ComponentID(kind: .receiver, type: "file_log", name: "a/b"),
    ]
    for id in ids { await (try storage.openQueue(for: id, limits: StoredQueueLimits())).close() }
    let checkpoints = try await storage.openCheckpoints(for: ids[3])
    try await checkpoints.set(["/var/log/a": [1, 2], "/var/log/b": [3]])
    try await checkpoints.set(["/var/log/b": nil])
    #expect(try await checkpoints.keys() == ["/var/log/a"])
    #expect(try await checkpoints.value(of: "/var/log/a") == [1, 2])
    await checkpoints.close()
    #expect(
      place.names.filter { $0.hasSuffix(".sqlite") } == [
        "exporter_otlp-http.queue.sqlite", "exporter_otlp_http-backup.queue.sqlite",
        "exporter_otlp_http.queue.sqlite", "receiver_file_log-a%2Fb.checkpoints.sqlite",
        "receiver_file_log-a%2Fb.queue.sqlite",
      ])
    await storage.stop()
  }

  @Test func `a damaged file is counted and does not stop the collector`() async throws {
    let name = "exporter_otlp_http-backup.queue.sqlite"
    try Data(repeating: 9, count: 9000).write(to: URL(filePath: place.path + "/" + name))
    let storage = storage()
    try await storage.start()
    let queue = try await storage.openQueue(for: client, limits: StoredQueueLimits())
    try await queue.append(.spans(1)).get()
    await queue.close()
    await storage.stop()
    #expect(place.names.contains { $0.hasPrefix(name + ".damaged-") })
    let counted = metrics.snapshot().first { $0.name == "millrace_storage_damaged_databases" }
    guard case .number(1)? = counted?.series.first?.value else {
      Issue.record("the damage was not counted")
      return
    }
  }

  @Test(arguments: [[], [1], [4, 0, 0, 0, 65], [1, 0, 0, 0, 65, 255, 255, 255, 255]] as [[UInt8]])
  func `bytes that are no metadata give none`(bytes: [UInt8]) {
    #expect(MetadataCodec.decode(bytes) == nil)
  }
}
