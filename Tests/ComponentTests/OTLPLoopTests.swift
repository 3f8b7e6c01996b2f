import ConfigSchema
import Exporters
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing
import Transport

/// The exporters against the receiver: what goes out comes in, byte for byte, and outcomes come back.
@Suite struct OTLPLoopTests {
  @Test(arguments: Signal.allCases)
  func `bytes arrive over gRPC as they were sent`(_ signal: Signal) async throws {
    let consumer = CollectingConsumer()
    let batch = try Batch(bytes: OTLPPayload.request(signal, items: 500), signal: signal)
    try await ListeningReceiver.run(consumer) { server in
      let outcome = try await sendGRPC(batch, to: server)
      #expect(outcome == .accepted)
    }
    #expect(consumer.batches.map(\.bytes) == [batch.bytes])
  }

  @Test(arguments: Signal.allCases)
  func `bytes arrive over HTTP as they were sent`(_ signal: Signal) async throws {
    let consumer = CollectingConsumer()
    let batch = try Batch(bytes: OTLPPayload.request(signal, items: 500), signal: signal)
    try await ListeningReceiver.run(consumer) { server in
      let outcome = try await sendHTTP(batch, to: server)
      #expect(outcome == .accepted)
    }
    #expect(consumer.batches.map(\.bytes) == [batch.bytes])
  }

  @Test(arguments: Signal.allCases)
  func `what was sent as JSON arrives as the same protobuf`(_ signal: Signal) async throws {
    let consumer = CollectingConsumer()
    let batch = try Batch(json: OTLPPayload.json(signal), signal: signal)
    try await ListeningReceiver.run(consumer) { server in
      let outcome = try await sendHTTP(batch, to: server) { $0.encoding = .json }
      #expect(outcome == .accepted)
    }
    #expect(consumer.batches.map(\.bytes) == [batch.bytes])
  }

  @Test func `unknown fields survive the way`() async throws {
    let consumer = CollectingConsumer()
    let unknown = OTLPPayload.field(15, Array("from the future".utf8))
    let batch = try Batch(bytes: OTLPPayload.traces() + unknown, signal: .traces)
    try await ListeningReceiver.run(consumer) { server in
      let overGRPC = try await sendGRPC(batch, to: server)
      let overHTTP = try await sendHTTP(batch, to: server)
      #expect(overGRPC == .accepted && overHTTP == .accepted)
    }
    #expect(consumer.batches.map(\.bytes) == [batch.bytes, batch.bytes])
  }

  static let outcomes: [Outcome] = [
    .accepted, .partial(rejected: 2, message: "too old"), .refused(reason: "full", after: .seconds(4)),
    .rejected(reason: "never"),
  ]

  @Test(arguments: outcomes)
  func `the outcome at the far end is the outcome at the near end`(_ outcome: Outcome) async throws {
    let batch = try Batch(bytes: OTLPPayload.logs(records: 3), signal: .logs)
    var answers: [Outcome] = []
    try await ListeningReceiver.run(CollectingConsumer(outcome)) { server in
      answers.append(try await sendGRPC(batch, to: server))
      answers.append(try await sendHTTP(batch, to: server))
      answers.append(try await sendHTTP(batch, to: server) { $0.encoding = .json })
    }
    #expect(answers.map(\.withoutPrefix) == [outcome, outcome, outcome])
  }

  private func sendGRPC(_ batch: Batch, to server: ListeningReceiver) async throws -> Outcome {
    var config = OTLPGRPCExporterConfig()
    config.client.endpoint = server.grpc
    config.client.tls.insecure = true
    let exporter = try OTLPGRPCExporter(config: config, context: otlpContext(.exporter, "otlp_grpc"))
    try await exporter.start()
    let outcome = await exporter.export(batch, metadata: nil)
    await exporter.stop()
    return outcome
  }

  private func sendHTTP(
    _ batch: Batch, to server: ListeningReceiver, _ change: (inout OTLPHTTPExporterConfig) -> Void = { _ in }
  ) async throws -> Outcome {
    var config = OTLPHTTPExporterConfig()
    config.client.endpoint = "http://\(server.http)"
    change(&config)
    let exporter = try OTLPHTTPExporter(config: config, context: otlpContext(.exporter, "otlp_http"))
    try await exporter.start()
    let outcome = await exporter.export(batch, metadata: nil)
    await exporter.stop()
    return outcome
  }
}

extension Outcome {
  /// The outcome without the protocol's code in front of its reason.
  fileprivate var withoutPrefix: Outcome {
    func stripped(_ reason: String) -> String {
      reason.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? reason
    }
    return switch self {
    case .refused(let reason, let after): .refused(reason: stripped(reason), after: after)
    case .rejected(let reason): .rejected(reason: stripped(reason))
    case .accepted, .partial: self
    }
  }
}
