import ConfigSchema
import Exporters
import PipelineKit
import TelemetryData
import Testing
import Transport

private let protobuf = "application/x-protobuf"
private let json = "application/json"

@Suite struct OTLPHTTPExporterTests {
  @Test(arguments: Signal.allCases)
  func `a batch is posted as it is to the path of its signal`(_ signal: Signal) async throws {
    let backend = HTTPBackend(HTTPAnswer(status: 200, contentType: protobuf))
    let batch = try Batch(bytes: OTLPPayload.request(signal, items: 5), signal: signal)
    let outcome = try await export(batch, to: backend)
    #expect(outcome == .accepted)
    let request = try #require(backend.requests.first)
    #expect(request.method == "POST")
    #expect(request.path == "/v1/\(signal.rawValue)")
    #expect(request.contentType == protobuf)
    #expect(request.body == batch.bytes)
    #expect(request.header("content-encoding") == "gzip")
  }

  @Test func `JSON is sent where it is configured`() async throws {
    let backend = HTTPBackend(HTTPAnswer(status: 200, contentType: json, body: Array("{}".utf8)))
    let batch = try Batch(json: OTLPPayload.tracesJSON, signal: .traces)
    let outcome = try await export(batch, to: backend) { $0.encoding = .json }
    #expect(outcome == .accepted)
    let request = try #require(backend.requests.first)
    #expect(request.contentType == json)
    #expect(request.body == OTLPPayload.tracesJSON)
  }

  @Test func `an address of a signal's own is used as it is written`() async throws {
    let backend = HTTPBackend(HTTPAnswer(status: 200))
    try await backend.serve { address in
      var config = OTLPHTTPExporterConfig()
      config.client.endpoint = "http://\(address)/base/"
      config.logsEndpoint = "http://\(address)/in/logs"
      for signal in [Signal.logs, .traces] {
        let batch = try Batch(bytes: OTLPPayload.request(signal), signal: signal)
        #expect(try await export(batch, config) == .accepted)
      }
    }
    #expect(backend.requests.map(\.path) == ["/in/logs", "/base/v1/traces"])
  }

  @Test func `headers are sent`() async throws {
    let backend = HTTPBackend(HTTPAnswer(status: 200))
    _ = try await export(try traces(), to: backend) { $0.client.headers = ["X-Api-Key": "s3cret"] }
    let request = try #require(backend.requests.first)
    #expect(request.header("x-api-key") == "s3cret")
    #expect(request.header("user-agent")?.lowercased().contains("millrace") == true)
  }

  @Test(arguments: [429, 502, 503, 504])
  func `a status that asks for another try is refused with its wait`(_ status: Int) async throws {
    let body = RPCStatus(code: 14, message: "busy", retryDelay: nil)
    for (type, bytes) in [(protobuf, body.encode()), (json, body.encodeJSON())] {
      let backend = HTTPBackend(
        HTTPAnswer(status: status, contentType: type, body: bytes, headers: [("Retry-After", "17")]))
      let outcome = try await export(try traces(), to: backend)
      #expect(outcome == .refused(reason: "HTTP \(status): busy", after: .seconds(17)))
      #expect(backend.requests.count == 1)
    }
  }

  @Test(arguments: [400, 401, 403, 404, 405, 408, 413, 415, 500, 501])
  func `any other status is final`(_ status: Int) async throws {
    let body = RPCStatus(code: 3, message: "no such tenant", retryDelay: nil).encode()
    let backend = HTTPBackend(HTTPAnswer(status: status, contentType: protobuf, body: body))
    let outcome = try await export(try traces(), to: backend)
    #expect(outcome == .rejected(reason: "HTTP \(status): no such tenant"))
  }

  @Test func `a text and a page in a failure are told apart`() async throws {
    let text = HTTPBackend(.text(400, "go away\nsecond line"))
    #expect(try await export(try traces(), to: text) == .rejected(reason: "HTTP 400: go away"))
    let page = HTTPBackend(HTTPAnswer(status: 502, contentType: "text/html", body: Array("<html>".utf8)))
    #expect(try await export(try traces(), to: page) == .refused(reason: "HTTP 502", after: nil))
  }

