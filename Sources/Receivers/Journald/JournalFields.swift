internal import LogData
internal import WireFormat

/// The fields of the journal by their names in OpenTelemetry.
enum JournalFields {
  private static let attributes = [
    "CODE_FILE": "code.file.path", "CODE_FUNC": "code.function.name", "CODE_LINE": "code.line.number",
    "TID": "thread.id", "SYSLOG_FACILITY": "syslog.facility.code", "SYSLOG_IDENTIFIER": "syslog.msgid",
    "SYSLOG_PID": "syslog.pid",
  ]
  private static let resource = [
    "_HOSTNAME": "host.name", "_PID": "process.pid", "_COMM": "process.command",
    "_EXE": "process.executable.path", "_CMDLINE": "process.command_line",
  ]
  private static let numeric: Set<String> = [
    "code.line.number", "thread.id", "syslog.facility.code", "syslog.pid", "process.pid",
  ]
  /// By the priorities of syslog: the names of OpenTelemetry.
  private static let severities: [(number: Int32, text: String)] = [
    (21, "fatal"), (19, "error3"), (18, "error2"), (17, "error"), (13, "warn"), (10, "info2"), (9, "info"),
    (5, "debug"),
  ]

  /// Makes the message the body, sets the severity, and the other fields attributes and resource.
  static func place(_ map: LogChain, in entry: inout LogEntry) {
    var fields: [(key: WireRange, value: LogValue)] = []
    entry.forEach(in: map) { key, value in fields.append((key, value)) }
    for (key, value) in fields {
      let name = entry.string(of: key)
      switch name {
      case "MESSAGE": entry.body = value
      case "PRIORITY": setSeverity(value, of: &entry)
      default:
        if let attribute = attributes[name] {
          set(attribute, to: value, in: .attributes, &entry)
        } else if let attribute = resource[name] {
          set(attribute, to: value, in: .resource, &entry)
        } else {
          set("journald." + name, to: value, in: .attributes, &entry)
        }
      }
    }
  }

  private static func setSeverity(_ value: LogValue, of entry: inout LogEntry) {
    guard value.kind == .string, let priority = Int(entry.string(of: value.range)),
      severities.indices.contains(priority)
    else { return }
    entry.severityNumber = severities[priority].number
    entry.severityText = entry.add(severities[priority].text)
  }

  private static func set(
    _ key: String, to value: LogValue, in map: LogChain, _ entry: inout LogEntry
  ) {
    var value = value
    if numeric.contains(key), value.kind == .string, let number = Int64(entry.string(of: value.range)) {
      value = .int(number)
    }
    entry.set(entry.add(key), to: value, in: map)
  }
}
