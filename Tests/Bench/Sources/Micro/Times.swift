@testable import LogData
@testable import TimeFormats

/// Times and severities of log lines, read from texts and set on entries; items are texts.
extension Operation {
  static func times() throws -> [Operation] {
    let berlin = PosixZone("CET-1CEST,M3.5.0,M10.5.0/3")?.rules(name: "Berlin") ?? .utc
    let rfc = Array("2024-03-12T10:15:26.123456Z".utf8)
    let common = Array("12/Mar/2024:10:15:26 +0000".utf8)
    let local = Array("2024-03-12 10:15:26,123".utf8)
    let syslog = Array("Mar  2 10:15:26".utf8)
    let apache = try TimeLayout(strptime: "%d/%b/%Y:%H:%M:%S %z")
    let zoned = try TimeLayout(strptime: "%Y-%m-%d %H:%M:%S,%L", in: berlin)
    let yearless = try TimeLayout(gotime: "Jan _2 15:04:05", in: berlin)
    let now: Int64 = 1_710_238_526_000_000_000
    return [
      Operation("time: RFC 3339", items: texts, goal: 25) {
        try repeated { try RFC3339.nanoseconds(rfc.span) }
      },
      Operation("time: common log format", items: texts, goal: 40) {
        try repeated { try apache.nanoseconds(of: common.span, now: now) }
      },
      Operation("time: local, with a zone's rules", items: texts, goal: 40) {
        try repeated { try zoned.nanoseconds(of: local.span, now: now) }
      },
      Operation("time: syslog, without a year", items: texts, goal: 70) {
        try repeated { try yearless.nanoseconds(of: syslog.span, now: now) }
      },
    ] + blocks(apache)
  }

  private static let texts = 100

  private static func repeated(_ body: () throws -> Int64) rethrows -> Int {
    var sum: Int64 = 0
    for _ in 0..<texts { sum &+= try body() }
    return Int(truncatingIfNeeded: sum)
  }

  /// The blocks `timestamp` and `severity` of a parser.
  private static func blocks(_ layout: TimeLayout) -> [Operation] {
    let time = TimestampReader(FieldPath(.attributes, ["time"]), form: .layout(layout))
    var config = SeverityConfig()
    config.parseFrom = FieldPath(.attributes, ["level"])
    let severity = config.makeReader()
    let box = TimedEntry()
    for (key, value) in [
      ("remote", "192.0.2.9"), ("time", "12/Mar/2024:10:15:26 +0000"), ("level", "Warning"),
    ] {
      box.entry.append(key: box.entry.add(key), box.entry.string(value), to: .attributes)
    }
    return [
      Operation("time: block timestamp of an entry", items: texts, goal: 70) {
        for _ in 0..<texts { try time.apply(&box.entry) }
        return Int(truncatingIfNeeded: box.entry.timestamp)
      },
      Operation("severity: block severity of an entry", items: texts, goal: 50) {
        for _ in 0..<texts { try severity.apply(&box.entry) }
        return Int(box.entry.severityNumber)
      },
    ]
  }

  private final class TimedEntry { var entry = LogEntry() }
}
