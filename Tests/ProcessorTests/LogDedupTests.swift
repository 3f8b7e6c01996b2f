import PipelineKit
import PipelineTestKit
import SeededRandom
import TelemetryData
import Testing

@testable import Processors

@Suite struct LogDedupTests {
  static func logs(_ records: LogRecordValue..., service: String = "shop", scope: String = "lib") -> Batch {
    var builder = BatchBuilder(.logs)
    builder.beginResource(ResourceValue(attributes: ["service.name": .string(service)]))
    builder.beginScope(ScopeValue(name: scope))
    for record in records { builder.add(record) }
    return builder.finish()
  }

  static func record(_ body: AnyValue, _ attributes: Attributes = [:], time: UInt64 = 7) -> LogRecordValue {
    LogRecordValue(
      time: time, observedTime: time + 1, severityNumber: 9, severityText: "INFO", body: body,
      attributes: attributes)
  }

  /// Every record as `body attributes`.
  static func shown(_ batch: Batch) -> [String] {
    var shown: [String] = []
    batch.forEachLogRecord { _, _, record in
      let attributes = Point.labels(record.attributes).sorted { $0.key < $1.key }
        .filter { !$0.key.hasSuffix("_observed_timestamp") }
      shown.append(
        "\(text(record.body?.value ?? .empty)) \(attributes.map { "\($0.key)=\(text($0.value))" })")
    }
    return shown
  }

  static func text(_ value: AnyValue) -> String {
    switch value {
    case .string(let text): text
    case .int(let number): "\(number)"
    case .keyValueList(let list):
      "{\(list.entries.map { "\($0.key)=\(text($0.value))" }.joined(separator: ","))}"
    default: "\(value)"
    }
  }

  @Test func `equal records become one with their number and times`() async throws {
    var run = ScriptedRun()
    run.type = "log_dedup"
    let output = run.output
    try await run(
      LogDedupProcessor.self, "{timezone: America/Los_Angeles, log_count_attribute: dedup_count}",
      [
        .pause(.seconds(2)), .batch(Self.logs(Self.record("a", ["k": 1], time: 1))),
        .pause(.seconds(3)),
        .batch(Self.logs(Self.record("a", ["k": 1], time: 2), Self.record("b", time: 3))),
        .pause(.seconds(4)), .batch(Self.logs(Self.record("a", ["k": 1], time: 4))),
        .check { #expect(output.arrivals.isEmpty) }, .pause(.seconds(1)),
        .check { #expect(output.itemCounts == [2]) },
      ])
    let batch = try #require(run.output.arrivals.first?.batch)
    #expect(Self.shown(batch) == [#"a ["dedup_count=3", "k=1"]"#, #"b ["dedup_count=1"]"#])
    let attributes = Point.labels(batch.logRecord(at: 0).attributes)
    // The clock stands at 2026-01-02T03:04:05.678Z first.
    #expect(attributes["first_observed_timestamp"] == "2026-01-01T19:04:07-08:00")
    #expect(attributes["last_observed_timestamp"] == "2026-01-01T19:04:14-08:00")
    let (time, observed) = (batch.logRecord(at: 0).time, batch.logRecord(at: 0).observedTime)
    #expect(time == 1_767_323_055_678_000_000)
    #expect(observed == 1_767_323_047_678_000_000)
    let (number, text) = (batch.logRecord(at: 0).severityNumber, batch.logRecord(at: 0).severityText.string)
    #expect(number == 9 && text == "INFO")
    #expect(run.filtered == 2)
    #expect(run.metrics.number("otelcol_dedup_processor_aggregated_logs") == 2)
  }

  @Test func `the times are in UTC by default`() async throws {
    let run = ScriptedRun()
    try await run(LogDedupProcessor.self, "{}", [.batch(Self.logs(Self.record("a")))])
    let batch = try #require(run.output.arrivals.first?.batch)
    let attributes = Point.labels(batch.logRecord(at: 0).attributes)
    #expect(attributes["first_observed_timestamp"] == "2026-01-02T03:04:05Z")
    #expect(attributes["log_count"] == 1)
  }

  @Test func `records differ by resource, scope, body, severity and attributes, not by times and ids`()
    async throws
  {
    let record = Self.record("a", ["x": 1, "y": 2])
    var other = Self.record("a", ["y": 2, "x": 1], time: 99)
    other.traceID = Array(repeating: 1, count: 16)
    var severe = record
    severe.severityNumber = 10
    var text = record
    text.severityText = "Info"
    let run = ScriptedRun()
    try await run(
      LogDedupProcessor.self, "{}",
      [
        .batch(Self.logs(record)), .batch(Self.logs(other)), .batch(Self.logs(record, service: "b")),
        .batch(Self.logs(record, scope: "b")), .batch(Self.logs(Self.record("b", ["x": 1, "y": 2]))),
        .batch(Self.logs(Self.record("a", ["x": "1", "y": 2]))), .batch(Self.logs(severe)),
        .batch(Self.logs(text)), .batch(Self.logs(Self.record(.empty, ["x": 1, "y": 2]))),
      ])
    #expect(run.output.itemCounts == [8])
    let batch = try #require(run.output.arrivals.first?.batch)
    #expect(batch.resourceCount == 2 && batch.scopeCount == 3)
  }

  @Test func `excluded fields are removed and do not count`() async throws {
    let run = ScriptedRun()
    func body(_ time: Int64, _ user: AnyValue) -> AnyValue {
      .keyValueList(["timestamp": .int(time), "user": user, "text": "x"])
    }
    let src: AnyValue = .keyValueList(["ip": "1.1.1.1", "port": 1])
    try await run(
      LogDedupProcessor.self,
      #"{exclude_fields: ["body.timestamp", "body.user.id", "attributes.host\\.name", "attributes.src.ip"]}"#,
      [
        .batch(
          Self.logs(
            Self.record(
              body(1, .keyValueList(["id": 1, "n": 2])), ["host.name": "a", "src": src, "host": "h"]),
            Self.record(
              body(2, .keyValueList(["id": 3, "n": 2])), ["src": src, "host": "h", "host.name": "b"]),
            Self.record(body(2, "text"), ["src": "text", "host": "h"])))
      ])
    let batch = try #require(run.output.arrivals.first?.batch)
    #expect(
      Self.shown(batch) == [
        #"{user={n=2},text=x} ["host=h", "log_count=2", "src={port=1}"]"#,
        #"{user=text,text=x} ["host=h", "log_count=1", "src=text"]"#,
      ])
  }

  @Test func `all attributes can be excluded`() async throws {
    let run = ScriptedRun()
    try await run(
      LogDedupProcessor.self, "{exclude_fields: [attributes]}",
      [.batch(Self.logs(Self.record("a", ["x": 1]), Self.record("a", ["y": 1])))])
    #expect(run.output.arrivals.map { Self.shown($0.batch) } == [[#"a ["log_count=2"]"#]])
  }

  @Test func `included fields are all that counts, unless a record has none of them`() async throws {
    let run = ScriptedRun()
    try await run(
      LogDedupProcessor.self, "{include_fields: [attributes.id, body.kind]}",
      [
        .batch(
          Self.logs(
            Self.record("a", ["id": 1, "x": 1]), Self.record("b", ["id": 1, "x": 2]),
            Self.record("c", ["id": 2]), Self.record(.keyValueList(["kind": 1, "n": 1])),
            Self.record(.keyValueList(["kind": 1, "n": 2])), Self.record("d"), Self.record("e")))
      ])
    let batch = try #require(run.output.arrivals.first?.batch)
    #expect(
      Self.shown(batch) == [
        #"a ["id=1", "log_count=2", "x=1"]"#, #"c ["id=2", "log_count=1"]"#,
        #"{kind=1,n=1} ["log_count=2"]"#, #"d ["log_count=1"]"#, #"e ["log_count=1"]"#,
      ])
  }

