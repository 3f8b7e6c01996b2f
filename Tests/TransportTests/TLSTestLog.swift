import Logging
import Synchronization
import Testing

@testable import Transport

/// Keeps what is logged: `level message reason`.
final class TLSTestLog: Sendable {
  private let kept = Mutex<[String]>([])

  var lines: [String] { kept.withLock { $0 } }

  var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(log: self) }
    logger.logLevel = .debug
    return logger
  }

  private struct Handler: LogHandler {
    let log: TLSTestLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let reason = event.metadata?["reason"].map { " \($0)" } ?? ""
      log.kept.withLock { $0.append("\(event.level) \(event.message)\(reason)") }
    }
  }
}

/// Waits until a condition holds, for a bounded number of looks.
func eventually(_ condition: () async throws -> Bool) async throws {
  for _ in 0..<2400 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(25))
  }
  Issue.record("the condition did not come to hold")
}
