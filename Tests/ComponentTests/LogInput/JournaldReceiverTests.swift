import Extensions
import Foundation
import NativeCodecs
import PipelineKit
import PipelineTestKit
import Testing

@testable import Receivers

/// The receiver with a program that behaves as journalctl does. What the real one does is tested with the release binary.
@Suite struct JournaldReceiverTests {
  private let scratch = Scratch()
  private static let program = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Programs/journalctl").path

  init() { scratch.put("journal", "") }

  private func write(_ range: ClosedRange<Int>, _ fields: String = "") throws {
    let file = try #require(FileHandle(forWritingAtPath: scratch.path + "/journal"))
    try file.seekToEnd()
    for number in range {
      let time = 1_700_000_000_000_000 + number
      let line =
        "{\"__CURSOR\":\"c\(number)\",\"__REALTIME_TIMESTAMP\":\"\(time)\",\"PRIORITY\":\"4\",\"MESSAGE\":\"entry \(number)\"\(fields)}\n"
      try file.write(contentsOf: Data(line.utf8))
    }
    try file.close()
  }

  /// What the program was called with.
  private var calls: [String] { scratch.text("calls").split(separator: "\n").map(String.init) }

  private func receiver(
    _ yaml: String = "{}", log: CapturedLog = CapturedLog(), storage: FileStorageExtension? = nil
  ) throws -> JournaldReceiver {
    var config: JournaldConfig = try logSettings(yaml)
    config.journalctlPath = Self.program
    config.directory = scratch.path
    config.input.retry.initialInterval = .milliseconds(10)
    config.input.retry.maxInterval = .milliseconds(20)
    let plain = otlpContext(.receiver, "journald", signals: [.logs], log: log)
    let context = ComponentContext(
      id: plain.id, declaredAt: plain.declaredAt, signals: [.logs], logger: plain.logger, clock: plain.clock,
      randomness: plain.randomness, ledger: plain.ledger, metrics: plain.metrics, health: plain.health,
      extensions: ExtensionDirectory(storage.map { ["file_storage": $0] } ?? [:]))
    return JournaldReceiver(config: config, context: context)
  }

  private func withReceiver(
    _ receiver: JournaldReceiver, _ sink: LogSink, _ body: () async throws -> Void
  ) async throws {
    try await receiver.start(sink.outputs)
    async let running: Void = receiver.run()
    do {
      try await body()
    } catch {
      await receiver.stop()
      throw error
    }
    await receiver.stop()
    try await running
  }

