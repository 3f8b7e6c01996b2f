/// What kind of value a field takes: the source of reference pages, of JSON Schema and of masking.
public indirect enum ConfigType: Sendable {
  case string
  /// A string that is never printed.
  case secret
  case bool
  case integer
  case number
  /// A Go duration such as `1h30m`.
  case duration
  /// A number of bytes, or text such as `20MiB`.
  case byteCount
  /// One of the words.
  case choice([String])
  case list(ConfigType)
  /// Any keys, values of one type.
  case map(ConfigType)
  /// Declared keys.
  case group(GroupDescription)
  /// The keys of one of several groups, which one of the keys selects.
  case variants(VariantsDescription)
  /// Anything.
  case any

  /// A short name for tables and messages.
  public var name: String {
    switch self {
    case .string: "string"
    case .secret: "secret"
    case .bool: "bool"
    case .integer: "int"
    case .number: "float"
    case .duration: "duration"
    case .byteCount: "bytes"
    case .choice(let words): words.joined(separator: " \\| ")
    case .list(let element): "list of \(element.name)"
    case .map(let value): "map to \(value.name)"
    case .group: "section"
    case .variants(let variants): "section by `\(variants.selector)`"
    case .any: "any"
    }
  }

  /// Whether values of this type are masked when printed.
  var isSecret: Bool {
    switch self {
    case .secret: true
    case .list(let inner), .map(let inner): inner.isSecret
    default: false
    }
  }
}

/// The declared fields of a group, with its own type forgotten.
public struct GroupDescription: Sendable {
  /// The Swift type, which tells recursive groups apart.
  let typeName: String
  let describe: @Sendable () -> [FieldDescription]

  /// The fields, those of inlined groups included.
  public var fields: [FieldDescription] { describe() }

  /// Describes a group; the defaults shown are those of `base`.
  public init<Group: ConfigGroup>(_ type: Group.Type, base: Group = Group()) {
    typeName = String(reflecting: type)
    describe = { Group.fields.flatMap { $0.descriptions(base) } }
  }
}

/// What the reference says about one key.
public struct FieldDescription: Sendable {
  /// Whether and how the key is supported.
  public enum Status: Sendable, Equatable {
    case supported
    /// Works, but another key should be used.
    case deprecated(use: String)
    /// Accepted without effect.
    case accepted
    /// Refused.
    case unsupported
  }

  public let name: String
  public let aliases: [String]
  /// One or two sentences of Markdown.
  public let help: String
  public let type: ConfigType
  /// The value used when the key is absent; nil when there is none.
  public let defaultValue: ConfigLiteral?
  public let isRequired: Bool
  public let constraints: [FieldConstraint]
  public let status: Status
}

/// A checked property of a value that reference pages and JSON Schema can state.
public enum FieldConstraint: Sendable, Equatable {
  case nonEmpty
  case minimum(ConfigLiteral)
  case maximum(ConfigLiteral)
  case oneOf([ConfigLiteral])
  case hostPort
  case url

  /// The property in words, for the reference.
  public var text: String {
    switch self {
    case .nonEmpty: "not empty"
    case .minimum(let value): "at least \(value.plainText)"
    case .maximum(let value): "at most \(value.plainText)"
    case .oneOf(let values): "one of " + values.map(\.plainText).joined(separator: ", ")
    case .hostPort: "host:port"
    case .url: "URL"
    }
  }
}

extension ConfigLiteral {
  /// The value as a reader of YAML would write it inline.
  var plainText: String {
    switch self {
    case .string(let text): text
    case .number(let value):
      Int64(exactly: value).map { "\($0)" } ?? ConfigScalar.yamlText(of: value)
    default: json
    }
  }
}
