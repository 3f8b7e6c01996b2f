import ConfigSchema
package import Engine
import Glibc
package import Logging
import Synchronization

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
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    let stamp = Timestamp.text(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
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

/// Points in time as RFC 3339 in UTC, with milliseconds.
enum Timestamp {
  static func text(seconds: Int64, nanoseconds: Int64) -> String {
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let rest = seconds - days * 86_400
    let (year, month, day) = civil(days)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let milliseconds = nanoseconds / 1_000_000
    let fraction =
      milliseconds < 10 ? "00\(milliseconds)" : milliseconds < 100 ? "0\(milliseconds)" : "\(milliseconds)"
    return
      "\(year)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)).\(fraction)Z"
  }

  /// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
  private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}
