import ConfigSchema
import Testing
import WireFormat

@testable import LogData

/// A receiver's settings, as far as operators go.
struct OperatorSection: ConfigGroup {
  var operators = OperatorList()
  static let fields: [Field<Self>] = [Field("operators", \.operators, "What is done with entries.")]
}

enum Operators {
  /// Decodes a list of operators in YAML, with all that was found.
  static func decode(_ yaml: String) throws -> (OperatorList?, Diagnostics) {
    let (root, loading) = ConfigLoader.load(
      sources: [.text("operators:\n\(yaml)", name: "test.yaml")],
      environment: ConfigEnvironment(variable: { _ in nil }, file: { _ in .failure(.notFound) }))
    var diagnostics = loading
    let node = try #require(root, "\(loading.render())")
    let section = ConfigDecoder.decode(
      OperatorSection.self, from: node, path: "receivers.file_log", diagnostics: &diagnostics)
    return (section?.operators, diagnostics)
  }

  /// The graph of a list without mistakes.
  static func graph(
    _ yaml: String, variables: [String: String] = [:], random: @escaping @Sendable () -> UInt64 = { 0 }
  ) throws -> OperatorGraph {
    let (list, diagnostics) = try decode(yaml)
    let environment = ExpressionEnvironment(variables: variables, now: { 0 })
    return OperatorGraph(
      try #require(list, "\(diagnostics.render())"), OperatorContext(environment: environment, random: random)
    )
  }
}

extension LogEntry {
  /// The text of a range.
  func string(_ range: WireRange) -> String { String(decoding: arena[range.range], as: UTF8.self) }

  /// A value as JSON, with bytes as text, for comparing.
  func json(_ value: LogValue) -> String { literal(value).json }

  /// The attributes as JSON.
  var attributesJSON: String { json(value(at: FieldPath(.attributes)) ?? .null) }

  /// A value as data.
  func literal(_ value: LogValue) -> ConfigLiteral {
    switch value.kind {
    case .null: return .null
    case .string, .bytes: return .string(string(value.range))
    case .bool: return .bool(value.bool)
    case .int: return .integer(value.int)
    case .double: return .number(value.double)
    case .list:
      var elements: [ConfigLiteral] = []
      if let chain = value.chain { forEach(in: chain) { _, value in elements.append(literal(value)) } }
      return .list(elements)
    case .map:
      var entries: [ConfigLiteral.Entry] = []
      if let chain = value.chain {
        forEach(in: chain) { key, value in entries.append(.init(string(key), literal(value))) }
      }
      return .map(entries)
    }
  }

  /// An entry with `body`, `attributes` and `resource` as they stand in YAML or JSON.
  init(_ yaml: String) throws {
    self.init()
    let (root, diagnostics) = ConfigLoader.load(
      sources: [.text(yaml.replacing("$", with: "$$"), name: "entry.yaml")],
      environment: ConfigEnvironment(variable: { _ in nil }, file: { _ in .failure(.notFound) }))
    for part in try #require(root, "\(diagnostics.render())").entries {
      let root = try #require(FieldPath.Root(rawValue: part.key))
      let value = value(of: part.value.literal)
      try set(value, at: FieldPath(root))
    }
  }

  /// Body, attributes and resource as JSON.
  var summary: String {
    let parts = [
      ("body", body), ("attributes", value(at: FieldPath(.attributes)) ?? .null),
      ("resource", value(at: FieldPath(.resource)) ?? .null),
    ]
    return ConfigLiteral.map(parts.map { .init($0.0, literal($0.1)) }).json
  }
}
