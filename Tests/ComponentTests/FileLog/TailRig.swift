import Foundation
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData

@testable import Receivers

/// A directory with log files, and the reading thread's work on them, step by step and on a clock that tests move.
final class TailRig {
  /// What a log record says, as far as tests ask.
  struct Record: Equatable {
    var body: String
    var attributes: [String: String]
  }

  let scratch = Scratch()
  let clock: TestClock
  let metrics = SelfMetrics()
  let answers: Answers
  let consumer: CollectingConsumer
  let mailbox: TailMailbox
  private(set) var tailer: Tailer
  private let config: FileLogConfig

  /// How deliveries are answered; tests change it as they go.
  final class Answers: Sendable {
    let outcome = Mutex<Outcome>(.accepted)
  }

  /// - Parameter change: made to settings that include `*.log` and start at the beginning.
  init(
    clock: TestClock = TestClock(), usesNotices: Bool = true,
    _ change: (inout FileLogConfig) -> Void = { _ in }
  ) throws {
    self.clock = clock
    let answers = Answers()
    self.answers = answers
    consumer = CollectingConsumer { _ in answers.outcome.withLock { $0 } }
    var config = FileLogConfig()
    config.include = ["\(scratch.path)/*.log"]
    config.startAt = .beginning
    change(&config)
    let place = scratch.path
    config.include = config.include.map { $0.replacing("DIR", with: place) }
    config.exclude = config.exclude.map { $0.replacing("DIR", with: place) }
    self.config = config
    mailbox = TailMailbox(try WakePipe())
    tailer = Tailer(
      try TailSettings(config),
      context: .testing(.receiver, "file_log", clock: clock, metrics: metrics), consumer: consumer,
      mailbox: mailbox, notices: usesNotices ? try FileNotices() : nil)
  }

  func path(_ name: String) -> String { "\(scratch.path)/\(name)" }

  // MARK: Files

  /// Adds to a file.
  func append(_ name: String, _ text: String) throws {
    if let file = FileHandle(forWritingAtPath: path(name)) {
      try file.seekToEnd()
      try file.write(contentsOf: Data(text.utf8))
      try file.close()
    } else {
      scratch.put(name, text)
    }
  }

  func rename(_ name: String, to other: String) throws {
    if Foundation.rename(path(name), path(other)) != 0 { throw CocoaError(.fileWriteUnknown) }
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// What `logrotate` does with copytruncate.
  func copyAndTruncate(_ name: String, to other: String) throws {
    try FileManager.default.copyItem(atPath: path(name), toPath: path(other))
    Foundation.truncate(path(name), 0)
  }

  // MARK: Time

  /// Lets the tailer do what it can do now.
  func settle() {
    while let next = tailer.turn(), next <= clock.now {}
  }

  /// Lets time go by, in steps as long as the poll interval.
  func pass(_ duration: Duration) {
    settle()
    let end = clock.now + duration
    while clock.now < end {
      clock.advance(by: min(config.pollInterval, end - clock.now))
      settle()
    }
  }

  // MARK: What came

  var records: [Record] { consumer.arrivals.flatMap { Self.records(of: $0.batch) } }
  var bodies: [String] { records.map(\.body) }

  static func records(of batch: Batch) -> [Record] {
    var json: [UInt8] = []
    try? batch.writeJSON(into: &json)
    let object = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
    let resources = object?["resourceLogs"] as? [[String: Any]] ?? []
    return resources.flatMap { $0["scopeLogs"] as? [[String: Any]] ?? [] }
      .flatMap { $0["logRecords"] as? [[String: Any]] ?? [] }
      .map { record in
        let attributes = record["attributes"] as? [[String: Any]] ?? []
        return Record(
          body: text(record["body"]),
          attributes: Dictionary(
            attributes.map { ($0["key"] as? String ?? "", text($0["value"])) },
            uniquingKeysWith: { first, second in "\(first) and \(second)" }))
      }
  }

  private static func text(_ value: Any?) -> String {
    let value = value as? [String: Any]
    if let text = value?["stringValue"] as? String { return text }
    if let number = value?["intValue"] { return "\(number)" }
    return ""
  }
}
