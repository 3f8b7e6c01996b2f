import ConfigSchema
import Exporters
import Processors
import Testing

/// The YAML of the components that need no network: what is taken, and what is told of mistakes.
@Suite struct FileExporterConfigTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let yaml: String
    /// A part of the error's message.
    let message: String
    var testDescription: String { message }
  }

  private func decode<Config: ConfigGroup>(_ type: Config.Type, _ yaml: String) throws -> (
    Config?, Diagnostics
  ) {
    let node = try #require(
      ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")], environment: ConfigEnvironment()).0)
    var diagnostics = Diagnostics()
    return (ConfigDecoder.decode(type, from: node, path: "it", diagnostics: &diagnostics), diagnostics)
  }

  private func expect<Config: ConfigGroup>(_ type: Config.Type, refuses refusal: Refusal) throws {
    let (config, diagnostics) = try decode(type, refusal.yaml)
    #expect(config == nil)
    #expect(diagnostics.all.contains { $0.severity == .error && $0.message.contains(refusal.message) })
  }

  @Test func `every key of the file exporter is read`() throws {
    let yaml = """
      path: out/*.pb
      format: proto
      compression: zstd
      compression_params: {level: 6}
      flush_interval: 3s
      rotation: {max_megabytes: 5, max_days: 2, max_backups: 7, localtime: true}
      group_by: {enabled: true, resource_attribute: tenant, max_open_files: 9}
      create_directory: true
      directory_permissions: "0700"
      """
    let (decoded, diagnostics) = try decode(FileExporterConfig.self, yaml)
    let config = try #require(decoded)
    #expect(diagnostics.isEmpty)
    #expect(config.format == .proto)
    #expect(config.compression == .zstd)
    #expect(config.compressionParams.level == 6)
    #expect(config.flushInterval == .seconds(3))
    let rotation = try #require(config.rotation)
    #expect(
      rotation.maxMegabytes == 5 && rotation.maxDays == 2 && rotation.maxBackups == 7 && rotation.localtime)
    #expect(config.groupBy.enabled && config.groupBy.resourceAttribute == "tenant")
    #expect(config.groupBy.maxOpenFiles == 9)
    #expect(config.createDirectory)
    #expect(FileExporterConfig.permissions(config.directoryPermissions) == 0o700)
  }

  @Test func `an empty rotation section means its defaults`() throws {
    let config = try #require(try decode(FileExporterConfig.self, "path: a.json\nrotation:\n").0)
    #expect(config.rotation?.maxMegabytes == 100)
    #expect(config.rotation?.maxBackups == 100)
    #expect(try decode(FileExporterConfig.self, "path: a.json").0?.rotation == nil)
  }

  @Test(arguments: [
    Refusal(yaml: "format: json", message: "path"),
    Refusal(yaml: "path: ''", message: "must not be empty"),
    Refusal(yaml: "path: a\nappend: true\nrotation:", message: "cannot be combined with rotation"),
    Refusal(yaml: "path: a\nappend: true\ncompression: zstd", message: "cannot be combined with compression"),
    Refusal(yaml: "path: a\ncompression: gzip", message: "zstd"),
    Refusal(yaml: "path: a\nformat: xml", message: "json, proto"),
    Refusal(yaml: "path: a\nencoding: otlp", message: "not supported"),
    Refusal(yaml: "path: a\ndirectory_permissions: rwx", message: "octal"),
    Refusal(yaml: "path: a.json\ngroup_by: {enabled: true}", message: "exactly one *"),
    Refusal(yaml: "path: ./*/*.json\ngroup_by: {enabled: true}", message: "exactly one *"),
    Refusal(yaml: "path: '*.json'\ngroup_by: {enabled: true}", message: "must not start with *"),
    Refusal(yaml: "path: a\nrotation: {max_megabytes: 0}", message: "from 1"),
  ])
  func `a mistake in the file exporter's settings is an error`(refusal: Refusal) throws {
    try expect(FileExporterConfig.self, refuses: refusal)
  }

  @Test(arguments: [
    Refusal(yaml: "send_batch_size: 10\nsend_batch_max_size: 9", message: "at least send_batch_size (10)"),
    Refusal(yaml: "send_batch_size: -1", message: "at least 0"),
    Refusal(yaml: "timeout: -1s", message: "at least"),
    Refusal(yaml: "metadata_keys: [a, B, b]", message: "listed twice"),
    Refusal(yaml: "metadata_keys: ['']", message: "must not be empty"),
  ])
  func `a mistake in the batch processor's settings is an error`(refusal: Refusal) throws {
    try expect(BatchProcessor.Config.self, refuses: refusal)
  }

  @Test func `the batch processor's defaults are the Collector's`() throws {
    let config = try #require(try decode(BatchProcessor.Config.self, "{}").0)
    #expect(config.sendBatchSize == 8192)
    #expect(config.timeout == .milliseconds(200))
    #expect(config.sendBatchMaxSize == 0)
    #expect(config.metadataKeys == [])
    #expect(config.metadataCardinalityLimit == 1000)
  }

  @Test(arguments: [
    Refusal(yaml: "verbosity: loud", message: "basic, normal, detailed"),
    Refusal(yaml: "sampling_initial: -1", message: "at least 0"),
    Refusal(yaml: "output_paths: []", message: "must not be empty"),
    Refusal(yaml: "sending_queue: {enabled: true}", message: "not supported"),
  ])
  func `a mistake in the debug exporter's settings is an error`(refusal: Refusal) throws {
    try expect(DebugExporter.Config.self, refuses: refusal)
  }

  @Test func `output paths without effect are warned about`() throws {
    let (config, diagnostics) = try decode(DebugExporter.Config.self, "output_paths: [stderr]")
    #expect(config != nil)
    #expect(diagnostics.all.map(\.severity) == [.warning])
    let (_, quiet) = try decode(
      DebugExporter.Config.self, "output_paths: [stderr]\nuse_internal_logger: false")
    #expect(quiet.isEmpty)
  }
}
