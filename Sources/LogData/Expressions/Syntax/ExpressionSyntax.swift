/// The tree that the text of an expression is parsed to.
struct ExpressionSyntax {
  indirect enum Kind {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case list([ExpressionSyntax])
    /// Keys and values in turn.
    case map([ExpressionSyntax])
    case name(String)
    /// `#` (an empty name), `#index`, `#acc`.
    case pointer(String)
    case not(ExpressionSyntax)
    case negative(ExpressionSyntax)
    case positive(ExpressionSyntax)
    /// Several operands of `and`, or several of `or`.
    case logic(isAnd: Bool, [ExpressionSyntax])
    case binary(ExpressionOperator, ExpressionSyntax, ExpressionSyntax)
    case conditional(ExpressionSyntax, then: ExpressionSyntax, otherwise: ExpressionSyntax)
    case member(ExpressionSyntax, key: ExpressionSyntax, isOptional: Bool)
    case slice(ExpressionSyntax, from: ExpressionSyntax?, to: ExpressionSyntax?)
    case call(ExpressionToken, [ExpressionSyntax])
    case method(ExpressionSyntax, name: ExpressionToken, [ExpressionSyntax], isOptional: Bool)
    /// Where the absence that `?.` met becomes nil.
    case chain(ExpressionSyntax)
    case predicate(ExpressionSyntax)
    case variable(String, value: ExpressionSyntax, in: ExpressionSyntax)
  }

  let kind: Kind
  /// Where it is written, in bytes.
  let range: Range<Int>
  /// How many nodes lie on the longest way down, itself counted.
  let height: Int

  var isChain: Bool { if case .chain = kind { true } else { false } }
}

/// Operators between two operands.
enum ExpressionOperator: String {
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case greater = ">"
  case lessOrEqual = "<="
  case greaterOrEqual = ">="
  case isIn = "in"
  case matches
  case contains
  case startsWith
  case endsWith
  case range = ".."
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
  case power = "**"
  case coalesce = "??"

  /// How strongly it binds, as expr-lang has it.
  var precedence: Int {
    switch self {
    case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual: 20
    case .isIn, .matches, .contains, .startsWith, .endsWith: 20
    case .range: 25
    case .add, .subtract: 30
    case .multiply, .divide, .modulo: 60
    case .power: 100
    case .coalesce: 500
    }
  }

  /// Whether several in a row are joined by `and`: `1 < x < 3`.
  var isOrder: Bool { self == .less || self == .greater || self == .lessOrEqual || self == .greaterOrEqual }
  /// Whether `not` may stand before it.
  var isNegatable: Bool {
    switch self {
    case .isIn, .matches, .contains, .startsWith, .endsWith: true
    default: false
    }
  }
}