  @Test func `entries become records with their fields and their time`() async throws {
    let sink = LogSink()
    try write(1...3)
    try await withReceiver(receiver("start_at: beginning"), sink) {
      try await sink.accepted(3)
      try write(4...4, ",\"_PID\":\"7\",\"BINARY\":[1,255],\"NOTHING\":null")
      try await sink.accepted(4)
    }
    let records = sink.records
    #expect(records[0].body == "{\"__CURSOR\":\"c1\",\"MESSAGE\":\"entry 1\",\"PRIORITY\":\"4\"}")
    #expect(records[0].time == 1_700_000_000_000_001_000)
    #expect(
      records[3].body
        == "{\"__CURSOR\":\"c4\",\"_PID\":\"7\",\"BINARY\":[1,255],\"MESSAGE\":\"entry 4\",\"NOTHING\":\"\",\"PRIORITY\":\"4\"}"
    )
    #expect(calls == ["--utc --output=json --follow --no-tail --priority info --directory \(scratch.path)"])
  }

  @Test func `fields get OpenTelemetry's names, and messages of bytes become text`() async throws {
    let sink = LogSink()
    let yaml = "{convert_to_semantic_conventions: true, convert_message_bytes: true, start_at: beginning}"
    scratch.put(
      "journal",
      "{\"__CURSOR\":\"c1\",\"__REALTIME_TIMESTAMP\":\"5\",\"PRIORITY\":\"3\",\"MESSAGE\":[71,114,195,188,255],\"_PID\":\"42\",\"CODE_LINE\":\"7\",\"_SYSTEMD_UNIT\":\"ssh.service\",\"_HOSTNAME\":\"host\"}\n"
    )
    try await withReceiver(receiver(yaml), sink) { try await sink.accepted(1) }
    let record = sink.records[0]
    #expect(record.body == "Grü\u{FFFD}" && record.severity == "error")
    #expect(record.resource == ["host.name": "host", "process.pid": "42"])
    #expect(
      record.attributes == [
        "code.line.number": "7", "journald._SYSTEMD_UNIT": "ssh.service", "journald.__CURSOR": "c1",
      ])
  }

  @Test func `when journalctl dies it is run again behind the last entry that was read`() async throws {
    let sink = LogSink()
    let log = CapturedLog()
    try write(1...2)
    try await withReceiver(receiver("start_at: end", log: log), sink) {
      try await eventuallyCalled(1)
      try write(3...5)
      try await sink.accepted(3)
      scratch.put("die", "")
      try await eventuallyCalled(2)
      try write(6...7)
      try await sink.accepted(5)
    }
    #expect(sink.records.compactMap { $0.body.firstMatch(of: /entry (\d)/)?.1 } == ["3", "4", "5", "6", "7"])
    let calls = calls
    try #require(calls.count == 2, "\(calls)")
    #expect(calls[0].contains("--lines=0"))
    #expect(calls[1].contains("--no-tail --after-cursor c"))
    #expect(log.lines.contains { $0.contains("it exited with status 3") })
  }

  @Test func `a restart goes on behind what was taken, and what was not is read again`() async throws {
    let storage = FileStorageExtension(
      config: {
        var config = FileStorageConfig()
        config.directory = scratch.path + "/storage"
        config.createDirectory = true
        return config
      }(), context: .testing(.extension, "file_storage", clock: SystemClock()))
    try await storage.start()
    let yaml = "{storage: file_storage, start_at: beginning}"
    let first = LogSink()
    try write(1...3)
    try await withReceiver(receiver(yaml, storage: storage), first) { try await first.accepted(3) }
    try write(4...5)
    let second = LogSink()
    try await withReceiver(receiver(yaml, storage: storage), second) { try await second.accepted(2) }
    #expect(second.records.compactMap { $0.body.firstMatch(of: /entry (\d)/)?.1 } == ["4", "5"])
    #expect(calls.last?.contains("--after-cursor c3") ?? false)
    await storage.stop()
  }

  @Test func `a cursor that journalctl does not take is given up`() async throws {
    let sink = LogSink()
    let log = CapturedLog()
    try write(1...1)
    try await withReceiver(receiver("start_at: beginning", log: log), sink) {
      try await sink.accepted(1)
      scratch.put("refuse", "Failed to seek to cursor: Invalid argument\n")
      try await eventuallyCalled(2)
      try FileManager.default.removeItem(atPath: scratch.path + "/refuse")
      try await sink.accepted(2)
    }
    #expect(log.lines.contains { $0.contains("Failed to seek to cursor") })
  }

  @Test func `a program that is not there is said at the start`() async throws {
    var config = JournaldConfig()
    config.journalctlPath = scratch.path + "/none"
    let receiver = JournaldReceiver(config: config, context: otlpContext(.receiver, "journald"))
    await #expect {
      try await receiver.start(LogSink().outputs)
    } throws: {
      "\($0)".contains("no such file or directory") && "\($0)".contains("journalctl_path")
    }
  }

  private func eventuallyCalled(_ count: Int) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while calls.count < count {
      try #require(ContinuousClock.now < end)
      try await Task.sleep(for: .milliseconds(10))
    }
    // The script has looked at the journal once.
    try await Task.sleep(for: .milliseconds(200))
  }

  @Test func `settings become arguments`() throws {
    let config: JournaldConfig = try logSettings(
      """
      units: [ssh, kubelet]
      identifiers: [systemd]
      priority: emerg..err
      grep: 'a b'
      dmesg: true
      namespace: '*'
      directory: /var/log/journal
      all: true
      merge: true
      root_path: /host
      matches:
        - _SYSTEMD_UNIT: ssh
        - {_UID: "1000", _SYSTEMD_UNIT: kubelet}
      """)
    #expect(
      config.arguments(after: nil) == [
        "chroot", "/host", "journalctl", "--utc", "--output=json", "--follow", "--lines=0", "--unit", "ssh",
        "--unit", "kubelet", "--identifier", "systemd", "--priority", "emerg..err", "--grep", "a b",
        "--dmesg",
        "--namespace", "*", "--directory", "/var/log/journal", "--all", "--merge", "_SYSTEMD_UNIT=ssh", "+",
        "_SYSTEMD_UNIT=kubelet", "_UID=1000",
      ])
    let files: JournaldConfig = try logSettings("{files: [a, b], start_at: beginning}")
    #expect(
      files.arguments(after: "s=1;i=2").suffix(8)
        == [
          "--no-tail", "--after-cursor", "s=1;i=2", "--priority", "info", "--file", "a", "--file", "b",
        ].suffix(8))
  }

  @Test(arguments: [
    ("priority: loud", "must be one of emerg"), ("matches: [{unit: a}]", "is no field of the journal"),
    ("{directory: a, files: [b]}", "directory is set too"), ("{}", "without storage a restart begins anew"),
    ("start_at: middle", "one of beginning, end"),
  ])
  func `check finds what is wrong`(_ yaml: String, _ expected: String) {
    let (_, diagnostics) = checkedLogSettings(yaml, as: JournaldConfig.self)
    #expect(diagnostics.render().contains(expected), "\(diagnostics.render())")
  }

  @Test func `a program is ended even when the receiver stops before it is read`() throws {
    let pace = try ReadingPace()
    let config: JournaldConfig = try logSettings("{}")
    let context = otlpContext(.receiver, "journald", signals: [.logs], log: CapturedLog())
    let intake = LogIntake(
      config.input, output: LogSink().consumer, laneCount: 1, capacity: 1, context: context, pacing: { _ in })
    let program = try ChildProcess(["sleep", "1000"])
    pace.stop()
    JournalReader(
      config, lane: intake.lanes[0], pace: pace, cursors: JournalCursors(after: nil), context: context
    )
    .run(program)
    #expect(program.ending() == .signalled(Int(SIGTERM)))
  }
}
