package import ConfigSchema

/// The settings of one kind of operator, as they stand in the list `operators`.
///
/// A kind is one file with its settings and its operator, and one line in ``OperatorConfig/kinds``.
package protocol OperatorSettings: ConfigGroup {
  /// What `type` is.
  static var type: String { get }
  /// One sentence for the reference.
  static var summary: String { get }
  /// What every operator has; conformers inline it with `.group(\.common)`.
  var common: OperatorKeys { get }
  /// The routes of a `router`, by the numbers of ``LogVerdict/route(_:)``; others have none.
  var routes: [OperatorOutputs] { get }
  /// Steps that follow even when one of them fails, such as the embedded block `timestamp` of a parser.
  func makeBlocks(_ context: OperatorContext) -> [any LogOperator]
  /// The operator; called after all settings were found right.
  func makeOperator(_ context: OperatorContext) -> MadeOperator
}

extension OperatorSettings {
  package var routes: [OperatorOutputs] { [] }
  package func makeBlocks(_ context: OperatorContext) -> [any LogOperator] { [] }
}

/// What operators get from the receiver that runs them.
package struct OperatorContext: Sendable {
  /// What expressions may know besides the entry.
  package var environment: ExpressionEnvironment
  /// A random number, for `drop_ratio`.
  package var random: @Sendable () -> UInt64

  package init(environment: ExpressionEnvironment, random: @escaping @Sendable () -> UInt64) {
    self.environment = environment
    self.random = random
  }
}

/// What becomes of an entry that an operator could not deal with.
package enum OnError: String, ConfigEnum {
  case send, drop
  case sendQuiet = "send_quiet"
  case dropQuiet = "drop_quiet"

  /// Whether the entry goes on.
  package var sends: Bool { self == .send || self == .sendQuiet }
  /// Whether nothing is said about it at level error.
  package var isQuiet: Bool { self == .sendQuiet || self == .dropQuiet }
}

/// The keys that every operator has.
package struct OperatorKeys: ConfigGroup {
  package var id: OperatorName?
  package var output = OperatorOutputs()
  package var condition: ExpressionText?
  package var onError = OnError.send

  package init() {}

  static let idHelp =
    "The name that outputs of other operators and messages call it by; its type when left out, with a number from the second of a type on."

  package static let fields: [Field<Self>] = [
    Field("id", \.id, idHelp),
    Field(
      "output", \.output,
      "The id, or a list of ids, of where entries go next; the next operator when left out."),
    Field(
      "if", \.condition,
      "An expression: entries for which it is false pass unchanged."),
    Field(
      "on_error", \.onError,
      "What becomes of an entry that it cannot deal with: it goes on unchanged or is dropped; the quiet forms do not log it."
    ),
  ]
}

/// The keys that every parser has besides ``OperatorKeys``.
package struct ParserKeys: ConfigGroup {
  package var parseFrom = FieldPath(.body)
  package var parseTo = RootableFieldPath(FieldPath(.attributes))
  package var dropField = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("parse_from", \.parseFrom, "The field that is parsed."),
    Field("parse_to", \.parseTo, "Where what was found is put; a map is merged into what is there."),
    Field("drop_field", \.dropField, "Whether the field that was parsed is taken out of the entry."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    let target = parseTo.path
    guard dropField else { return }
    if parseFrom.keys.isEmpty {
      checker.error(
        \.dropField, "cannot be true when \(parseFrom) is parsed, only for fields within it",
        help: "set \"parse_to: body\" to replace the body")
    } else if target.root == parseFrom.root, target.keys.starts(with: parseFrom.keys) {
      checker.error(
        \.dropField, "cannot be true when \"parse_to\" is the field that is dropped, or within it")
    }
  }
}

/// The name of an operator, with its place.
package struct OperatorName: Sendable, Equatable, ConfigValue {
  package let text: String
  package let origin: Origin

  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, !text.isEmpty else {
      context.mismatch(node, expected: "the id of an operator")
      return nil
    }
    return Self(text: text, origin: node.origin)
  }

  package var literal: ConfigLiteral { .string(text) }
}

/// The ids of operators that entries go to; empty when it is left to the order of the list.
package struct OperatorOutputs: Sendable, Equatable, ConfigValue {
  package var names: [OperatorName] = []

  package init(names: [OperatorName] = []) { self.names = names }

  package static var configType: ConfigType { .list(.string) }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    if node.kind == .scalar {
      return OperatorName.decode(node, base: nil, context: &context).map { Self(names: [$0]) }
    }
    return [OperatorName].decode(node, base: nil, context: &context).map { Self(names: $0) }
  }

  package var literal: ConfigLiteral {
    names.count == 1 ? names[0].literal : .list(names.map(\.literal))
  }
}
