@testable import LogData

/// Writes the tree of an expression as a text that is parsed to the same tree again: with brackets around
/// every part.
enum ExpressionPrinter {
  static func text(_ syntax: ExpressionSyntax) -> String {
    switch syntax.kind {
    case .null: "nil"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let value): quoted(value)
    case .list(let elements): "[" + list(elements) + "]"
    case .map(let pairs): "{" + map(pairs) + "}"
    case .name(let name): name
    case .pointer(let name): "#\(name)"
    case .not(let operand): "(not \(text(operand)))"
    case .negative(let operand): "(-\(text(operand)))"
    case .positive(let operand): "(+\(text(operand)))"
    case .logic(let isAnd, let operands):
      "(" + operands.map(text).joined(separator: isAnd ? " and " : " or ") + ")"
    case .binary(let sign, let left, let right): "(\(text(left)) \(sign.rawValue) \(text(right)))"
    case .conditional(let condition, let then, let otherwise):
      "(\(text(condition)) ? \(text(then)) : \(text(otherwise)))"
    case .member(let base, let key, let isOptional):
      "\(self.base(base))\(isOptional ? "?." : "")" + member(key, isOptional)
    case .slice(let base, let from, let to):
      "\(self.base(base))[\(from.map(text) ?? ""):\(to.map(text) ?? "")]"
    case .call(let name, let arguments): "\(name.text)(\(list(arguments)))"
    case .method(let base, let name, let arguments, let isOptional):
      "\(self.base(base))\(isOptional ? "?." : ".")\(name.text)(\(list(arguments)))"
    case .chain(let inner): text(inner)
    case .predicate(let body): "{\(text(body))}"
    case .variable(let name, let value, let body): "(let \(name) = \(text(value)); \(text(body)))"
    }
  }

  private static func list(_ elements: [ExpressionSyntax]) -> String {
    elements.map(text).joined(separator: ", ")
  }

  private static func map(_ parts: [ExpressionSyntax]) -> String {
    stride(from: 0, to: parts.count, by: 2).map { index in
      let key = parts[index]
      let shown = if case .string(let name) = key.kind { quoted(name) } else { "(\(text(key)))" }
      return "\(shown): \(text(parts[index + 1]))"
    }.joined(separator: ", ")
  }

  private static func base(_ syntax: ExpressionSyntax) -> String {
    switch syntax.kind {
    case .name, .pointer, .member, .call, .list, .map, .string, .method, .slice, .chain: text(syntax)
    default: "(\(text(syntax)))"
    }
  }

  private static func member(_ key: ExpressionSyntax, _ isOptional: Bool) -> String {
    guard case .string(let name) = key.kind, let first = name.utf8.first,
      name.utf8.allSatisfy({ $0 == UInt8(ascii: "_") || isLetter($0) || ($0 >= 0x30 && $0 <= 0x39) }),
      isLetter(first)
    else { return "[\(text(key))]" }
    return isOptional ? name : ".\(name)"
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
