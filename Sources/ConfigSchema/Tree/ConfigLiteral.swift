/// A value as data, without positions: defaults in the reference, and rendered configurations.
public indirect enum ConfigLiteral: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case list([ConfigLiteral])
  case map([Entry])

  /// A key with its value.
  public struct Entry: Sendable, Hashable {
    public let key: String
    public let value: ConfigLiteral

    public init(_ key: String, _ value: ConfigLiteral) {
      self.key = key
      self.value = value
    }
  }

  /// Compact JSON; NaN and infinities, which JSON lacks, are written as strings.
  public var json: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .number(let value): value.isFinite ? "\(value)" : "\"\(value)\""
    case .string(let value): JSONText.quoted(value)
    case .list(let elements): "[" + elements.map(\.json).joined(separator: ",") + "]"
    case .map(let entries):
      "{" + entries.map { "\(JSONText.quoted($0.key)):\($0.value.json)" }.joined(separator: ",") + "}"
    }
  }

  /// JSON over several lines, two spaces per level.
  public func prettyJSON(indent: String = "") -> String {
    let inner = indent + "  "
    switch self {
    case .list(let elements) where !elements.isEmpty:
      let lines = elements.map { inner + $0.prettyJSON(indent: inner) }
      return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
    case .map(let entries) where !entries.isEmpty:
      let lines = entries.map { "\(inner)\(JSONText.quoted($0.key)): \($0.value.prettyJSON(indent: inner))" }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    default: return json
    }
  }
}

extension ConfigNode {
  /// The node as data; plain scalars become what YAML reads them as.
  public var literal: ConfigLiteral {
    switch value {
    case .list(let elements): return .list(elements.map(\.literal))
    case .map(let entries): return .map(entries.map { .init($0.key, $0.value.literal) })
    case .scalar(let scalar):
      switch scalar.meaning {
      case .null: return .null
      case .bool(let value): return .bool(value)
      case .integer(let value): return .integer(value)
      case .unsigned(let value): return .unsigned(value)
      case .number(let value): return .number(value)
      case .string: return .string(scalar.text)
      }
    }
  }

  /// A node made from data, for rendering values that no file holds.
  public init(_ literal: ConfigLiteral, origin: Origin) {
    let value: Value
    switch literal {
    case .null: value = .scalar(ConfigScalar("null"))
    case .bool(let bool): value = .scalar(ConfigScalar(bool ? "true" : "false"))
    case .integer(let number): value = .scalar(ConfigScalar("\(number)"))
    case .unsigned(let number): value = .scalar(ConfigScalar("\(number)"))
    case .number(let number): value = .scalar(ConfigScalar(ConfigScalar.yamlText(of: number)))
    case .string(let text): value = .scalar(ConfigScalar(text, style: .quoted))
    case .list(let elements): value = .list(elements.map { ConfigNode($0, origin: origin) })
    case .map(let entries):
      value = .map(
        entries.map { Entry(key: $0.key, keyOrigin: origin, value: ConfigNode($0.value, origin: origin)) })
    }
    self.init(value, origin: origin)
  }
}

extension ConfigScalar {
  /// A floating-point number as YAML writes it.
  static func yamlText(of number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    return "\(number)"
  }
}

/// JSON strings.
enum JSONText {
  /// The text in quotes, with what JSON requires escaped, and what YAML does not take as it is.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if scalar.value < 0x20 || needsEscapeInYAML(scalar) {
          let hex = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }

  /// Whether a scalar behind ASCII's controls breaks lines in YAML 1.1, or is none of its characters (§5.1, §5.4).
  ///
  /// The escapes have four digits, and so end where the planes begin; there YAML takes everything.
  static func needsEscapeInYAML(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
    default: false
    }
  }
}
