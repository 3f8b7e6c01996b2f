package import ConfigSchema
internal import WireFormat

/// A condition of the configuration; its mistakes are shown where they are.
package struct ExpressionText: Sendable, ConfigValue {
  package let expression: Expression

  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: "an expression such as body matches \"^ERROR\"")
      return nil
    }
    return context.expression(text, in: node, for: .condition).map { Self(expression: $0) }
  }

  package var literal: ConfigLiteral { .string(expression.text) }
}

extension ConfigContext {
  /// Compiles an expression that is a part of a scalar's text, or reports why not.
  ///
  /// - Parameter start: where it begins in the text, in bytes.
  mutating func expression(
    _ text: String, in node: ConfigNode, from start: Int = 0, for purpose: Expression.Purpose = .value
  ) -> Expression? {
    do {
      return try Expression(text, for: purpose)
    } catch {
      let first = start + error.offset
      report(
        .error, "invalid-expression", "in the expression: \(error.reason)",
        at: node.origin(ofBytes: first..<(first + error.length)))
      return nil
    }
  }
}

/// A value of any type that is written out, or computed for each entry: `EXPR(attributes.first + attributes.second)`.
package enum ValueOrExpression: Sendable, ConfigValue {
  case constant(ConfigLiteral)
  case computed(Expression)

  package static var configType: ConfigType { .any }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, node.scalar != nil, text.hasPrefix("EXPR("), text.hasSuffix(")") else {
      return .constant(node.expansion.map { _ in node.literal } ?? node.literal)
    }
    let inner = String(text.dropFirst(5).dropLast())
    return context.expression(inner, in: node, from: 5).map { .computed($0) }
  }

  package var literal: ConfigLiteral {
    switch self {
    case .constant(let value): value
    case .computed(let expression): .string("EXPR(\(expression.text))")
    }
  }

  /// The value for an entry, in its arena.
  package func value(
    for entry: inout LogEntry, _ environment: ExpressionEnvironment
  ) throws(LogOperatorError) -> LogValue {
    switch self {
    case .constant(let literal): entry.value(of: literal)
    case .computed(let expression): try expression.evaluate(&entry, environment)
    }
  }
}

/// A text with expressions in it, as the values of a receiver's `attributes` and `resource` are: `host-EXPR(env("HOST"))`.
///
/// An expression reaches from `EXPR(` to the last closing parenthesis before the next `EXPR(`.
package struct TextWithExpressions: Sendable, ConfigValue {
  package enum Part: Sendable {
    case text(String)
    case computed(Expression)
  }

  package let parts: [Part]
  private let text: String

  package static var configType: ConfigType { .string }

  /// The text when there is no expression in it, so that it is the same for all entries.
  package var constant: String? {
    parts.contains { if case .computed = $0 { true } else { false } } ? nil : text
  }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: "text")
      return nil
    }
    let start = "EXPR("
    var parts: [Part] = []
    var rest = text[...]
    var isRight = true
    while let opening = rest.firstRange(of: start) {
      let following = rest[opening.upperBound...]
      let bound = following.firstRange(of: start)?.lowerBound ?? rest.endIndex
      guard let closing = rest[opening.upperBound..<bound].lastIndex(of: ")") else { break }
      if opening.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<opening.lowerBound]))) }
      let offset = text.utf8.distance(from: text.startIndex, to: opening.upperBound)
      let inner = String(rest[opening.upperBound..<closing])
      if let expression = context.expression(inner, in: node, from: offset, for: .string) {
        parts.append(.computed(expression))
      } else {
        isRight = false
      }
      rest = rest[rest.index(after: closing)...]
    }
    if !rest.isEmpty { parts.append(.text(String(rest))) }
    return isRight ? Self(parts: parts, text: text) : nil
  }

  package var literal: ConfigLiteral { .string(text) }

  /// The text for an entry, in its arena.
  ///
  /// - Throws: when an expression fails, or gives something else than a string.
  package func value(
    for entry: inout LogEntry, _ environment: ExpressionEnvironment
  ) throws(LogOperatorError) -> LogValue {
    if parts.count == 1, case .text(let text) = parts[0] { return entry.string(text) }
    var pieces: [WireRange] = []
    for part in parts {
      switch part {
      case .text(let text): pieces.append(entry.add(text))
      case .computed(let expression):
        let value = try expression.evaluate(&entry, environment)
        guard value.isText else {
          throw LogOperatorError("the expression gives \(value.kind.noun), not a string")
        }
        pieces.append(entry.wellFormed(value.range))
      }
    }
    return .string(entry.join(pieces))
  }
}
