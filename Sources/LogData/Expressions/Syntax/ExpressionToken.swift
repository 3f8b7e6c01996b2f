/// A word of an expression.
struct ExpressionToken {
  enum Kind {
    case end
    /// A number as it is written.
    case number
    /// A literal in quotes; `text` is what it stands for.
    case string
    case name
    /// An operator, a bracket, or a word that is an operator, such as `in`.
    case symbol
  }

  let kind: Kind
  let text: String
  /// Where it stands, in bytes.
  let range: Range<Int>

  func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }

  /// How a message names it.
  var shown: String {
    switch kind {
    case .end: "the end"
    case .string: "a string"
    case .number, .name, .symbol: "`\(text)`"
    }
  }

  /// Words that are operators and so no names.
  static let words: Set<String> = [
    "not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else",
  ]
}
