import ConfigSchema
import Exporters
import PipelineKit
import TelemetryData
import Testing
import Transport

@Suite struct OTLPGRPCExporterTests {
  @Test(arguments: OTLPReceiverGRPCTests.methods)
  func `a batch is sent as it is to the method of its signal`(_ signal: Signal, _ method: String) async throws
  {
    let backend = GRPCBackend(.message([]))
    let batch = try Batch(bytes: OTLPPayload.request(signal, items: 5), signal: signal)
    #expect(try await export(batch, to: backend) == .accepted)
    let request = try #require(backend.requests.first)
    #expect(request.path == method)
    #expect(request.message == batch.bytes)
    #expect(request.metadata["user-agent"]?.first?.lowercased().contains("millrace") == true)
  }

  @Test func `headers are sent`() async throws {
    let backend = GRPCBackend(.message([]))
    _ = try await export(try traces(), to: backend) { $0.client.headers = ["x-api-key": "s3cret"] }
    #expect(backend.requests.first?.metadata["x-api-key"] == ["s3cret"])
  }

  @Test(arguments: [
    GRPCCode.cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss,
  ])
  func `a code that asks for another try is refused, with the wait of RetryInfo`(_ code: GRPCCode)
    async throws
  {
    let plain = GRPCBackend(.failure(code, "busy", details: nil))
    guard case .refused(let reason, nil) = try await export(try traces(), to: plain) else {
      Issue.record("\(code) was not refused")
      return
    }
    #expect(reason.hasSuffix(": busy"))
    let details = RPCStatus(code: Int32(code.rawValue), message: "busy", retryDelay: .milliseconds(1500))
      .encode()
    let informed = GRPCBackend(.failure(code, "busy", details: details))
    #expect(
      try await export(try traces(), to: informed) == .refused(reason: reason, after: .milliseconds(1500)))
  }

  @Test(arguments: [
    GRPCCode.unknown, .invalidArgument, .notFound, .alreadyExists, .permissionDenied, .failedPrecondition,
    .unimplemented, .internalError, .unauthenticated,
  ])
  func `any other code is final`(_ code: GRPCCode) async throws {
    let backend = GRPCBackend(.failure(code, "no", details: nil))
    guard case .rejected(let reason) = try await export(try traces(), to: backend) else {
      Issue.record("\(code) was not rejected")
      return
    }
    #expect(reason.hasSuffix(": no"))
  }

  @Test func `RESOURCE_EXHAUSTED can be tried again only with RetryInfo`() async throws {
    let plain = GRPCBackend(.failure(.resourceExhausted, "quota", details: nil))
    #expect(try await export(try traces(), to: plain) == .rejected(reason: "gRPC RESOURCE_EXHAUSTED: quota"))
    let details = RPCStatus(code: 8, message: "quota", retryDelay: .seconds(3)).encode()
    let informed = GRPCBackend(.failure(.resourceExhausted, "quota", details: details))
    #expect(
      try await export(try traces(), to: informed)
        == .refused(reason: "gRPC RESOURCE_EXHAUSTED: quota", after: .seconds(3)))
  }

  @Test func `a long message is cut before it goes on`() async throws {
    let backend = GRPCBackend(.failure(.invalidArgument, String(repeating: "é", count: 1500), details: nil))
    guard case .rejected(let reason) = try await export(try traces(), to: backend) else {
      Issue.record("not rejected")
      return
    }
    #expect(reason.hasPrefix("gRPC INVALID_ARGUMENT: éé"))
    #expect(reason.hasSuffix("…") && reason.utf8.count < 1000)
  }

  @Test func `partial success is told with count and message`() async throws {
    let body = OTLPPayload.field(1, [0x08, 2] + OTLPPayload.field(2, Array("too old".utf8)))
    let backend = GRPCBackend(.message(body))
    #expect(try await export(try traces(3), to: backend) == .partial(rejected: 2, message: "too old"))
  }

  @Test func `an unreachable backend is refused`() async throws {
    let port = DeafPort()
    let address = "127.0.0.1:\(port.number)"
    guard case .refused(let reason, nil) = try await export(try traces(), address: address) else {
      Issue.record("not refused")
      return
    }
    #expect(reason.contains(address))
  }

  @Test func `defaults are the Collector's`() {
    let config = OTLPGRPCExporterConfig()
    #expect(config.timeout == .seconds(5))
    #expect(config.client.compression == .gzip)
    #expect(config.queue.numConsumers == 10)
    #expect(config.retry.maxElapsedTime == nil)
  }

  private func traces(_ count: Int = 1) throws -> Batch {
    try Batch(bytes: OTLPPayload.traces(spans: count), signal: .traces)
  }

  private func export(
    _ batch: Batch, to backend: GRPCBackend, _ change: (inout OTLPGRPCExporterConfig) -> Void = { _ in }
  ) async throws -> Outcome {
    try await backend.serve { try await export(batch, address: $0, change) }
  }

  private func export(
    _ batch: Batch, address: String, _ change: (inout OTLPGRPCExporterConfig) -> Void = { _ in }
  ) async throws -> Outcome {
    var config = OTLPGRPCExporterConfig()
    config.client.endpoint = address
    config.client.tls.insecure = true
    change(&config)
    let exporter = try OTLPGRPCExporter(config: config, context: otlpContext(.exporter, "otlp_grpc"))
    try await exporter.start()
    let outcome = await exporter.export(batch, metadata: nil)
    await exporter.stop()
    return outcome
  }
}
