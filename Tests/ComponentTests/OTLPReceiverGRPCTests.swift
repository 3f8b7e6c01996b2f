import PipelineKit
import PipelineTestKit
import Receivers
import TelemetryData
import Testing
import Transport

@Suite struct OTLPReceiverGRPCTests {
  static let traceExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
  static let methods: [(Signal, String)] = [
    (.traces, traceExport),
    (.metrics, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"),
    (.logs, "/opentelemetry.proto.collector.logs.v1.LogsService/Export"),
  ]

  @Test(arguments: methods)
  func `a request becomes a batch of the very same bytes`(_ signal: Signal, _ method: String) async throws {
    let consumer = CollectingConsumer()
    let message = OTLPPayload.request(signal, items: 3)
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await call(server.grpc, method, message)
      #expect(reply.code == .ok)
      #expect(reply.body.isEmpty)
    }
    let batch = try #require(consumer.batches.first)
    #expect(batch.bytes == message)
    #expect(batch.signal == signal)
    #expect(batch.itemCount == 3)
  }

  @Test func `partial success says how many were rejected and why`() async throws {
    let consumer = CollectingConsumer(.partial(rejected: 2, message: "too old"))
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await call(server.grpc, Self.traceExport, OTLPPayload.traces(spans: 3))
      #expect(reply.code == .ok)
      #expect(reply.body == OTLPPayload.field(1, [0x08, 2] + OTLPPayload.field(2, Array("too old".utf8))))
    }
  }

  @Test(arguments: [(Duration?.none, Duration.seconds(1)), (.milliseconds(2500), .milliseconds(2500))])
  func `a refusal is UNAVAILABLE with RetryInfo`(_ after: Duration?, _ expected: Duration) async throws {
    let consumer = CollectingConsumer(.refused(reason: "the queue is full", after: after))
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await call(server.grpc, Self.traceExport, OTLPPayload.traces())
      #expect(reply.code == .unavailable)
      #expect(reply.message == "the queue is full")
      let details = try #require(reply.details)
      let status = try RPCStatus(decoding: details.span)
      #expect(status.code == 14)
      #expect(status.message == "the queue is full")
      #expect(status.retryDelay == expected)
    }
  }

  @Test func `a rejection is INVALID_ARGUMENT without RetryInfo`() async throws {
    let consumer = CollectingConsumer(.rejected(reason: "the backend does not take this"))
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await call(server.grpc, Self.traceExport, OTLPPayload.traces())
      #expect(reply.code == .invalidArgument)
      #expect(reply.message == "the backend does not take this")
      #expect(reply.details == nil)
    }
  }

  @Test func `malformed protobuf is INVALID_ARGUMENT with the offset, and is counted`() async throws {
    let consumer = CollectingConsumer()
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await call(server.grpc, Self.traceExport, [0xFF, 0xFF, 0xFF])
      #expect(reply.code == .invalidArgument)
      #expect(reply.message.contains("at byte"))
      #expect(server.malformed("grpc") == 1)
      #expect(server.malformed("http") == 0)
    }
    #expect(consumer.batches.isEmpty)
  }

  @Test func `a request without items is answered at once`() async throws {
    let consumer = CollectingConsumer(.refused(reason: "full", after: nil))
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await call(server.grpc, Self.traceExport, [])
      #expect(reply.code == .ok)
    }
    #expect(consumer.batches.isEmpty)
  }

  @Test func `a signal without a pipeline and an unknown service are UNIMPLEMENTED`() async throws {
    try await ListeningReceiver.run(ReceiverOutputs(logs: CollectingConsumer())) { server in
      let traces = try await call(server.grpc, Self.traceExport, [])
      #expect(traces.code == .unimplemented)
      let unknown = try await call(server.grpc, "/some.Service/Export", [])
      #expect(unknown.code == .unimplemented)
      let logs = try await call(server.grpc, Self.methods[2].1, OTLPPayload.logs())
      #expect(logs.code == .ok)
    }
  }

  @Test func `a message over the limit is RESOURCE_EXHAUSTED`() async throws {
    try await ListeningReceiver.run(
      CollectingConsumer(), { $0.protocols.grpc?.maxRecvMsgSizeMiB = 1 }
    ) { server in
      let reply = try await call(
        server.grpc, Self.traceExport, OTLPPayload.traces(name: String(repeating: "x", count: 1 << 20)))
      #expect(reply.code == .resourceExhausted)
    }
  }

  @Test func `a port in use is reported with protocol, address and what to do`() async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      var config = OTLPReceiverConfig()
      config.protocols.grpc = GRPCServerConfig(endpoint: server.grpc)
      let second = OTLPReceiver(config: config, context: otlpContext(.receiver, "otlp"))
      let error = await #expect(throws: StartError.self) {
        try await second.start(ReceiverOutputs(traces: CollectingConsumer()))
      }
      let text = error?.description ?? ""
      #expect(text.contains("protocols.grpc"))
      #expect(text.contains(server.grpc))
      #expect(text.contains("in use"))
    }
  }

  @Test func `a failed second protocol closes the first one again`() async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      var config = OTLPReceiverConfig()
      config.protocols.grpc = GRPCServerConfig(endpoint: "127.0.0.1:0")
      config.protocols.http = OTLPReceiverConfig.HTTPProtocol()
      config.protocols.http?.server.endpoint = server.http
      let second = OTLPReceiver(config: config, context: otlpContext(.receiver, "otlp"))
      await #expect(throws: StartError.self) {
        try await second.start(ReceiverOutputs(traces: CollectingConsumer()))
      }
      let address = try #require(second.addresses["grpc"])
      let reply = try await call(address, Self.traceExport, [])
      #expect(reply.code == .unavailable)
      #expect(!reply.isFromServer)
    }
  }

  @Test func `the addresses are logged at info`() async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      let lines = server.log.lines.filter { $0.hasPrefix("info listening") }
      #expect(lines.contains { $0.contains(server.grpc) && $0.contains("grpc") })
      #expect(lines.contains { $0.contains(server.http) && $0.contains("http") })
    }
  }

  /// One call over a connection of its own.
  private func call(_ address: String, _ method: String, _ message: [UInt8]) async throws -> GRPCReply {
    var config = GRPCClientConfig()
    config.endpoint = address
    config.tls.insecure = true
    let client = try GRPCClient(config: config, userAgent: "test")
    do {
      let reply = try await client.unary(path: method, message: message, timeout: .seconds(20))
      await client.shutdown()
      return reply
    } catch {
      await client.shutdown()
      throw error
    }
  }
}
