import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Receivers

@Suite struct SyslogReceiverTests {
  private func run(
    _ yaml: String, into sink: LogSink, context: ComponentContext? = nil,
    _ body: ([String: String]) async throws -> Void
  ) async throws {
    let config = try logSettings(yaml, as: SyslogReceiverConfig.self)
    let receiver = SyslogReceiver(
      config: config, context: context ?? otlpContext(.receiver, "syslog", signals: [.logs]))
    try await receiver.start(sink.outputs)
    do {
      try await body(receiver.addresses)
    } catch {
      await receiver.stop()
      throw error
    }
    await receiver.stop()
  }

  private static let both =
    "{protocol: rfc3164, tcp: {listen_address: '127.0.0.1:0'}, udp: {listen_address: '127.0.0.1:0'}}"

  @Test func `messages come over TCP and UDP, ended by line feeds or zeros`() async throws {
    let sink = LogSink()
    try await run(Self.both, into: sink) { addresses in
      let tcp = try LogSender(try #require(addresses["tcp"]), isTCP: true)
      tcp.send("<11>shop[12]: one\0<12>shop: two\n<13>Mar  1 00:00:01 host app: three\r\n<14>four")
      tcp.end()
      try await sink.accepted(4)
      let udp = try LogSender(try #require(addresses["udp"]), isTCP: false)
      udp.send("<15>shop: five\nmore\n\0")
      try await sink.accepted(5)
    }
    let records = sink.records
    #expect(records.map { $0.attributes["message"] } == ["one", "two", "three", "four", "five\nmore"])
    #expect(records.map(\.severity) == ["err", "warning", "notice", "info", "debug"])
    #expect(records[0].attributes["proc_id"] == "12" && records[2].attributes["hostname"] == "host")
    #expect(records[2].time > 0)
    #expect(records[4].body == "<15>shop: five\nmore")
  }

  @Test func `counted messages may hold anything, and those that are not counted are taken too`() async throws
  {
    let sink = LogSink()
    let yaml =
      "{protocol: rfc5424, enable_octet_counting: true, max_octets: 60, tcp: {listen_address: '127.0.0.1:0'}}"
    try await run(yaml, into: sink) { addresses in
      let tcp = try LogSender(try #require(addresses["tcp"]), isTCP: true)
      tcp.send("31 <34>1 - host app - - - a\nb\0cd e")
      tcp.send("<35>1 - host app - - - plain\n")
      tcp.send("100 <36>1 - host app - - - \(String(repeating: "x", count: 77))")
      tcp.send("26 <37>1 - host app - - - end")
      tcp.end()
      try await sink.accepted(4)
    }
    let records = sink.records
    #expect(
      records.map { $0.attributes["message"] } == [
        "a\nb\0cd e", "plain", String(repeating: "x", count: 37), "end",
      ])
    #expect(records[0].body == "31 <34>1 - host app - - - a\nb\0cd e")
    #expect(records.map { $0.attributes["priority"] } == ["34", "35", "36", "37"])
  }

  @Test func `a trailer that is set is the only end of messages`() async throws {
    let sink = LogSink()
    let yaml =
      "{protocol: rfc5424, non_transparent_framing_trailer: NUL, tcp: {listen_address: '127.0.0.1:0'}}"
    try await run(yaml, into: sink) { addresses in
      let tcp = try LogSender(try #require(addresses["tcp"]), isTCP: true)
      tcp.send("<34>1 - h a - - - two\nlines\0<34>1 - h a - - - next\0")
      try await sink.accepted(2)
    }
    #expect(sink.records.map { $0.attributes["message"] } == ["two\nlines", "next"])
  }

  @Test func `what is no message goes on as it came or is dropped, and is counted`() async throws {
    for (onError, taken) in [("send", 2), ("drop_quiet", 1)] {
      let sink = LogSink()
      let log = CapturedLog()
      let context = otlpContext(.receiver, "syslog", signals: [.logs], log: log)
      let yaml = "{protocol: rfc5424, on_error: \(onError), udp: {listen_address: '127.0.0.1:0'}}"
      try await run(yaml, into: sink, context: context) { addresses in
        let udp = try LogSender(try #require(addresses["udp"]), isTCP: false)
        udp.send("no syslog")
        udp.send("<34>1 - h a - - - text")
        try await sink.accepted(taken)
      }
      #expect(sink.bodies == (taken == 2 ? ["no syslog"] : []) + ["<34>1 - h a - - - text"])
      let failures = context.metrics.snapshot().first { $0.name == "millrace_operator_failures" }
      let count = failures?.series.first?.value
      if case .number(let number)? = count { #expect(number == 1) } else { Issue.record("no count") }
      let isLogged = log.lines.contains { $0.contains("expected a priority such as <34> at byte 0") }
      #expect(isLogged == (onError == "send"))
      #expect(
        context.ledger.balance(of: .logs, inFlight: 0).items(.dropped) == (onError == "send" ? 0 : 1))
    }
  }

  @Test(arguments: [
    ("protocol: rfc5424", "must have tcp, udp or both"),
    ("tcp: {listen_address: 'localhost:1'}", "\"protocol\" is required"),
    (
      "{protocol: rfc5424, enable_octet_counting: true, udp: {listen_address: 'localhost:1'}}",
      "is for TCP only"
    ),
    ("{protocol: rfc3164, udp: {}}", "is required"),
  ])
  func `check finds what is wrong`(_ yaml: String, _ expected: String) {
    let (_, diagnostics) = checkedLogSettings(yaml, as: SyslogReceiverConfig.self)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }
}
