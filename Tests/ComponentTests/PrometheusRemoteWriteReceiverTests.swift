import ConfigSchema
import NativeCodecs
import PipelineKit
import PipelineTestKit
import PrometheusData
import TelemetryData
import Testing
import WireFormat

@testable import Receivers

private let protobuf = "application/x-protobuf"
private let version2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"

@Suite struct PrometheusRemoteWriteReceiverTests {
  /// Runs a receiver on a free port.
  private static func run(
    _ consumer: CollectingConsumer, limit: Int = 0, metrics: SelfMetrics = SelfMetrics(),
    _ body: (String) async throws -> Void
  ) async throws {
    var config = PrometheusRemoteWriteReceiverConfig()
    config.server.endpoint = "127.0.0.1:0"
    config.server.maxRequestBodySize = ByteCount(limit)
    let context = otlpContext(.receiver, "prometheus_remote_write", signals: [.metrics], metrics: metrics)
    let receiver = PrometheusRemoteWriteReceiver(config: config, context: context)
    try await receiver.start(ReceiverOutputs(metrics: consumer))
    let result: Result<Void, any Error>
    do {
      try await body(receiver.address)
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await receiver.stop()
    try result.get()
  }

  private static func send(
    _ body: [UInt8], to address: String, type: String? = protobuf, encoding: String? = "snappy"
  ) async throws -> RawHTTP.Reply {
    let body = encoding == "gzip" ? body : try Compressor(.snappy).compress(body)
    return try await RawHTTP.send(
      "POST", "/api/v1/write", to: address, contentType: type, body: body,
      headers: encoding.map { ["Content-Encoding: \($0)"] } ?? [])
  }

  /// A 1.0 request of gauges with one sample each; a nil name leaves the label out.
  private static func first(_ names: [String?]) -> [UInt8] {
    var writer = WireWriter()
    for name in names {
      writer.message(1) { writer in
        if let name {
          writer.message(1) { writer in
            writer.stringField(1, "__name__")
            writer.stringField(2, name)
          }
        }
        writer.message(2) { writer in
          writer.doubleField(1, 1)
          writer.intField(2, 1000)
        }
      }
    }
    return writer.finish()
  }

  /// The same as a 2.0 request.
  private static func second(_ names: [String?]) -> [UInt8] {
    var writer = WireWriter()
    for symbol in ["", "__name__"] + names.map({ $0 ?? "none" }) { writer.stringField(4, symbol) }
    for (index, name) in names.enumerated() {
      writer.message(5) { writer in
        writer.packedVarintField(1, name == nil ? [] : [1, UInt64(index + 2)])
        writer.message(2) { writer in
          writer.doubleField(1, 1)
          writer.intField(2, 1000)
        }
      }
    }
    return writer.finish()
  }

  private static func written(_ reply: RawHTTP.Reply) -> [String?] {
    ["samples", "histograms", "exemplars"].map { reply.headers["x-prometheus-remote-write-\($0)-written"] }
  }

  @Test func `a request of 1_0 is a batch and a 204`() async throws {
    let consumer = CollectingConsumer()
    try await Self.run(consumer) { address in
      for type in [protobuf, "Application/X-Protobuf; proto=prometheus.WriteRequest"] {
        let reply = try await Self.send(Self.first(["up", "down"]), to: address, type: type)
        #expect(reply.status == 204)
        #expect(Self.written(reply) == [nil, nil, nil])
      }
      // Old senders do not say that they compress.
      #expect(try await Self.send(Self.first(["up"]), to: address, encoding: nil).status == 204)
      #expect(try await Self.send([], to: address).status == 204)
    }
    #expect(consumer.itemCounts == [2, 2, 1])
  }

  @Test func `a request of 2_0 is answered with what was written`() async throws {
    let consumer = CollectingConsumer()
    try await Self.run(consumer) { address in
      let reply = try await Self.send(Self.second(["up", "down"]), to: address, type: version2)
      #expect(reply.status == 204)
      #expect(Self.written(reply) == ["2", "0", "0"])
    }
    #expect(consumer.itemCounts == [2])
  }

  @Test func `series that are not valid are told back and the others are taken`() async throws {
    let consumer = CollectingConsumer()
    let metrics = SelfMetrics()
    try await Self.run(consumer, metrics: metrics) { address in
      let names = ["up", nil, "down", nil]
      let text = "2 series were not taken; series 2: the label __name__ is missing"
      let first = try await Self.send(Self.first(names), to: address)
      #expect(first.status == 400 && String(decoding: first.body, as: UTF8.self) == text)
      let reply = try await Self.send(Self.second(names), to: address, type: version2)
      #expect(reply.status == 400 && String(decoding: reply.body, as: UTF8.self) == text)
      #expect(Self.written(reply) == ["2", "0", "0"])
      let none = try await Self.send(Self.second([nil]), to: address, type: version2)
      #expect(none.status == 400 && Self.written(none) == ["0", "0", "0"])
    }
    #expect(consumer.itemCounts == [2, 2])
    let family = metrics.snapshot().first { $0.name == "millrace_receiver_rejected_series" }
    guard case .number(let count)? = family?.series.first?.value else {
      Issue.record("no counter")
      return
    }
    #expect(count == 5)
  }

  @Test func `outcomes become statuses`() async throws {
    let refused = CollectingConsumer(.refused(reason: "the queue is full", after: .milliseconds(2500)))
    try await Self.run(refused) { address in
      let reply = try await Self.send(Self.first(["up"]), to: address)
      #expect(reply.status == 503)
      #expect(reply.headers["retry-after"] == "3")
    }
    try await Self.run(CollectingConsumer(.rejected(reason: "no"))) { address in
      let reply = try await Self.send(Self.second(["up"]), to: address, type: version2)
      #expect(reply.status == 400 && Self.written(reply) == ["0", "0", "0"])
    }
    try await Self.run(CollectingConsumer(.partial(rejected: 1, message: "too old"))) { address in
      let reply = try await Self.send(Self.second(["up", "down"]), to: address, type: version2)
      #expect(reply.status == 400 && Self.written(reply) == ["1", "0", "0"])
      #expect(String(decoding: reply.body, as: UTF8.self) == "1 samples were not taken: too old")
    }
  }

  @Test func `what is no remote write is refused with a reason`() async throws {
    let consumer = CollectingConsumer()
    try await Self.run(consumer, limit: 100_000) { address in
      for type in [nil, "application/json", "application/x-protobuf; proto=prometheus.Other", ""] {
        #expect(try await Self.send(Self.first(["up"]), to: address, type: type).status == 415)
      }
      #expect(try await Self.send(Self.first(["up"]), to: address, encoding: "br").status == 415)
      #expect(try await Self.send([1, 2, 3], to: address, encoding: "gzip").status == 400)
      let malformed = try await Self.send([0x0A, 0x05, 0x01], to: address)
      #expect(malformed.status == 400)
      #expect(String(decoding: malformed.body, as: UTF8.self).hasPrefix("malformed protobuf at byte 1"))
      let big = try await Self.send([UInt8](repeating: 0, count: 100_001), to: address)
      #expect(big.status == 413)
      let bigUnnamed = try await Self.send([UInt8](repeating: 0, count: 100_001), to: address, encoding: nil)
      #expect(bigUnnamed.status == 400)
      #expect(try await RawHTTP.send("GET", "/api/v1/write", to: address).status == 405)
      #expect(
        try await RawHTTP.send("POST", "/write", to: address, contentType: protobuf).status == 404)
    }
    #expect(consumer.arrivals.isEmpty)
  }
}
