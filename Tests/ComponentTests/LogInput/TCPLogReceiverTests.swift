import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Receivers

@Suite struct TCPLogReceiverTests {
  private func run(
    _ yaml: String = "", into sink: LogSink, metrics: SelfMetrics = SelfMetrics(),
    _ body: (String) async throws -> Void
  ) async throws {
    let config = try logSettings("listen_address: 127.0.0.1:0\n" + yaml, as: TCPLogReceiver.Config.self)
    let receiver = TCPLogReceiver(
      config: config, context: otlpContext(.receiver, "tcp_log", signals: [.logs], metrics: metrics))
    try await receiver.start(sink.outputs)
    do {
      try await body(receiver.address)
    } catch {
      await receiver.stop()
      throw error
    }
    await receiver.stop()
  }

  @Test func `lines become records, and the rest at the end of a connection is one`() async throws {
    let sink = LogSink()
    try await run(into: sink) { address in
      let sender = try LogSender(address, isTCP: true)
      sender.send("first\r\n  second\t\n\nthi")
      sender.send("rd\nGr\u{FC}\u{DF}e")
      sender.end()
      try await sink.accepted(4)
    }
    #expect(sink.bodies == ["first", "second", "third", "Grüße"])
    #expect(sink.records.allSatisfy { $0.attributes.isEmpty && $0.time == 0 })
  }

  @Test func `lines that are read together go on together`() async throws {
    let sink = LogSink()
    let lines = 50_000
    try await run(into: sink) { address in
      let sender = try LogSender(address, isTCP: true)
      sender.send((0..<lines).map { "line number \($0) of many, with some text behind it\n" }.joined())
      try await sink.accepted(lines)
    }
    #expect(sink.bodies.last == "line number \(lines - 1) of many, with some text behind it")
    #expect(sink.batches.count < lines / 50, "\(sink.batches.count) batches")
    #expect(sink.batches.allSatisfy { $0.byteCount < 1 << 20 })
  }

  @Test func `nothing is read while nothing is taken, and nothing is lost`() async throws {
    let sink = LogSink(refusing: true)
    let lines = 400_000
    let text = String(repeating: "x", count: 90)
    try await run("retry_on_failure: {initial_interval: 10ms, max_interval: 50ms}", into: sink) { address in
      let sender = try LogSender(address, isTCP: true)
      async let sending: Void = offPool {
        for start in stride(from: 0, to: lines, by: 1000) {
          sender.send((start..<start + 1000).map { "\($0) \(text)\n" }.joined())
        }
      }
      try await Task.sleep(for: .milliseconds(400))
      #expect(sink.count == 0)
      // 40 MB are on their way, and most of them are not here.
      let held = sink.consumer.arrivals.map(\.batch.byteCount).max() ?? 0
      #expect(held < 1 << 20)
      sink.refuse(false)
      try await sink.accepted(lines)
      await sending
    }
    let numbers = sink.bodies.compactMap { Int($0.prefix { $0 != " " }) }
    #expect(numbers == Array(0..<lines))
  }

  @Test func `a record may have several lines, be all of a connection, or be too long`() async throws {
    let traces = LogSink()
    try await run("multiline: {line_start_pattern: '^\\d'}", into: traces) { address in
      let sender = try LogSender(address, isTCP: true)
      sender.send("1 error\n  at a\n  at b\n2 fine\n3 last\n  at c")
      sender.end()
      try await traces.accepted(3)
    }
    #expect(traces.bodies == ["1 error\n  at a\n  at b", "2 fine", "3 last\n  at c"])

    let whole = LogSink()
    try await run("one_log_per_packet: true\nmax_log_size: 10", into: whole) { address in
      for text in ["one\ntwo", "0123456789abc"] {
        let sender = try LogSender(address, isTCP: true)
        sender.send(text)
        sender.end()
        try await whole.accepted(whole.count + 1)
      }
    }
    #expect(whole.bodies == ["one\ntwo", "0123456789"])

    let split = LogSink()
    try await run("max_log_size: 10", into: split) { address in
      let sender = try LogSender(address, isTCP: true)
      sender.send("0123456789abcdefghijklm\nshort\n")
      try await split.accepted(4)
    }
    #expect(split.bodies == ["0123456789", "abcdefghij", "klm", "short"])
  }

  @Test func `other encodings become UTF-8, and bytes that are no text stay bytes`() async throws {
    for (encoding, sent, bodies) in [
      ("latin1", [0x47, 0x72, 0xFC, 0xDF, 0x65, 0x0A], ["Grüße"]),
      ("utf-16le", [0x41, 0, 0xE4, 0, 0x0A, 0], ["Aä"]),
      ("utf-8", [0x41, 0xFF, 0x0A], ["A\u{FFFD}"]),
      ("utf-8-raw", [0x41, 0xFF, 0x0A], ["bytes:Qf8="]),
      ("nop", [0x41, 0x0A, 0xFF], ["bytes:QQr/"]),
    ] as [(String, [UInt8], [String])] {
      let sink = LogSink()
      try await run("encoding: \(encoding)", into: sink) { address in
        let sender = try LogSender(address, isTCP: true)
        sender.send(sent)
        try await sink.accepted(bodies.count)
      }
      #expect(sink.bodies == bodies, "\(encoding)")
    }
  }

  @Test func `attributes say where records come from, and operators see them`() async throws {
    let sink = LogSink()
    let yaml = """
      add_attributes: true
      attributes: {team: shop, upper: 'EXPR(body + "!")'}
      resource: {service.name: till}
      operators:
        - {type: json_parser, if: 'body startsWith "{"'}
        - {type: filter, expr: 'body == "drop me"'}
      """
    let metrics = SelfMetrics()
    try await run(yaml, into: sink, metrics: metrics) { address in
      let sender = try LogSender(address, isTCP: true)
      sender.send("drop me\n{\"n\": 1}\n{broken\n")
      try await sink.accepted(2)
    }
    let records = sink.records
    #expect(records.map(\.body) == ["{\"n\": 1}", "{broken"])
    let attributes = records[0].attributes
    #expect(attributes["team"] == "shop" && attributes["n"] == "1" && attributes["upper"] == "{\"n\": 1}!")
    #expect(attributes["net.transport"] == "IP.TCP")
    #expect(attributes["net.peer.ip"] == "127.0.0.1" && attributes["net.host.ip"] == "127.0.0.1")
    #expect(["127.0.0.1", "localhost"].contains(attributes["net.peer.name"] ?? ""))
    #expect(Int(attributes["net.host.port"] ?? "") ?? 0 > 0)
    #expect(records.allSatisfy { $0.resource == ["service.name": "till"] })
    let failures = metrics.snapshot().first { $0.name == "millrace_operator_failures" }
    #expect(failures?.series.contains { $0.labels.contains { $0.value == "json_parser" } } ?? false)
  }

  @Test(arguments: [
    ("max_connections: 1", "is required"),
    ("listen_address: nowhere", "is not host:port"),
    (
      "{listen_address: 'localhost:1', one_log_per_packet: true, multiline: {line_end_pattern: x}}",
      "cannot be combined"
    ),
    ("{listen_address: 'localhost:1', encoding: utf9}", "there is no encoding \"utf9\""),
    ("listen_address: 0.0.0.0:54525", "is reachable from other machines"),
    ("{listen_address: 'localhost:1', retry_on_failure: {enabled: false}}", "has no effect"),
  ])
  func `check finds what is wrong`(_ yaml: String, _ expected: String) {
    let (_, diagnostics) = checkedLogSettings(yaml, as: TCPLogReceiver.Config.self)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }
}
