import ConfigSchema
import Foundation
import Logging
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

@testable import Exporters

@Suite struct DebugExporterTests {
  private let scratch = Scratch()
  private let clock = TestClock()

  private func started(_ configure: (inout DebugExporter.Config) -> Void) async throws -> DebugExporter {
    var config = DebugExporter.Config()
    config.useInternalLogger = false
    config.outputPaths = ["\(scratch.path)/out.txt"]
    configure(&config)
    let exporter = DebugExporter(config: config, context: .testing(.exporter, "debug", clock: clock))
    try await exporter.start()
    return exporter
  }

  private func output(_ verbosity: DebugExporter.Verbosity, _ batches: Batch...) async throws -> String {
    let exporter = try await started { $0.verbosity = verbosity }
    for batch in batches { #expect(exporter.export(batch) == .accepted) }
    await exporter.stop()
    return scratch.text("out.txt")
  }

  /// Compares with a file of `Golden/`; `RECORD=1` rewrites it and fails.
  private func expect(_ text: String, isGolden name: String, file: String = #filePath) throws {
    let path = "\(file.split(separator: "/").dropLast().map { "/" + $0 }.joined())/Golden/debug-\(name).txt"
    if ProcessInfo.processInfo.environment["RECORD"] == "1" {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      Issue.record("recorded \(path)")
    }
    let golden = try #require(FileManager.default.contents(atPath: path), "no golden file \(path)")
    #expect(text == String(decoding: golden, as: UTF8.self))
  }

  @Test func `basic is one line per batch`() async throws {
    let text = try await output(
      .basic, DebugSample.traces, DebugSample.metrics, DebugSample.logs, Batch(signal: .logs))
    #expect(
      text == """
        traces: 2 spans, 1 resource (shop)
        metrics: 6 data points, 6 metrics, 1 resource (shop)
        logs: 3 log records, 1 resource (shop)
        logs: 0 log records, 0 resources

        """)
  }

  @Test func `basic names the first few services`() async throws {
    let batches = ["a", "b", "a", "c", "d"].map { Batch.logs("x", resource: ["service.name": .string($0)]) }
    let text = try await output(.basic, .merging(batches, signal: .logs))
    #expect(text == "logs: 5 log records, 5 resources (a, b, c, …)\n")
  }

  @Test func `normal is one line per item`() async throws {
    try expect(
      await output(.normal, DebugSample.traces, DebugSample.logs, DebugSample.metrics), isGolden: "normal")
  }

  @Test func `detailed shows every field of spans`() async throws {
    try expect(await output(.detailed, DebugSample.traces), isGolden: "traces")
  }

  @Test func `detailed shows every field of log records`() async throws {
    try expect(await output(.detailed, DebugSample.logs), isGolden: "logs")
  }

  @Test func `detailed shows every field of metrics`() async throws {
    try expect(await output(.detailed, DebugSample.metrics), isGolden: "metrics")
  }

  @Test(arguments: [
    (0, "0ns"), (999, "999ns"), (1_000, "1µs"), (12_345, "12.34µs"), (1_500_000, "1.5ms"),
    (999_999_999, "999.99ms"),
    (61_000_000_000, "61s"),
  ])
  func `durations are readable`(nanoseconds: Int, text: String) {
    let start: UInt64 = 5
    #expect(DebugFormat.duration(from: start, to: start + UInt64(nanoseconds)) == text)
    if nanoseconds > 0 {
      #expect(DebugFormat.duration(from: start + UInt64(nanoseconds), to: start) == "-" + text)
    }
  }

  @Test(arguments: [
    (UInt64(0), "1970-01-01 00:00:00 +0000 UTC"),
    (951_782_400_000_000_000, "2000-02-29 00:00:00 +0000 UTC"),
    (1_699_678_143_509_369_390, "2023-11-11 04:49:03.50936939 +0000 UTC"),
    (UInt64.max, "2554-07-21 23:34:33.709551615 +0000 UTC"),
  ])
  func `times are written as the Collector writes them`(time: UInt64, text: String) {
    #expect(DebugFormat.time(time) == text)
  }

