internal import TelemetryData
internal import TimeFormats

/// Batches as text.
enum DebugFormat {
  static func text(of batch: Batch, _ verbosity: DebugExporter.Verbosity) -> String {
    let summary = summary(of: batch)
    switch verbosity {
    case .basic: return summary
    case .normal:
      var lines = DebugLines()
      lines.write(batch)
      return summary + lines.text
    case .detailed:
      var detail = DebugDetail()
      detail.write(batch)
      return summary + detail.text
    }
  }

  /// One line: `traces: 120 spans, 2 resources (cart, checkout)`.
  static func summary(of batch: Batch) -> String {
    let contents =
      switch batch.signal {
      case .traces: count(batch.itemCount, "span", "spans")
      case .logs: count(batch.itemCount, "log record", "log records")
      case .metrics:
        count(batch.itemCount, "data point", "data points") + ", "
          + count(batch.recordCount, "metric", "metrics")
      }
    let resources = count(batch.resourceCount, "resource", "resources")
    let services = services(of: batch)
    return "\(batch.signal.rawValue): \(contents), \(resources)"
      + (services.isEmpty ? "" : " (\(services.joined(separator: ", ")))")
  }

  /// `1 span`, `2 spans`.
  static func count(_ count: Int, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
  }

  /// The first service names, each once.
  private static func services(of batch: Batch) -> [String] {
    let shown = 3
    var names: [String] = []
    for position in 0..<batch.resourceCount {
      guard let name = batch.resource(at: position).attributes.first("service.name"), name.kind == .string
      else {
        continue
      }
      let text = printable(name.string)
      if names.contains(text) { continue }
      if names.count == shown { return names + ["…"] }
      names.append(text)
    }
    return names
  }

  /// Text from outside, with what could steer a terminal or break a line made visible.
  static func printable(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0xC2 }
    if isPlain { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x0A: result += "\\n"
      case 0x0D: result += "\\r"
      case 0x09: result += "\\t"
      case 0..<0x20, 0x7F..<0xA0: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// `2023-11-11 04:49:03.509369393 +0000 UTC`, as the Collector prints times.
  static func time(_ unixNanoseconds: UInt64) -> String {
    let (seconds, nanoseconds) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let fraction = nanoseconds == 0 ? "" : "." + trimmed("\(Int(nanoseconds), width: 9)")
    return "\(clock(seconds))\(fraction) +0000 UTC"
  }

  /// `2023-11-11 04:49:03.509`.
  static func shortTime(_ unixNanoseconds: UInt64) -> String {
    let milliseconds = Int(unixNanoseconds % 1_000_000_000 / 1_000_000)
    return "\(clock(unixNanoseconds / 1_000_000_000)).\(milliseconds, width: 3)"
  }

  private static func clock(_ unixSeconds: UInt64) -> String {
    let time = CivilTime(unixSeconds: Int(unixSeconds))
    return "\(time.year, width: 4)-\(time.month, width: 2)-\(time.day, width: 2)"
      + " \(time.hour, width: 2):\(time.minute, width: 2):\(time.second, width: 2)"
  }

  /// `850ns`, `12.4µs`, `3.25ms`, `1.2s`: three digits or so.
  static func duration(from start: UInt64, to end: UInt64) -> String {
    guard end >= start else { return "-" + duration(from: end, to: start) }
    let nanoseconds = end - start
    if nanoseconds < 1_000 { return "\(nanoseconds)ns" }
    let units: [(size: UInt64, name: String)] = [(1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")]
    let unit = units.last { nanoseconds >= $0.size } ?? units[0]
    let hundredths = nanoseconds / (unit.size / 100)
    let fraction = trimmed("\(Int(hundredths % 100), width: 2)")
    return "\(hundredths / 100)\(fraction.isEmpty ? "" : ".")\(fraction)\(unit.name)"
  }

  private static func trimmed(_ digits: String) -> String {
    var digits = digits
    while digits.last == "0" { digits.removeLast() }
    return digits
  }
}
