/// Builds the tree of an expression: what binds how strongly.
///
/// Depth and size are bounded, so that no text can exhaust the stack here or when it is evaluated.
struct ExpressionParser {
  /// The longest text, in bytes.
  static let longest = 256 << 10
  /// The most nodes of a tree.
  static let mostNodes = 10_000
  /// The deepest nesting.
  static let deepest = 200

  private let tokens: [ExpressionToken]
  private var position = 0
  private var depth = 0
  private var nodes = 0
  /// How many predicates are around the current token: where `#` means something.
  var predicates = 0

  private init(_ text: String) throws(ExpressionError) {
    tokens = try ExpressionLexer.tokens(of: text)
  }

  static func parse(_ text: String) throws(ExpressionError) -> ExpressionSyntax {
    let length = text.utf8.count
    guard length <= longest else {
      throw ExpressionError(
        "the expression is longer than \(longest >> 10) KiB", at: longest, length: length - longest)
    }
    var parser = try ExpressionParser(text)
    guard parser.current.kind != .end else { throw ExpressionError("the expression is empty", at: 0) }
    let result = try parser.expression()
    guard parser.current.kind == .end else { throw parser.unexpected() }
    return result
  }

  // Tokens.

  var current: ExpressionToken { tokens[position] }
  var next: ExpressionToken { tokens[min(position + 1, tokens.count - 1)] }

  mutating func advance() { if position + 1 < tokens.count { position += 1 } }