  @Test(arguments: [protobuf, json])
  func `partial success is told with count and message`(_ type: String) async throws {
    let body =
      type == json
      ? Array(#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}"#.utf8)
      : OTLPPayload.field(1, [0x08, 2] + OTLPPayload.field(2, Array("too old".utf8)))
    let backend = HTTPBackend(HTTPAnswer(status: 200, contentType: type, body: body))
    let outcome = try await export(try traces(3), to: backend)
    #expect(outcome == .partial(rejected: 2, message: "too old"))
  }

  @Test func `a backend cannot reject more items than it was sent`() async throws {
    let body = OTLPPayload.field(1, [0x08, 99])
    let backend = HTTPBackend(HTTPAnswer(status: 200, contentType: protobuf, body: body))
    #expect(try await export(try traces(3), to: backend) == .partial(rejected: 3, message: ""))
  }

  @Test func `a message without rejected items is a warning, and the batch is accepted`() async throws {
    let log = CapturedLog()
    let body = OTLPPayload.field(1, OTLPPayload.field(2, Array("deprecated".utf8)))
    let backend = HTTPBackend(HTTPAnswer(status: 200, contentType: protobuf, body: body))
    #expect(try await export(try traces(), to: backend, log: log) == .accepted)
    #expect(log.lines.contains { $0.hasPrefix("warning ") && $0.contains("deprecated") })
  }

  @Test func `an answer of 200 that is not an export response is accepted`() async throws {
    let backend = HTTPBackend(HTTPAnswer(status: 200, contentType: protobuf, body: [0xFF, 0xFF]))
    #expect(try await export(try traces(), to: backend) == .accepted)
  }

  @Test func `an unreachable backend is refused`() async throws {
    let port = DeafPort()
    let address = "127.0.0.1:\(port.number)"
    var config = OTLPHTTPExporterConfig()
    config.client.endpoint = "http://\(address)"
    guard case .refused(let reason, nil) = try await export(try traces(), config) else {
      Issue.record("not refused")
      return
    }
    #expect(reason.contains(address))
  }

  @Test func `a signal without an address is a mistake of the plan`() {
    var config = OTLPHTTPExporterConfig()
    config.logsEndpoint = "http://localhost:4318/logs"
    #expect(OTLPHTTPExporter.problem(of: config, carrying: [.logs]) == nil)
    #expect(
      OTLPHTTPExporter.problem(of: config, carrying: [.logs, .traces])
        == "there is no address for traces: set \"endpoint\" or \"traces_endpoint\"")
  }

  @Test func `defaults are the Collector's`() {
    let config = OTLPHTTPExporterConfig()
    #expect(config.client.timeout == .seconds(30))
    #expect(config.client.compression == .gzip)
    #expect(config.encoding == .proto)
    #expect(config.queue.queueSize == 1000)
    #expect(config.retry.initialInterval == .seconds(5))
  }

  private func traces(_ count: Int = 1) throws -> Batch {
    try Batch(bytes: OTLPPayload.traces(spans: count), signal: .traces)
  }

  private func export(
    _ batch: Batch, to backend: HTTPBackend, log: CapturedLog = CapturedLog(),
    _ change: (inout OTLPHTTPExporterConfig) -> Void = { _ in }
  ) async throws -> Outcome {
    try await backend.serve { address in
      var config = OTLPHTTPExporterConfig()
      config.client.endpoint = "http://\(address)"
      change(&config)
      return try await export(batch, config, log)
    }
  }

  private func export(
    _ batch: Batch, _ config: OTLPHTTPExporterConfig, _ log: CapturedLog = CapturedLog()
  ) async throws -> Outcome {
    let exporter = try OTLPHTTPExporter(
      config: config, context: otlpContext(.exporter, "otlp_http", log: log))
    try await exporter.start()
    let outcome = await exporter.export(batch, metadata: nil)
    await exporter.stop()
    return outcome
  }
}
