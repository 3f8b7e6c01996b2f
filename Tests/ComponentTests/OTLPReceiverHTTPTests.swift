import ConfigSchema
import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing
import Transport

@testable import Receivers

/// A started receiver on free ports.
struct ListeningReceiver {
  let receiver: OTLPReceiver
  let metrics: SelfMetrics
  let log: CapturedLog
  var http: String { receiver.addresses["http"] ?? "" }
  var grpc: String { receiver.addresses["grpc"] ?? "" }

  /// Starts a receiver, runs `body`, and stops it whatever happens.
  static func run(
    _ outputs: ReceiverOutputs, _ change: (inout OTLPReceiverConfig) -> Void = { _ in },
    _ body: (ListeningReceiver) async throws -> Void
  ) async throws {
    var config = OTLPReceiverConfig()
    config.protocols.grpc = GRPCServerConfig(endpoint: "127.0.0.1:0")
    var http = OTLPReceiverConfig.HTTPProtocol()
    http.server.endpoint = "127.0.0.1:0"
    config.protocols.http = http
    change(&config)
    let metrics = SelfMetrics()
    let log = CapturedLog()
    let receiver = OTLPReceiver(
      config: config, context: otlpContext(.receiver, "otlp", metrics: metrics, log: log))
    try await receiver.start(outputs)
    let result: Result<Void, any Error>
    do {
      try await body(ListeningReceiver(receiver: receiver, metrics: metrics, log: log))
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await receiver.stop()
    try result.get()
  }

  static func run(
    _ consumer: CollectingConsumer, _ change: (inout OTLPReceiverConfig) -> Void = { _ in },
    _ body: (ListeningReceiver) async throws -> Void
  ) async throws {
    try await run(ReceiverOutputs(traces: consumer, metrics: consumer, logs: consumer), change, body)
  }

  /// The requests counted as malformed over `transport`.
  func malformed(_ transport: String) -> Double? {
    let family = metrics.snapshot().first { $0.name == "millrace_receiver_malformed_requests" }
    let series = family?.series.first { $0.labels.contains { $0 == ("transport", transport) } }
    if case .number(let value)? = series?.value { return value }
    return nil
  }
}

private let protobuf = "application/x-protobuf"
private let json = "application/json"

@Suite struct OTLPReceiverHTTPTests {
  @Test(arguments: Signal.allCases)
  func `a protobuf request becomes a batch of the very same bytes`(_ signal: Signal) async throws {
    let consumer = CollectingConsumer()
    let body = OTLPPayload.request(signal, items: 3)
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await RawHTTP.send(
        "POST", "/v1/\(signal.rawValue)", to: server.http, contentType: protobuf, body: body)
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == protobuf)
      #expect(reply.body.isEmpty)
    }
    let batch = try #require(consumer.batches.first)
    #expect(batch.bytes == body)
    #expect(batch.signal == signal)
    #expect(batch.itemCount == 3)
  }

  @Test(arguments: Signal.allCases)
  func `a JSON request is answered with an empty JSON object`(_ signal: Signal) async throws {
    let consumer = CollectingConsumer()
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await RawHTTP.send(
        "POST", "/v1/\(signal.rawValue)", to: server.http, contentType: "application/json; charset=utf-8",
        body: OTLPPayload.json(signal))
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == json)
      #expect(String(decoding: reply.body, as: UTF8.self) == "{}")
    }
    #expect(consumer.batches.map(\.itemCount) == [1])
    #expect(consumer.batches.first?.signal == signal)
  }

  @Test(arguments: [("Application/JSON", json), (" application/x-protobuf ;v=1", protobuf)])
  func `letter case and parameters of the content type do not matter`(_ sent: String, _ answered: String)
    async throws
  {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      let body = answered == json ? OTLPPayload.tracesJSON : OTLPPayload.traces()
      let reply = try await RawHTTP.send("POST", "/v1/traces", to: server.http, contentType: sent, body: body)
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == answered)
    }
  }

  @Test(arguments: [protobuf, json])
  func `partial success says how many were rejected and why`(_ type: String) async throws {
    let consumer = CollectingConsumer(.partial(rejected: 2, message: "too old"))
    try await ListeningReceiver.run(consumer) { server in
      let body = type == json ? OTLPPayload.logsJSON : OTLPPayload.logs(records: 3)
      let reply = try await RawHTTP.send("POST", "/v1/logs", to: server.http, contentType: type, body: body)
      #expect(reply.status == 200)
      if type == json {
        let text = String(decoding: reply.body, as: UTF8.self)
        #expect(text == #"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}"#)
      } else {
        // ExportLogsServiceResponse.partial_success (1) { rejected_log_records (1) 2, error_message (2) }
        #expect(reply.body == OTLPPayload.field(1, [0x08, 2] + OTLPPayload.field(2, Array("too old".utf8))))
      }
    }
  }

  @Test(arguments: [(Duration?.none, "1"), (.milliseconds(2500), "3"), (.seconds(7), "7"), (.zero, "0")])
  func `a refusal is 503 with Retry-After in whole seconds`(_ after: Duration?, _ expected: String)
    async throws
  {
    let consumer = CollectingConsumer(.refused(reason: "the queue is full", after: after))
    try await ListeningReceiver.run(consumer) { server in
      for type in [protobuf, json] {
        let body = type == json ? OTLPPayload.tracesJSON : OTLPPayload.traces()
        let reply = try await RawHTTP.send(
          "POST", "/v1/traces", to: server.http, contentType: type, body: body)
        #expect(reply.status == 503)
        #expect(reply.headers["retry-after"] == expected)
        #expect(reply.headers["content-type"] == type)
        let status = try status(reply)
        #expect(status.code == 14)
        #expect(status.message == "the queue is full")
      }
    }
  }

  @Test(arguments: [protobuf, json])
  func `a rejection is 400 with the reason`(_ type: String) async throws {
    let consumer = CollectingConsumer(.rejected(reason: "the backend does not take this"))
    try await ListeningReceiver.run(consumer) { server in
      let body = type == json ? OTLPPayload.metricsJSON : OTLPPayload.metrics()
      let reply = try await RawHTTP.send(
        "POST", "/v1/metrics", to: server.http, contentType: type, body: body)
      #expect(reply.status == 400)
      #expect(reply.headers["retry-after"] == nil)
      let status = try status(reply)
      #expect(status.code == 3)
      #expect(status.message == "the backend does not take this")
    }
  }

  @Test func `malformed protobuf is 400 with the offset, and is counted and logged`() async throws {
    let consumer = CollectingConsumer()
    try await ListeningReceiver.run(consumer) { server in
      var body = OTLPPayload.traces()
      body.removeLast()
      for _ in 0..<2 {
        let reply = try await RawHTTP.send(
          "POST", "/v1/traces", to: server.http, contentType: protobuf, body: body)
        #expect(reply.status == 400)
        #expect(reply.headers["content-type"] == protobuf)
        let status = try status(reply)
        #expect(status.code == 3)
        #expect(status.message.contains("byte 0") || status.message.contains("byte 1"))
      }
      #expect(server.malformed("http") == 2)
      let warnings = server.log.lines.filter { $0.hasPrefix("warning a malformed request was refused") }
      #expect(warnings.count == 1)
    }
    #expect(consumer.batches.isEmpty)
  }

  @Test(arguments: ["{", #"{"resourceSpans":[{"scopeSpans":7}]}"#, ""])
  func `malformed JSON is 400 with a JSON status`(_ body: String) async throws {
    let consumer = CollectingConsumer()
    try await ListeningReceiver.run(consumer) { server in
      let reply = try await RawHTTP.send(
        "POST", "/v1/traces", to: server.http, contentType: json, body: Array(body.utf8))
      #expect(reply.status == 400)
      #expect(reply.headers["content-type"] == json)
      #expect(try status(reply).code == 3)
      #expect(try !status(reply).message.isEmpty)
      #expect(server.malformed("http") == 1)
    }
    #expect(consumer.batches.isEmpty)
  }

  @Test func `a request without items is answered at once`() async throws {
    let consumer = CollectingConsumer(.refused(reason: "full", after: nil))
    try await ListeningReceiver.run(consumer) { server in
      let empty = try await RawHTTP.send("POST", "/v1/traces", to: server.http, contentType: protobuf)
      #expect(empty.status == 200)
      let resource = try await RawHTTP.send(
        "POST", "/v1/traces", to: server.http, contentType: protobuf, body: OTLPPayload.field(1, []))
      #expect(resource.status == 200)
      let text = try await RawHTTP.send(
        "POST", "/v1/logs", to: server.http, contentType: json, body: Array("{}".utf8))
      #expect(text.status == 200)
      #expect(String(decoding: text.body, as: UTF8.self) == "{}")
    }
    #expect(consumer.batches.isEmpty)
  }

  @Test(arguments: ["/", "/v1/trace", "/v1development/profiles", "/v1/traces/more"])
  func `an unknown path is 404`(_ path: String) async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      for type in [protobuf, json] {
        let reply = try await RawHTTP.send("POST", path, to: server.http, contentType: type)
        #expect(reply.status == 404)
        #expect(reply.headers["content-type"] == type)
        #expect(try status(reply).message.contains("/v1/traces"))
      }
    }
  }

  @Test func `a signal without a pipeline is 404`() async throws {
    try await ListeningReceiver.run(ReceiverOutputs(logs: CollectingConsumer())) { server in
      let traces = try await RawHTTP.send("POST", "/v1/traces", to: server.http, contentType: protobuf)
      #expect(traces.status == 404)
      let logs = try await RawHTTP.send(
        "POST", "/v1/logs", to: server.http, contentType: protobuf, body: OTLPPayload.logs())
      #expect(logs.status == 200)
    }
  }

  @Test(arguments: ["GET", "PUT", "DELETE"])
  func `another method is 405 and names the right one`(_ method: String) async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      let reply = try await RawHTTP.send(method, "/v1/traces", to: server.http, contentType: protobuf)
      #expect(reply.status == 405)
      #expect(reply.headers["allow"] == "POST")
      #expect(reply.headers["content-type"] == protobuf)
    }
  }

  @Test(arguments: ["text/plain", "application/jsonp", "application/x-protobuf-2", nil])
  func `another content type is 415`(_ type: String?) async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      let reply = try await RawHTTP.send(
        "POST", "/v1/traces", to: server.http, contentType: type, body: OTLPPayload.traces())
      #expect(reply.status == 415)
      #expect(reply.headers["content-type"] == json)
      #expect(try status(reply).message.contains("application/x-protobuf"))
    }
  }

  @Test(arguments: [protobuf, json])
  func `a body over the limit is 413 in the request's encoding`(_ type: String) async throws {
    try await ListeningReceiver.run(
      CollectingConsumer(), { $0.protocols.http?.server.maxRequestBodySize = 64 }
    ) { server in
      let reply = try await RawHTTP.send(
        "POST", "/v1/traces", to: server.http, contentType: type, body: Array(repeating: 0x20, count: 65))
      #expect(reply.status == 413)
      #expect(reply.headers["content-type"] == type)
      #expect(try status(reply).code == 8)
    }
  }

  @Test func `an unknown content encoding is 415`() async throws {
    try await ListeningReceiver.run(CollectingConsumer()) { server in
      let reply = try await RawHTTP.send(
        "POST", "/v1/traces", to: server.http, contentType: protobuf, body: OTLPPayload.traces(),
        headers: ["Content-Encoding: br"])
      #expect(reply.status == 415)
      #expect(reply.headers["content-type"] == protobuf)
    }
  }

  @Test func `paths of one's own are served and the default ones are not`() async throws {
    let consumer = CollectingConsumer()
    try await ListeningReceiver.run(
      consumer, { $0.protocols.http?.tracesURLPath = "in/spans" }
    ) { server in
      let own = try await RawHTTP.send(
        "POST", "/in/spans", to: server.http, contentType: protobuf, body: OTLPPayload.traces())
      #expect(own.status == 200)
      let usual = try await RawHTTP.send("POST", "/v1/traces", to: server.http, contentType: protobuf)
      #expect(usual.status == 404)
    }
    #expect(consumer.batches.count == 1)
  }

  @Test func `an outcome that comes later, on another thread, is answered then`() async throws {
    let consumer = CollectingConsumer(answering: nil)
    try await ListeningReceiver.run(consumer) { server in
      let address = server.http
      async let reply = RawHTTP.send(
        "POST", "/v1/traces", to: address, contentType: protobuf, body: OTLPPayload.traces())
      await consumer.arrived(1)
      consumer.arrivals[0].completion.resolve(.accepted)
      let status = try await reply.status
      #expect(status == 200)
    }
  }

  @Test func `stopping answers what is under way and takes nothing new`() async throws {
    let consumer = CollectingConsumer(answering: nil)
    try await ListeningReceiver.run(consumer) { server in
      let address = server.http
      let receiver = server.receiver
      async let reply = RawHTTP.send(
        "POST", "/v1/traces", to: address, contentType: protobuf, body: OTLPPayload.traces())
      await consumer.arrived(1)
      async let stopped: Void = receiver.stop()
      // Until the port is closed, a request may still get in; it is then answered like the first.
      var isClosed = false
      for _ in 0..<1000 where !isClosed {
        do { _ = try await RawHTTP.send("GET", "/", to: address) } catch { isClosed = true }
      }
      #expect(isClosed)
      consumer.arrivals[0].completion.resolve(.refused(reason: "stopping", after: nil))
      let status = try await reply.status
      #expect(status == 503)
      await stopped
    }
  }

  @Test(arguments: [429, 503])
  func `an overloaded server asks for another try`(_ code: Int) throws {
    let context = otlpContext(.receiver, "otlp")
    let handler = OTLPHTTPHandler(
      routes: [], malformed: MalformedRequests(context: context, transport: "http"))
    let answer = handler.failure(code, "too much under way", contentType: protobuf)
    #expect(answer.status == code)
    #expect(answer.headers.contains { $0 == ("Retry-After", "1") })
    let status = try RPCStatus(decoding: answer.body.span)
    #expect(status.message == "too much under way")
  }

  @Test func `random bytes get an answer each, and good requests go on`() async throws {
    var seed: UInt64 = 0x9E37_79B9_7F4A_7C15
    func random() -> UInt8 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: seed >> 33)
    }
    let consumer = CollectingConsumer()
    try await ListeningReceiver.run(consumer) { server in
      for round in 0..<60 {
        var body = round % 2 == 0 ? OTLPPayload.traces(spans: 3) : OTLPPayload.tracesJSON
        for _ in 0..<4 { body[Int(random()) % body.count] = random() }
        let reply = try await RawHTTP.send(
          "POST", "/v1/traces", to: server.http, contentType: round % 2 == 0 ? protobuf : json, body: body)
        #expect([200, 400].contains(reply.status))
      }
      let good = try await RawHTTP.send(
        "POST", "/v1/traces", to: server.http, contentType: protobuf, body: OTLPPayload.traces(spans: 7))
      #expect(good.status == 200)
    }
    #expect(consumer.batches.last?.itemCount == 7)
  }

  @Test func `headers travel with the batch only when asked for`() async throws {
    let consumer = CollectingConsumer()
    for keeps in [false, true] {
      try await ListeningReceiver.run(
        consumer, { $0.protocols.http?.server.includeMetadata = keeps }
      ) { server in
        _ = try await RawHTTP.send(
          "POST", "/v1/traces", to: server.http, contentType: protobuf, body: OTLPPayload.traces(),
          headers: ["X-Tenant: blue"])
      }
    }
    #expect(consumer.metadata.map { $0?["x-tenant"] } == [nil, ["blue"]])
  }

  /// The `google.rpc.Status` in a reply's body.
  private func status(_ reply: RawHTTP.Reply) throws -> RPCStatus {
    if reply.headers["content-type"] == json { return try RPCStatus(json: reply.body.span) }
    return try RPCStatus(decoding: reply.body.span)
  }
}
