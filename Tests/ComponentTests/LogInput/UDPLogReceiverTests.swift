import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Receivers

@Suite struct UDPLogReceiverTests {
  private func run(
    _ yaml: String = "", into sink: LogSink, context: ComponentContext? = nil,
    _ body: (String) async throws -> Void
  ) async throws {
    let config = try logSettings("listen_address: 127.0.0.1:0\n" + yaml, as: UDPLogReceiver.Config.self)
    let receiver = UDPLogReceiver(
      config: config, context: context ?? otlpContext(.receiver, "udp_log", signals: [.logs]))
    try await receiver.start(sink.outputs)
    do {
      try await body(receiver.address)
    } catch {
      await receiver.stop()
      throw error
    }
    await receiver.stop()
  }

  @Test func `a datagram is a record, without white space and zeros around it`() async throws {
    let sink = LogSink()
    try await run("async: {readers: 2}", into: sink) { address in
      let sender = try LogSender(address, isTCP: false)
      for text in ["one", "two\nlines\n\0", "", "  three  "] {
        sender.send(text)
        // Two readers may see them in another order.
        try await sink.accepted(text.isEmpty ? 2 : sink.count + 1)
      }
    }
    #expect(sink.bodies == ["one", "two\nlines", "three"])
  }

  @Test func `a pattern divides datagrams, and attributes name the sender`() async throws {
    let sink = LogSink()
    try await run("add_attributes: true\nmultiline: {line_end_pattern: ';'}", into: sink) { address in
      let sender = try LogSender(address, isTCP: false)
      sender.send("a;b;c")
      try await sink.accepted(3)
    }
    #expect(sink.bodies == ["a;", "b;", "c"])
    #expect(sink.records[0].attributes["net.transport"] == "IP.UDP")
    #expect(sink.records[0].attributes["net.peer.ip"] == "127.0.0.1")
  }

  @Test func `what is not taken is held up to a bound, and then dropped and counted`() async throws {
    let sink = LogSink(refusing: true)
    let context = otlpContext(.receiver, "udp_log", signals: [.logs])
    let (datagrams, text) = (600, String(repeating: "x", count: 60_000))
    var dropped = 0
    try await run(
      "retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}", into: sink, context: context
    ) {
      address in
      let sender = try LogSender(address, isTCP: false)
      for index in 0..<datagrams {
        sender.send("\(index) \(text)")
        // Slowly enough for the kernel's buffer.
        if index % 3 == 0 { try await Task.sleep(for: .milliseconds(2)) }
      }
      try await Task.sleep(for: .milliseconds(100))
      sink.refuse(false)
      try await sink.accepted(200)
      dropped = context.ledger.balance(of: .logs, inFlight: 0).items(.dropped)
    }
    #expect(dropped > 100, "\(dropped) were dropped")
    #expect(sink.count + dropped <= datagrams)
    // 16 MiB hold about 280 of them.
    #expect((200...320).contains(sink.count), "\(sink.count) were held")
  }
}
