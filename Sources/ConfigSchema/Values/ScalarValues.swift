extension String: ConfigValue {
  public static var configType: ConfigType { .string }

  /// Takes any single value with its text as written: `0123`, `yes` and `1.10` stay as they are.
  public static func decode(_ node: ConfigNode, base: String?, context: inout ConfigContext) -> String? {
    guard let text = node.text else {
      context.mismatch(node, expected: "text")
      return nil
    }
    return text
  }

  public var literal: ConfigLiteral { .string(self) }
}

extension Bool: ConfigValue {
  public static var configType: ConfigType { .bool }

  public static func decode(_ node: ConfigNode, base: Bool?, context: inout ConfigContext) -> Bool? {
    guard let scalar = node.scalar else {
      context.mismatch(node, expected: "true or false")
      return nil
    }
    if case .bool(let value) = node.meaning { return value }
    if node.isEmptyExpansion { return base ?? false }
    let help: String? =
      switch scalar.text.lowercased() {
      case "yes", "on", "y": "write true"
      case "no", "off", "n": "write false"
      case "true", "false": "remove the quotes"
      default: nil
      }
    context.mismatch(node, expected: "true or false", help: help)
    return nil
  }

  public var literal: ConfigLiteral { .bool(self) }
}

extension Double: ConfigValue {
  public static var configType: ConfigType { .number }

  public static func decode(_ node: ConfigNode, base: Double?, context: inout ConfigContext) -> Double? {
    switch node.meaning {
    case .number(let value): return value
    case .integer(let value): return Double(value)
    case .unsigned(let value): return Double(value)
    default: break
    }
    if node.isEmptyExpansion { return base ?? 0 }
    context.mismatch(node, expected: "a number such as 0.5", help: node.quotesHelp)
    return nil
  }

  public var literal: ConfigLiteral { .number(self) }
}

extension ConfigValue where Self: FixedWidthInteger {
  public static var configType: ConfigType { .integer }

  public static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    var value: Self?
    switch node.meaning {
    case .integer(let integer): value = Self(exactly: integer)
    case .unsigned(let integer): value = Self(exactly: integer)
    case .number(let number):
      value = Self(exactly: number)
      if value == nil, number.isFinite, number != number.rounded() {
        context.mismatch(node, expected: "a whole number such as 10")
        return nil
      }
    default:
      if node.isEmptyExpansion { return base ?? 0 }
      context.mismatch(node, expected: "a whole number such as 10", help: node.quotesHelp)
      return nil
    }
    guard let value else {
      context.mismatch(
        node, expected: "a whole number from \(Self.min) to \(Self.max)",
        detail: "the number is out of range")
      return nil
    }
    if let text = node.text, text.utf8.count > 1, text.hasPrefix("0"), text.utf8.allSatisfy({ $0 < 0x3A }) {
      context.report(
        .warning, "octal-number", "\(text) is read as an octal number, \(value)", at: node.origin,
        help: "remove the leading zero, or write 0o in front")
    }
    return value
  }

  public var literal: ConfigLiteral {
    Int64(exactly: self).map { .integer($0) } ?? .unsigned(UInt64(truncatingIfNeeded: self))
  }
}

extension Int: ConfigValue {}
extension Int8: ConfigValue {}
extension Int16: ConfigValue {}
extension Int32: ConfigValue {}
extension Int64: ConfigValue {}
extension UInt: ConfigValue {}
extension UInt8: ConfigValue {}
extension UInt16: ConfigValue {}
extension UInt32: ConfigValue {}
extension UInt64: ConfigValue {}

extension ConfigNode: ConfigValue {
  public static var configType: ConfigType { .any }

  /// Keeps the node as it is, null included.
  public static func decode(
    _ node: ConfigNode, base: ConfigNode?, context: inout ConfigContext
  ) -> ConfigNode? {
    node
  }

  public static var acceptsNull: Bool { true }
}

extension ConfigNode {
  /// What a single value means; maps and lists count as strings, which no number or boolean field accepts.
  var meaning: ConfigScalar.Meaning { scalar?.meaning ?? .string }

  /// Whether a reference stood for nothing, as an unset variable does.
  var isEmptyExpansion: Bool { expansion != nil && isNull }

  /// Advice for numbers in quotes.
  var quotesHelp: String? {
    guard let scalar, scalar.style == .quoted else { return nil }
    switch ConfigScalar.meaning(ofPlain: scalar.text) {
    case .integer, .unsigned, .number: return "remove the quotes"
    default: return nil
    }
  }
}
