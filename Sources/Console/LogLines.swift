import ConfigSchema
package import Engine
import Glibc
package import Logging
import Synchronization
import TimeFormats

/// How the collector's own log looks, for every logger there is: a change holds from the next line on.
package final class LogSettings: Sendable {
  private struct Look {
    let encoding: LogEncoding
    let outputs: [Int32]
    let fields: Logger.Metadata
  }
  private let level: Atomic<Int>
  private let look: Mutex<Look>

  package init(_ config: LogsTelemetryConfig) {
    level = Atomic(Self.rank(config))
    look = Mutex(Self.look(config))
  }

  package func change(to config: LogsTelemetryConfig) {
    level.store(Self.rank(config), ordering: .relaxed)
    look.withLock { $0 = Self.look(config) }
  }

  private static func rank(_ config: LogsTelemetryConfig) -> Int {
    Logger.Level.allCases.firstIndex(of: config.loggerLevel) ?? 0
  }

  private static func look(_ config: LogsTelemetryConfig) -> Look {
    let fields = config.initialFields.map { ($0.key, Logger.MetadataValue.string($0.value)) }
    return Look(
      encoding: config.encoding, outputs: config.outputPaths.map { $0 == "stdout" ? 1 : 2 },
      fields: Dictionary(fields, uniquingKeysWith: { _, last in last }))
  }

  fileprivate var loggerLevel: Logger.Level { Logger.Level.allCases[level.load(ordering: .relaxed)] }
  fileprivate var current: (encoding: LogEncoding, outputs: [Int32], fields: Logger.Metadata) {
    look.withLock { ($0.encoding, $0.outputs, $0.fields) }
  }
}

/// Writes the collector's own log: one line per event, for people or as JSON.
package struct LogLines: LogHandler {
  package var metadata: Logger.Metadata = [:]
  private let settings: LogSettings
  private var ownLevel: Logger.Level?

  package init(_ settings: LogSettings) { self.settings = settings }

  /// The level of the settings, unless this logger was given one of its own.
  package var logLevel: Logger.Level {
    get { ownLevel ?? settings.loggerLevel }
    set { ownLevel = newValue }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let (encoding, outputs, own) = settings.current
    let fields = own.merging(metadata) { _, new in new }.merging(event.metadata ?? [:]) { _, new in new }
      .sorted { $0.key < $1.key }
    let stamp = RFC3339.text(nanoseconds: UnixTime.now(), digits: 3)
    let line =
      switch encoding {
      case .console: Self.console(stamp, event.level, "\(event.message)", fields)
      case .json: Self.json(stamp, event.level, "\(event.message)", fields)
      }
    for output in outputs { LogWriter.write(line, to: output) }
  }

  private static func name(_ level: Logger.Level) -> String {
    switch level {
    case .trace, .debug: "debug"
    case .info, .notice: "info"
    case .warning: "warn"
    case .error, .critical: "error"
    }
  }

  static func console(
    _ stamp: String, _ level: Logger.Level, _ message: String,
    _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> String {
    var line = "\(stamp)  \(name(level).padded(to: 5))  "
    let kind = fields.first { $0.key == "kind" }
    let component = fields.first { $0.key == "name" }
    if let kind, let component { line += "[\(kind.value) \(component.value)] " }
    line += message
    for (key, value) in fields where key != "kind" && key != "name" {
      line += "  \(key)=\(quotedIfNeeded("\(value)"))"
    }
    return line + "\n"
  }

  static func json(
    _ stamp: String, _ level: Logger.Level, _ message: String,
    _ fields: [(key: String, value: Logger.MetadataValue)]
  ) -> String {
    var line = "{\"ts\":\"\(stamp)\",\"level\":\"\(name(level))\",\"msg\":\(quoted(message))"
    for (key, value) in fields { line += ",\(quoted(key)):\(quoted("\(value)"))" }
    return line + "}\n"
  }

  private static func quotedIfNeeded(_ text: String) -> String {
    text.isEmpty || text.utf8.contains { $0 <= 0x20 || $0 == 0x22 } ? quoted(text) : text
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}

/// Keeps lines whole when several threads log.
private enum LogWriter {
  private static let lock = Mutex<Void>(())

  static func write(_ line: String, to descriptor: Int32) {
    lock.withLock { _ in DescriptorOutput.write(line, to: descriptor) }
  }
}
