import ConfigSchema
import Exporters
import PipelineKit
import Receivers
import Testing

/// The OTLP components' YAML: what the Collector's users write, and what is told of mistakes.
@Suite struct OTLPConfigTests {
  private func decode<Config: ConfigGroup>(_ type: Config.Type, _ yaml: String) throws -> (
    Config?, Diagnostics
  ) {
    let source = ConfigSource.text(yaml, name: "test.yaml")
    let node = try #require(ConfigLoader.load(sources: [source], environment: ConfigEnvironment()).0)
    var diagnostics = Diagnostics()
    let config = ConfigDecoder.decode(type, from: node, path: "it", diagnostics: &diagnostics)
    return (config, diagnostics)
  }

  private func errors<Config: ConfigGroup>(_ type: Config.Type, _ yaml: String) throws -> [Diagnostic] {
    try decode(type, yaml).1.all.filter { $0.severity == .error }
  }

  @Test func `empty protocols listen on their default addresses`() throws {
    let config = try #require(try decode(OTLPReceiverConfig.self, "protocols:\n  grpc:\n  http:\n").0)
    #expect(config.protocols.grpc?.endpoint == "localhost:4317")
    #expect(config.protocols.http?.server.endpoint == "localhost:4318")
    #expect(config.protocols.http?.tracesURLPath == "/v1/traces")
  }

  @Test func `a protocol that is not named is off`() throws {
    let config = try #require(
      try decode(
        OTLPReceiverConfig.self, "protocols: {http: {endpoint: '0.0.0.0:4318', logs_url_path: /logs}}"
      ).0)
    #expect(config.protocols.grpc == nil)
    #expect(config.protocols.http?.server.endpoint == "0.0.0.0:4318")
    #expect(config.protocols.http?.logsURLPath == "/logs")
  }

  @Test(arguments: ["protocols:", "protocols: {}", "{}"])
  func `no protocol at all is an error that shows how to name one`(_ yaml: String) throws {
    let error = try #require(try errors(OTLPReceiverConfig.self, yaml).first)
    #expect(error.message.contains("must specify at least one protocol"))
    #expect(error.path.contains("protocols"))
    #expect(error.help?.contains("grpc:") == true)
  }

  @Test func `two protocols cannot share an address`() throws {
    let errors = try errors(
      OTLPReceiverConfig.self, "protocols: {grpc: {endpoint: 'localhost:1'}, http: {endpoint: 'localhost:1'}}"
    )
    #expect(errors.map(\.path) == ["it.protocols.http.endpoint"])
  }

  @Test func `two signals cannot share a path`() throws {
    let errors = try errors(
      OTLPReceiverConfig.self, "protocols: {http: {traces_url_path: in, logs_url_path: /in}}")
    #expect(errors.map(\.path) == ["it.protocols.http.logs_url_path"])
  }

  @Test func `an unknown key is an error with its position`() throws {
    let error = try #require(
      try errors(OTLPReceiverConfig.self, "protocols:\n  grpc:\n    endpont: localhost:1\n").first)
    #expect(error.location?.line == 3)
    #expect(error.help?.contains("endpoint") == true)
  }

  @Test func `the exporters refuse to be without an address`() throws {
    let grpc = try #require(try errors(OTLPGRPCExporterConfig.self, "tls: {insecure: true}").first)
    #expect(grpc.path == "it.endpoint")
    #expect(grpc.help?.contains(":4317") == true)
    let http = try #require(try errors(OTLPHTTPExporterConfig.self, "{}").first)
    #expect(http.path == "it.endpoint")
    #expect(http.help?.contains("http://") == true)
  }

  @Test(arguments: ["endpoint: localhost:4318", "traces_endpoint: localhost:4318/v1/traces"])
  func `an HTTP address without a scheme is an error that shows one`(_ yaml: String) throws {
    let error = try #require(try errors(OTLPHTTPExporterConfig.self, yaml).first)
    #expect(error.help?.contains("http://") == true)
  }

  @Test func `an address for one signal is enough`() throws {
    let config = try #require(
      try decode(OTLPHTTPExporterConfig.self, "logs_endpoint: http://localhost:4318/logs").0)
    #expect(config.url(of: .logs) == "http://localhost:4318/logs")
    #expect(config.url(of: .traces) == nil)
  }

  @Test func `a Collector's exporter section is taken as it is`() throws {
    let yaml = """
      endpoint: http://backend:4318
      compression: zstd
      encoding: json
      timeout: 10s
      headers: {authorization: Bearer abc}
      retry_on_failure: {enabled: true, initial_interval: 1s, max_elapsed_time: 0}
      sending_queue: {enabled: true, num_consumers: 2, queue_size: 50000, sizer: items, batch: }
      """
    let config = try #require(try decode(OTLPHTTPExporterConfig.self, yaml).0)
    #expect(config.client.timeout == .seconds(10))
    #expect(config.client.compression == .zstd)
    #expect(config.encoding == .json)
    #expect(config.retry.initialInterval == .seconds(1))
    #expect(config.queue.sizer == .items)
    #expect(config.queue.batch != nil)
    #expect(config.client.headers["authorization"]?.reveal() == "Bearer abc")
    #expect(!config.literal.json.contains("abc"))
  }

  @Test func `older type names still load`() {
    #expect(OTLPGRPCExporter.descriptor.deprecatedTypes == ["otlp"])
    #expect(OTLPHTTPExporter.descriptor.deprecatedTypes == ["otlphttp"])
  }
}
