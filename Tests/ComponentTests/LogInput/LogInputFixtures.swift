import ConfigSchema
import Foundation
import Glibc
import PipelineKit
import PipelineTestKit
import Synchronization
import TelemetryData
import Testing

@testable import Receivers

/// A log record as tests compare it: values as text, maps and lists as JSON.
struct ReceivedLog: Equatable {
  var body = ""
  var attributes: [String: String] = [:]
  var resource: [String: String] = [:]
  var severity = ""
  /// Nanoseconds since the Unix epoch.
  var time: UInt64 = 0

  static func records(of batch: Batch) -> [ReceivedLog] {
    var json: [UInt8] = []
    try? batch.writeJSON(into: &json)
    let object = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
    let resources = object?["resourceLogs"] as? [[String: Any]] ?? []
    return resources.flatMap { part in
      let resource = map((part["resource"] as? [String: Any])?["attributes"])
      let scopes = part["scopeLogs"] as? [[String: Any]] ?? []
      return scopes.flatMap { $0["logRecords"] as? [[String: Any]] ?? [] }.map { record in
        ReceivedLog(
          body: text(record["body"]), attributes: map(record["attributes"]), resource: resource,
          severity: record["severityText"] as? String ?? "",
          time: UInt64(record["timeUnixNano"] as? String ?? "") ?? 0)
      }
    }
  }

  private static func map(_ value: Any?) -> [String: String] {
    let entries = value as? [[String: Any]] ?? []
    return Dictionary(
      entries.map { ($0["key"] as? String ?? "", text($0["value"])) },
      uniquingKeysWith: { first, second in "\(first) and \(second)" })
  }

  private static func text(_ value: Any?) -> String {
    let plain = plain(value)
    if let text = plain as? String { return text }
    guard
      let data = try? JSONSerialization.data(
        withJSONObject: plain, options: [.sortedKeys, .fragmentsAllowed])
    else { return "" }
    return String(decoding: data, as: UTF8.self)
  }

  private static func plain(_ value: Any?) -> Any {
    guard let value = value as? [String: Any], let (kind, content) = value.first else { return "" }
    switch kind {
    case "intValue": return Int(content as? String ?? "") ?? content
    case "bytesValue": return "bytes:\(content)"
    case "arrayValue":
      return ((content as? [String: Any])?["values"] as? [Any] ?? []).map(plain)
    case "kvlistValue":
      let entries = (content as? [String: Any])?["values"] as? [[String: Any]] ?? []
      return Dictionary(
        entries.map { ($0["key"] as? String ?? "", plain($0["value"])) }, uniquingKeysWith: { $1 })
    default: return content
    }
  }
}

/// Where a receiver under test delivers: refuses and accepts as told.
final class LogSink: Sendable {
  private let refusing = Mutex(false)
  let consumer: CollectingConsumer
  private let taken: Mutex<[Batch]>

  init(refusing: Bool = false) {
    let state = refusing
    let taken = Takes()
    self.taken = Mutex([])
    consumer = CollectingConsumer { batch in taken.answer?(batch) ?? .accepted }
    self.refusing.withLock { $0 = state }
    taken.answer = { [weak self] batch in self?.answer(batch) ?? .accepted }
  }

  /// Leads the consumer back to the sink, which is made after it.
  private final class Takes: @unchecked Sendable {
    var answer: ((Batch) -> Outcome)?
  }

  private func answer(_ batch: Batch) -> Outcome {
    if refusing.withLock({ $0 }) { return .refused(reason: "full", after: nil) }
    taken.withLock { $0.append(batch) }
    return .accepted
  }

  func refuse(_ isRefusing: Bool) { refusing.withLock { $0 = isRefusing } }

  /// What was accepted.
  var batches: [Batch] { taken.withLock { $0 } }
  var records: [ReceivedLog] { batches.flatMap(ReceivedLog.records) }
  var bodies: [String] { records.map(\.body) }
  var count: Int { batches.reduce(0) { $0 + $1.itemCount } }

  var outputs: ReceiverOutputs { ReceiverOutputs(logs: consumer) }

  /// Suspends until so many records were accepted.
  func accepted(_ count: Int, patience: Duration = .seconds(20)) async throws {
    let end = ContinuousClock.now + patience
    while self.count < count {
      try #require(ContinuousClock.now < end, "\(self.count) of \(count) records came")
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

/// Reads settings as a configuration file has them.
func logSettings<Config: ConfigGroup>(_ yaml: String, as type: Config.Type = Config.self) throws -> Config {
  let (config, diagnostics) = checkedLogSettings(yaml, as: type)
  return try #require(config, "\(diagnostics.render())")
}

func checkedLogSettings<Config: ConfigGroup>(
  _ yaml: String, as type: Config.Type = Config.self
) -> (Config?, Diagnostics) {
  let (root, loading) = ConfigLoader.load(
    sources: [.text(yaml, name: "test.yaml")],
    environment: ConfigEnvironment(variable: { _ in nil }, file: { _ in .failure(.notFound) }))
  var diagnostics = loading
  guard let root else { return (nil, diagnostics) }
  let config = ConfigDecoder.decode(type, from: root, path: "receivers.test", diagnostics: &diagnostics)
  return (diagnostics.hasErrors ? nil : config, diagnostics)
}

/// A plain socket of the system that sends; shares no code with what is tested.
final class LogSender: Sendable {
  let descriptor: CInt

  /// - Parameter address: `127.0.0.1:port`.
  init(_ address: String, isTCP: Bool) throws {
    let port = try #require(UInt16(address.split(separator: ":").last ?? ""))
    descriptor = socket(AF_INET, CInt((isTCP ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "cannot connect to \(address)")
  }

  deinit { close(descriptor) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    repeat {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      if count < 0 { return }
      sent += count
    } while sent < bytes.count
  }

  func end() { shutdown(descriptor, CInt(SHUT_WR)) }
}

/// Runs code that blocks on a thread of its own: two such pieces on Swift's pool, which has no more threads than the
/// machine has processors, would stop everything that could unblock them.
func offPool(_ work: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread {
      work()
      continuation.resume()
    }
  }
}