  mutating func take(_ symbol: String) -> Bool {
    guard current.isSymbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func expect(_ symbol: String, _ reason: String = "") throws(ExpressionError) {
    if take(symbol) { return }
    throw unexpected(expected: "`\(symbol)`", reason)
  }

  func unexpected(expected: String = "", _ reason: String = "") -> ExpressionError {
    let token = current
    var text =
      expected.isEmpty ? "\(token.shown) cannot stand here" : "expected \(expected), found \(token.shown)"
    if reason.isEmpty {
      switch token.text {
      case "=" where token.kind == .symbol: text += "; to compare write `==`"
      case _ where token.kind == .number && token.text.hasPrefix("."):
        text += "; an element of an array is written `[1]`"
      case "AND", "OR", "NOT", "IN": text += "; operators are written in small letters"
      default: break
      }
    } else {
      text += "; \(reason)"
    }
    return ExpressionError(text, at: token.range.lowerBound, length: token.range.count)
  }

  // Nodes.

  mutating func node(
    _ kind: ExpressionSyntax.Kind, _ range: Range<Int>, over children: [ExpressionSyntax] = []
  ) throws(ExpressionError) -> ExpressionSyntax {
    nodes += 1
    guard nodes <= Self.mostNodes else {
      throw ExpressionError("the expression has more than \(Self.mostNodes) parts", at: range.lowerBound)
    }
    let height = (children.lazy.map(\.height).max() ?? 0) + 1
    guard height <= Self.deepest else { throw tooDeep(at: range.lowerBound) }
    return ExpressionSyntax(kind: kind, range: range, height: height)
  }

  private func tooDeep(at offset: Int) -> ExpressionError {
    ExpressionError("the expression is nested more than \(Self.deepest) deep", at: offset)
  }

  /// To be called, with ``leave()``, wherever the parser enters itself again without bound.
  mutating func enter() throws(ExpressionError) {
    depth += 1
    guard depth <= Self.deepest else { throw tooDeep(at: current.range.lowerBound) }
  }

  mutating func leave() { depth -= 1 }

  // Expressions.

  /// What stands between brackets, commas and the like.
  mutating func expression() throws(ExpressionError) -> ExpressionSyntax {
    try enter()
    defer { leave() }
    if current.isSymbol("let") { return try variable() }
    if current.isSymbol("if") { return try conditional() }
    var result = try disjunction()
    // `a | f(b)` is `f(a, b)`, and binds weakest.
    while take("|") {
      guard current.kind == .name else { throw unexpected(expected: "the name of a function behind `|`") }
      let call = try call(piped: result)
      result = try members(of: call)
    }
    while take("?") {
      let isShort = current.isSymbol(":")
      let then = isShort ? result : try expression()
      try expect(":", "a condition is written `condition ? value : other`")
      let otherwise = try expression()
      let range = result.range.lowerBound..<otherwise.range.upperBound
      result = try node(
        .conditional(result, then: then, otherwise: otherwise), range, over: [result, then, otherwise])
    }
    return result
  }

  private mutating func variable() throws(ExpressionError) -> ExpressionSyntax {
    let start = current.range.lowerBound
    advance()
    let name = current
    guard name.kind == .name else { throw unexpected(expected: "the name of the variable") }
    advance()
    try expect("=")
    let value = try expression()
    try expect(";", "a variable is written `let name = value; …`")
    let body = try expression()
    return try node(
      .variable(name.text, value: value, in: body), start..<body.range.upperBound, over: [value, body])
  }

  private mutating func conditional() throws(ExpressionError) -> ExpressionSyntax {
    let start = current.range.lowerBound
    advance()
    let condition = try expression()
    try expect("{")
    let then = try expression()
    try expect("}")
    guard take("else") else { throw unexpected(expected: "`else`", "a condition needs both values") }
    let otherwise: ExpressionSyntax
    if current.isSymbol("if") {
      otherwise = try expression()
    } else {
      try expect("{")
      otherwise = try expression()
      try expect("}")
    }
    return try node(
      .conditional(condition, then: then, otherwise: otherwise), start..<otherwise.range.upperBound,
      over: [condition, then, otherwise])
  }

  // Operands of `or` and of `and` are gathered, so that a long row of them is not deep.

  private mutating func disjunction() throws(ExpressionError) -> ExpressionSyntax {
    var operands = [try conjunction()]
    while current.isSymbol("or") || current.isSymbol("||") {
      advance()
      operands.append(try conjunction())
    }
    return try logic(isAnd: false, operands)
  }

  private mutating func conjunction() throws(ExpressionError) -> ExpressionSyntax {
    var operands = [try operation(16)]
    while current.isSymbol("and") || current.isSymbol("&&") {
      advance()
      operands.append(try operation(16))
    }
    return try logic(isAnd: true, operands)
  }

  private mutating func logic(
    isAnd: Bool, _ operands: [ExpressionSyntax]
  ) throws(ExpressionError) -> ExpressionSyntax {
    guard operands.count > 1 else { return operands[0] }
    let range = operands[0].range.lowerBound..<operands[operands.count - 1].range.upperBound
    return try node(.logic(isAnd: isAnd, operands), range, over: operands)
  }

  private var binaryOperator: ExpressionOperator? {
    guard current.kind == .symbol else { return nil }
    return current.text == "^" ? .power : ExpressionOperator(rawValue: current.text)
  }

  /// An operand and the operators behind it that bind at least as strongly.
  mutating func operation(_ precedence: Int) throws(ExpressionError) -> ExpressionSyntax {
    try enter()
    defer { leave() }
    var left = try operand()
    var isCoalesced = false
    while true {
      let token = current
      var isNegated = false
      if token.isSymbol("not") {
        guard let after = ExpressionOperator(rawValue: next.text), next.kind == .symbol, after.isNegatable
        else {
          throw unexpected(
            expected: "an operator", "`not` stands before a value or before `in`, `matches`, …")
        }
        guard after.precedence >= precedence else { return left }
        advance()
        isNegated = true
      }
      guard let operation = binaryOperator, operation.precedence >= precedence else { return left }
      guard !isCoalesced || operation == .coalesce else {
        throw ExpressionError(
          "`\(current.text)` and `??` need brackets to say which comes first", at: current.range.lowerBound,
          length: current.range.count)
      }
      advance()
      isCoalesced = operation == .coalesce
      if operation.isOrder {
        left = try comparisons(left, operation)
        continue
      }
      let right = try self.operation(operation.precedence + (operation == .power ? 0 : 1))
      let range = left.range.lowerBound..<right.range.upperBound
      left = try node(.binary(operation, left, right), range, over: [left, right])
      if isNegated { left = try node(.not(left), range, over: [left]) }
    }
  }

  /// `a < b < c` is `a < b and b < c`.
  private mutating func comparisons(
    _ first: ExpressionSyntax, _ operation: ExpressionOperator
  ) throws(ExpressionError) -> ExpressionSyntax {
    var parts: [ExpressionSyntax] = []
    var left = first
    var operation = operation
    while true {
      let right = try self.operation(operation.precedence + 1)
      let range = left.range.lowerBound..<right.range.upperBound
      parts.append(try node(.binary(operation, left, right), range, over: [left, right]))
      guard let following = binaryOperator, following.isOrder else { break }
      advance()
      (left, operation) = (right, following)
    }
    return try logic(isAnd: true, parts)
  }
}
