public import ConfigSchema
public import TelemetryData

/// A value of any type, as YAML reads it: what attributes are set to or compared with.
public struct LiteralValue: ConfigValue, Hashable {
  public let value: AnyValue

  public init(_ value: AnyValue) { self.value = value }

  public static var configType: ConfigType { .any }

  public static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    Self(anyValue(node))
  }

  private static func anyValue(_ node: ConfigNode) -> AnyValue {
    switch node.value {
    case .list(let elements): return .array(elements.map(anyValue))
    case .map(let entries):
      return .keyValueList(Attributes(entries.map { Attribute($0.key, anyValue($0.value)) }))
    case .scalar(let scalar):
      switch scalar.meaning {
      case .null: return .empty
      case .bool(let value): return .bool(value)
      case .integer(let value): return .int(value)
      case .unsigned(let value): return .double(Double(value))
      case .number(let value): return .double(value)
      case .string: return .string(node.text ?? scalar.text)
      }
    }
  }

  public var literal: ConfigLiteral { Self.literal(value) }

  private static func literal(_ value: AnyValue) -> ConfigLiteral {
    switch value {
    case .empty, .encoded: .null
    case .string(let text): .string(text)
    case .bool(let value): .bool(value)
    case .int(let value): .integer(value)
    case .double(let value): .number(value)
    case .bytes(let bytes): .list(bytes.map { .integer(Int64($0)) })
    case .array(let values): .list(values.map(literal))
    case .keyValueList(let attributes):
      .map(attributes.entries.map { ConfigLiteral.Entry($0.key, literal($0.value)) })
    }
  }
}
