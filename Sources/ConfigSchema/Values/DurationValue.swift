/// Durations as Go writes them: `300ms`, `1h30m`, `1.5s`, `0`.
///
/// Follows the grammar of Go's `time.ParseDuration`: units ns, us (µs), ms, s, m, h; no days. A bare number is
/// taken as nanoseconds with a warning, as the Collector does.
extension Duration: ConfigValue {
  public static var configType: ConfigType { .duration }

  public static func decode(_ node: ConfigNode, base: Duration?, context: inout ConfigContext) -> Duration? {
    let expected = "a duration such as 300ms or 1h30m"
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: expected)
      return nil
    }
    if node.isEmptyExpansion { return base ?? .zero }
    if case .integer(let number) = node.meaning {
      if number != 0 {
        context.report(
          .warning, "bare-duration", "\(text) without a unit means nanoseconds", at: node.origin,
          help: "write \(text)ns, or \(text)s if seconds were meant")
      }
      return .nanoseconds(number)
    }
    switch GoDuration.parse(text) {
    case .success(let duration): return duration
    case .failure(let problem):
      context.mismatch(node, expected: expected, detail: problem.detail, help: problem.help)
      return nil
    }
  }

  public var literal: ConfigLiteral { .string(GoDuration.text(self)) }
}

/// Reads and writes Go durations.
public enum GoDuration {
  /// What is wrong with a text.
  public struct Problem: Error, Equatable {
    public let detail: String
    public let help: String?
  }

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  /// Reads a duration; the range is that of 64-bit nanoseconds, about 292 years.
  public static func parse(_ text: String) -> Result<Duration, Problem> {
    var rest = Substring(text)
    let isNegative = rest.hasPrefix("-")
    if rest.hasPrefix("-") || rest.hasPrefix("+") { rest = rest.dropFirst() }
    if rest == "0" { return .success(.zero) }
    if rest.isEmpty { return problem("it is empty") }
    var total: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix(while: isDigit)
      rest = rest.dropFirst(digits.count)
      var fraction: Substring = ""
      if rest.hasPrefix(".") {
        rest = rest.dropFirst()
        fraction = rest.prefix(while: isDigit)
        rest = rest.dropFirst(fraction.count)
      }
      if digits.isEmpty, fraction.isEmpty { return problem("a number is missing") }
      let name = rest.prefix { !isDigit($0) && $0 != "." }
      rest = rest.dropFirst(name.count)
      guard let unit = units.first(where: { $0.name == name }) else {
        return unknownUnit(name, digits: digits, text: text)
      }
      guard let part = nanoseconds(digits, fraction, unit.nanoseconds) else {
        return problem("it is too long")
      }
      let (sum, overflow) = total.addingReportingOverflow(part)
      if overflow { return problem("it is too long") }
      total = sum
    }
    return .success(.nanoseconds(isNegative ? -total : total))
  }

  /// Writes a duration as Go prints it, without zero parts: `1h30m`, `200ms`, `0s`.
  public static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return "\(seconds)s" }
    let nanoseconds = scaled + attoseconds / 1_000_000_000
    if nanoseconds == 0 { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    var rest = nanoseconds.magnitude
    if rest < 1_000_000_000 {
      for (name, size) in [("ms", UInt64(1_000_000)), ("us", 1_000)] where rest >= size {
        return sign + decimal(rest, size) + name
      }
      return "\(sign)\(rest)ns"
    }
    var result = sign
    for (name, size) in [("h", UInt64(3_600_000_000_000)), ("m", 60_000_000_000)] where rest >= size {
      result += "\(rest / size)\(name)"
      rest %= size
    }
    return rest == 0 ? result : result + decimal(rest, 1_000_000_000) + "s"
  }

  private static func isDigit(_ character: Character) -> Bool { character >= "0" && character <= "9" }

  /// `value / size` in decimal, exactly; `size` is a power of ten.
  private static func decimal(_ value: UInt64, _ size: UInt64) -> String {
    if value % size == 0 { return "\(value / size)" }
    var fraction = "\(size + value % size)".dropFirst()
    while fraction.hasSuffix("0") { fraction = fraction.dropLast() }
    return "\(value / size).\(fraction)"
  }

  private static func nanoseconds(_ digits: Substring, _ fraction: Substring, _ unit: Int64) -> Int64? {
    guard let whole = digits.isEmpty ? 0 : Int64(digits) else { return nil }
    let (scaled, overflow) = whole.multipliedReportingOverflow(by: unit)
    if overflow { return nil }
    var part: Int64 = 0
    var scale = unit
    for digit in fraction.prefix(13) {
      scale /= 10
      part += scale * Int64(digit.wholeNumberValue ?? 0)
      if scale == 0 { break }
    }
    // The units are small multiples of powers of ten, so every digit down to a nanosecond is exact.
    let (sum, sumOverflow) = scaled.addingReportingOverflow(part)
    return sumOverflow ? nil : sum
  }

  private static func unknownUnit(
    _ name: Substring, digits: Substring, text: String
  ) -> Result<Duration, Problem> {
    switch name {
    case "":
      return problem("the unit is missing", help: "write \(text)s for seconds or \(text)ms for milliseconds")
    case "d", "day", "days":
      let hours = Int64(digits).map { $0.multipliedReportingOverflow(by: 24) }
      let help = hours.flatMap { $0.overflow ? nil : "write \($0.partialValue)h" }
      return problem("days are not supported", help: help)
    case "w", "week", "weeks":
      let hours = Int64(digits).map { $0.multipliedReportingOverflow(by: 168) }
      let help = hours.flatMap { $0.overflow ? nil : "write \($0.partialValue)h" }
      return problem("weeks are not supported", help: help)
    case "sec", "secs", "second", "seconds", "S": return problem("the unit is s", help: "write \(digits)s")
    case "min", "mins", "minute", "minutes", "M": return problem("the unit is m", help: "write \(digits)m")
    case "hour", "hours", "hr", "H": return problem("the unit is h", help: "write \(digits)h")
    default:
      if name.contains(" ") { return problem("it must not contain spaces") }
      return problem("\"\(name)\" is not a unit", help: "the units are ns, us, ms, s, m and h")
    }
  }

  private static func problem(_ detail: String, help: String? = nil) -> Result<Duration, Problem> {
    .failure(Problem(detail: detail, help: help))
  }
}
