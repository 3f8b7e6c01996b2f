internal import TelemetryData

/// Values as text.
enum DebugValues {
  /// The most values within each other; what is deeper is shown as `…`.
  private static let maxDepth = 64

  /// `Str(shop)`, `Int(3)`, `Map({"a":1})`: type and value, as the Collector prints them.
  static func typed(_ value: borrowing AnyValueView) -> String { "\(typeName(value))(\(plain(value)))" }

  /// The value alone; arrays and maps as JSON.
  static func plain(_ value: borrowing AnyValueView) -> String {
    switch value.kind {
    case .string: DebugFormat.printable(value.string)
    default: json(value, depth: 0)
    }
  }

  static func number(_ value: NumberValue?) -> String {
    switch value {
    case .int(let value): "\(value)"
    case .double(let value): "\(value)"
    case nil: "no value"
    }
  }

  /// `key=value key=value`.
  static func pairs(_ attributes: borrowing AttributesView, separator: String = " ") -> String {
    var text = ""
    attributes.forEach { attribute in
      if !text.isEmpty { text += separator }
      text += DebugFormat.printable(attribute.key.string) + "=" + plain(attribute.value)
    }
    return text
  }

  private static func typeName(_ value: borrowing AnyValueView) -> String {
    switch value.kind {
    case .empty: "Empty"
    case .string: "Str"
    case .bool: "Bool"
    case .int: "Int"
    case .double: "Double"
    case .array: "Slice"
    case .keyValueList: "Map"
    case .bytes: "Bytes"
    case .stringIndex: "StrIndex"
    }
  }

  private static func json(_ value: borrowing AnyValueView, depth: Int) -> String {
    if depth == maxDepth { return "…" }
    switch value.kind {
    case .empty: return depth == 0 ? "" : "null"
    case .string: return quoted(value.string)
    case .bool: return "\(value.bool)"
    case .int: return "\(value.int)"
    case .double: return "\(value.double)"
    case .bytes: return depth == 0 ? value.bytes.hex : quoted(value.bytes.hex)
    case .stringIndex: return "\(value.stringIndex)"
    case .array:
      var parts: [String] = []
      value.array.forEach { parts.append(json($0, depth: depth + 1)) }
      return "[\(parts.joined(separator: ","))]"
    case .keyValueList:
      var parts: [String] = []
      value.keyValueList.forEach {
        parts.append("\(quoted($0.key.string)):\(json($0.value, depth: depth + 1))")
      }
      return "{\(parts.joined(separator: ","))}"
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    return "\"\(DebugFormat.printable(escaped))\""
  }

  // OTLP's enumerations by name; unknown numbers as numbers.

  static func spanKind(_ kind: Int32) -> String {
    switch kind {
    case 0: "Unspecified"
    case 1: "Internal"
    case 2: "Server"
    case 3: "Client"
    case 4: "Producer"
    case 5: "Consumer"
    default: "\(kind)"
    }
  }

  static func statusCode(_ code: Int32) -> String {
    switch code {
    case 0: "Unset"
    case 1: "Ok"
    case 2: "Error"
    default: "\(code)"
    }
  }

  /// `Info`, `Info2`, … after the names of the log data model.
  static func severity(_ number: Int32) -> String {
    if number == 0 { return "Unspecified" }
    let levels = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"]
    let (level, rank) = (Int(number) - 1).quotientAndRemainder(dividingBy: 4)
    guard number > 0, level < levels.count else { return "\(number)" }
    return levels[level] + (rank == 0 ? "" : "\(rank + 1)")
  }

  static func temporality(_ temporality: AggregationTemporality) -> String {
    switch temporality {
    case .unspecified: "Unspecified"
    case .delta: "Delta"
    case .cumulative: "Cumulative"
    }
  }

  static func metricKind(_ kind: MetricKind?) -> String {
    switch kind {
    case .gauge: "Gauge"
    case .sum: "Sum"
    case .histogram: "Histogram"
    case .exponentialHistogram: "ExponentialHistogram"
    case .summary: "Summary"
    case nil: "Empty"
    }
  }
}
