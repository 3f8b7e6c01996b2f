/// A single value as it was written, and what YAML reads it as.
///
/// The text is kept untouched, because a string field must see `0123`, `1e3`, `yes` and `1.10` as they stand.
public struct ConfigScalar: Sendable, Hashable {
  /// How the value was written.
  public enum Style: Sendable, Hashable {
    /// Without quotes: may be a number, a boolean or null.
    case plain
    /// Quoted, a block scalar, or tagged `!!str`: always a string.
    case quoted
  }

  /// What a plain text means in YAML 1.2 (core schema), with the octal and binary forms of YAML 1.1.
  public enum Meaning: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Beyond Int64, within UInt64.
    case unsigned(UInt64)
    case number(Double)
    case string
  }

  /// The text, without quotes and with escapes resolved.
  public let text: String
  /// How it was written.
  public let style: Style

  /// A scalar as read from a file, or made by the program.
  public init(_ text: String, style: Style = .plain) {
    self.text = text
    self.style = style
  }

  /// What the scalar means when nothing is known about the field it is for.
  public var meaning: Meaning { style == .quoted ? .string : Self.meaning(ofPlain: text) }

  /// What a text means when it stands without quotes.
  public static func meaning(ofPlain text: String) -> Meaning {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
    case ".nan", ".NaN", ".NAN": return .number(.nan)
    default: break
    }
    guard let first = text.utf8.first, isDigit(first) || "+-.".utf8.contains(first) else { return .string }
    if let integer = integer(text) { return integer }
    if let number = number(text) { return .number(number) }
    return .string
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func integer(_ text: String) -> Meaning? {
    var digits = Substring(text)
    var negative = false
    if digits.hasPrefix("-") || digits.hasPrefix("+") {
      negative = digits.hasPrefix("-")
      digits = digits.dropFirst()
    }
    guard let first = digits.utf8.first, isDigit(first) else { return nil }
    var radix = 10
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
      radix = base
      digits = digits.dropFirst(2)
    }
    if radix == 10, digits.utf8.count > 1, digits.hasPrefix("0"), digits.utf8.allSatisfy({ $0 < 0x38 }) {
      radix = 8
    }
    let plain = String(digits.filter { $0 != "_" })
    guard let magnitude = UInt64(plain, radix: radix), !plain.hasPrefix("+") else { return nil }
    if negative {
      if magnitude <= UInt64(Int64.max) { return .integer(-Int64(magnitude)) }
      return magnitude == UInt64(Int64.max) + 1 ? .integer(.min) : nil
    }
    return magnitude <= UInt64(Int64.max) ? .integer(Int64(magnitude)) : .unsigned(magnitude)
  }

  private static func number(_ text: String) -> Double? {
    for byte in text.utf8 where !isDigit(byte) {
      // Signs, the point, the exponent and YAML's digit separator; no hexadecimal, "inf" or "nan".
      guard byte == 0x2B || byte == 0x2D || byte == 0x2E || byte | 0x20 == 0x65 || byte == 0x5F else {
        return nil
      }
    }
    return Double(text.filter { $0 != "_" })
  }
}