  @Test func `an attribute of the same name as one that is added gives way`() async throws {
    let run = ScriptedRun()
    try await run(
      LogDedupProcessor.self, "{}", [.batch(Self.logs(Self.record("a", ["log_count": "many", "z": 1])))])
    #expect(run.output.arrivals.map { Self.shown($0.batch) } == [[#"a ["log_count=1", "z=1"]"#]])
  }

  @Test func `all are counted, also over a random number of intervals`() async throws {
    var random = SeededGenerator(9)
    var steps: [ScriptedIntake.Step] = []
    var model: [Int: Int] = [:]
    var expected: [[String]] = []
    var taken = 0
    func close() {
      if !model.isEmpty {
        expected.append(model.map { #"\#($0.key) ["log_count=\#($0.value)"]"# }.sorted())
      }
      model = [:]
    }
    for _ in 0..<500 {
      if random.chance(5) {
        steps.append(.pause(.seconds(10)))
        close()
      }
      let body = random.below(20)
      steps.append(.batch(Self.logs(Self.record(.int(Int64(body))))))
      model[body, default: 0] += 1
      taken += 1
    }
    close()
    var run = ScriptedRun()
    run.type = "log_dedup"
    try await run(LogDedupProcessor.self, "{}", steps)
    #expect(run.output.arrivals.map { Self.shown($0.batch).sorted() } == expected)
    #expect(run.filtered + run.output.itemCounts.reduce(0, +) == taken)
  }

  @Test(arguments: [
    ("{conditions: ['true']}", "OTTL"), ("{interval: 0s}", "interval"),
    ("{log_count_attribute: ''}", "log_count"),
    ("{timezone: Mars/Base}", "Mars/Base"), ("{exclude_fields: [body]}", "whole body"),
    ("{exclude_fields: [resource.x]}", "must begin"),
    ("{include_fields: [attributes.a, attributes.a]}", "twice"),
    ("{include_fields: [attributes.a], exclude_fields: [attributes.b]}", "together"),
  ])
  func `mistakes in settings are told`(settings: String, part: String) {
    let (config, diagnostics) = LogDedupProcessor.decode(settings)
    #expect(config == nil)
    #expect(diagnostics.render().contains(part))
  }
}