  @Test func `the first batches of a second are printed, then every so-manieth`() async throws {
    let exporter = try await started {
      $0.samplingInitial = 2
      $0.samplingThereafter = 3
    }
    for count in 1...9 { _ = exporter.export(.spans(count)) }
    clock.advance(by: .seconds(1))
    for count in 101...102 { _ = exporter.export(.spans(count)) }
    await exporter.stop()
    let counts = scratch.text("out.txt").split(separator: "\n").map { $0.split(separator: " ")[1] }
    #expect(counts == ["1", "2", "5", "8", "101", "102"])
  }

  @Test func `sampling thereafter of zero prints no more`() {
    var sampler = DebugSampler(initial: 1, thereafter: 0)
    let now = clock.now
    #expect((0..<4).map { _ in sampler.admits(at: now) } == [true, false, false, false])
    let isAdmittedLater = sampler.admits(at: now + .seconds(1))
    #expect(isAdmittedLater)
  }

  @Test func `the internal logger gets a line at level info`() async throws {
    let log = Recorder()
    let context = ComponentContext.testing(.exporter, "debug", clock: clock)
    let own = ComponentContext(
      id: context.id, declaredAt: context.declaredAt, signals: context.signals,
      logger: Logger(label: "debug") { _ in log }, clock: clock, randomness: context.randomness,
      ledger: context.ledger, metrics: context.metrics, health: context.health)
    let exporter = DebugExporter(config: .init(), context: own)
    try await exporter.start()
    _ = exporter.export(DebugSample.traces)
    await exporter.stop()
    #expect(log.lines == ["info traces: 2 spans, 1 resource (shop)"])
  }

  @Test func `an output that cannot be opened names its place`() async throws {
    await #expect {
      _ = try await started { $0.outputPaths = ["\(scratch.path)/no/out.txt"] }
    } throws: { error in
      "\(error)".contains("\(scratch.path)/no/out.txt") && "\(error)".contains("test.yaml:1")
    }
  }

  @Test func `what a slow output cannot take is counted, not kept`() async throws {
    let gate = Gate()
    let printer = DebugPrinter(label: "test", verbosity: .basic)
    printer.open([.logger(Logger(label: "test") { _ in gate })])
    let big = Batch.logs(String(repeating: "x", count: DebugPrinter.maxBytes))
    printer.print(big)
    gate.untilWriting()
    for _ in 0..<5 { printer.print(.logs("a", "b")) }
    gate.open()
    await printer.close()
    #expect(
      gate.lines == [
        "logs: 1 log record, 1 resource", "5 batches (10 items) not shown: the output is too slow",
      ])
  }
}

/// A log handler that keeps its lines.
private final class Recorder: LogHandler {
  private let kept = Mutex<[String]>([])
  var lines: [String] { kept.withLock { $0 } }

  var logLevel: Logger.Level {
    get { .info }
    set {}
  }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }
  func log(event: LogEvent) { kept.withLock { $0.append("\(event.level) \(event.message)") } }
}

/// A log handler whose first line waits until the test lets it through.
private final class Gate: LogHandler {
  private let kept = Mutex<[String]>([])
  private let writing = DispatchSemaphore(value: 0)
  private let opened = DispatchSemaphore(value: 0)
  var lines: [String] { kept.withLock { $0 } }

  func untilWriting() { writing.wait() }
  func open() { opened.signal() }

  var logLevel: Logger.Level {
    get { .info }
    set {}
  }
  var metadata: Logger.Metadata {
    get { [:] }
    set {}
  }
  subscript(metadataKey _: String) -> Logger.Metadata.Value? {
    get { nil }
    set {}
  }
  func log(event: LogEvent) {
    let isFirst = kept.withLock { lines in
      lines.append("\(event.message)")
      return lines.count == 1
    }
    if isFirst {
      writing.signal()
      opened.wait()
    }
  }
}
