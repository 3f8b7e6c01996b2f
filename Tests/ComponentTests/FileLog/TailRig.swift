import ConfigSchema
import Foundation
import NativeCodecs
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

  let scratch: Scratch
  let clock: TestClock
  let metrics: SelfMetrics
  let answers: Answers
  let consumer: CollectingConsumer
  private(set) var tailer: Tailer
  private let mailbox: TailMailbox
  private let event: WakeEvent
  private let store: MemoryStore?
  private let config: FileLogConfig

  /// How deliveries are answered and files opened; tests change it as they go.
  final class Answers: Sendable {
    let outcome = Mutex<Outcome?>(.accepted)
    /// How many files the system lets be open.
    let room = Mutex(Int.max)

    func open(
      _ path: String, counting gauge: SelfMetricCell
    ) throws(FileError) -> (file: OpenFile, status: FileStatus) {
      if gauge.value >= room.withLock({ $0 }) { throw FileError.outOfHandles }
      return try OpenFile.open(path, counting: gauge)
    }
  }

  /// What is stored, in memory.
  final class MemoryStore: CheckpointSink {
    let content: Mutex<[String: [UInt8]]>
    private let mailbox: TailMailbox

    init(_ content: [String: [UInt8]], _ mailbox: TailMailbox) {
      self.content = Mutex(content)
      self.mailbox = mailbox
    }

    func post(_ changes: CheckpointChanges) {
      write(changes)
      mailbox.post(.saved(nil))
    }

    func write(_ changes: CheckpointChanges) {
      content.withLock { content in for (key, value) in changes { content[key] = value } }
    }
  }

  /// - Parameters:
  ///   - predecessor: whose directory, clock and answers are used, and what it has left.
  ///   - takesOver: whether the predecessor's open files come along, as at a reload.
  ///   - isStoring: whether positions are stored.
  ///   - mostHandles: how many files may be open, as far as the tailer knows.
  ///   - change: made to settings that include `*.log` and start at the beginning; `DIR` is the directory.
  init(
    after predecessor: TailRig? = nil, takesOver: Bool = false, usesNotices: Bool = true,
    isStoring: Bool = false, mostHandles: Int = .max, settings yaml: String = "{}",
    _ change: (inout FileLogConfig) -> Void = { _ in }
  ) throws {
    scratch = predecessor?.scratch ?? Scratch()
    clock = predecessor?.clock ?? TestClock()
    metrics = SelfMetrics()
    let answers = predecessor?.answers ?? Answers()
    self.answers = answers
    consumer = CollectingConsumer(answering: nil)
    let start = yaml.contains("start_at:") ? "" : "start_at: beginning, "
    let include = yaml.contains("include:") ? "" : "include: [DIR/*.log], "
    var config = try Self.decode(
      ("{" + start + include + yaml.drop { $0 != "{" }.dropFirst()).replacing("DIR", with: scratch.path))
    change(&config)
    self.config = config
    let estate = takesOver ? predecessor.map { TailEstate($0.tailer, $0.event) } : nil
    event = try estate?.event ?? WakeEvent()
    mailbox = estate?.mailbox ?? TailMailbox(event)
    let stored = predecessor?.store?.content.withLock { $0 } ?? [:]
    store = isStoring ? MemoryStore(stored, mailbox) : nil
    var notices = estate?.notices
    if notices == nil, usesNotices { notices = try FileNotices() }
    tailer = Tailer(
      TailSettings(config),
      context: .testing(.receiver, "file_log", clock: clock, metrics: metrics), consumer: consumer,
      mailbox: mailbox, notices: notices, mostHandles: mostHandles, opening: answers.open, estate: estate,
      stored: isStoring ? stored : [:], checkpoints: store)
  }

  deinit { for arrival in consumer.arrivals { arrival.completion.resolve(.accepted) } }

  private static func decode(_ yaml: String) throws -> FileLogConfig {
    let (node, _) = ConfigLoader.load(sources: [.text(yaml, name: "test.yaml")], environment: .init())
    var diagnostics = Diagnostics()
    guard let node,
      let config = ConfigDecoder.decode(
        FileLogConfig.self, from: node, path: "receivers.file_log", diagnostics: &diagnostics)
    else { throw CocoaError(.coderInvalidValue, userInfo: ["found": diagnostics.render()]) }
    return config
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

  func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
  }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// What `logrotate` does with copytruncate.
  func copyAndTruncate(_ name: String, to other: String) throws {
    try FileManager.default.copyItem(atPath: path(name), toPath: path(other))
    Foundation.truncate(path(name), 0)
  }

  /// What `gzip` does.
  func compress(_ name: String) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/gzip")
    process.arguments = [path(name)]
    try process.run()
    process.waitUntilExit()
  }

  // MARK: Time

  private var answered = 0

  /// Lets the tailer do what it can do now.
  func settle() {
    while true {
      let next = tailer.turn()
      if answer() { continue }
      guard let next, next <= clock.now else { return }
    }
  }

  /// Answers what has arrived; nothing while ``Answers/outcome`` is nil; whether there was something.
  private func answer() -> Bool {
    guard let outcome = answers.outcome.withLock({ $0 }) else { return false }
    let arrivals = consumer.arrivals
    if answered == arrivals.count { return false }
    for arrival in arrivals[answered...] { arrival.completion.resolve(outcome) }
    answered = arrivals.count
    return true
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

  /// Stops it, as at the end of the process.
  func stop() {
    mailbox.post(.stop)
    settle()
    store?.write(tailer.takeChanges())
  }

  /// Changes what is stored.
  func damage(_ change: (inout [String: [UInt8]]) -> Void) { store?.content.withLock { change(&$0) } }

  // MARK: What came

  /// How many files are open.
  var openFiles: Int { tailer.meters.openFiles.value }
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
