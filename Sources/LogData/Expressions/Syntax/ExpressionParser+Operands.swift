extension ExpressionParser {
  /// A value with signs before it and members behind it.
  mutating func operand() throws(ExpressionError) -> ExpressionSyntax {
    let token = current
    if token.kind == .symbol {
      switch token.text {
      case "not", "!":
        advance()
        let value = try operation(50)
        return try node(.not(value), token.range.lowerBound..<value.range.upperBound, over: [value])
      case "-", "+":
        advance()
        let value = try operation(90)
        let range = token.range.lowerBound..<value.range.upperBound
        return try node(token.text == "-" ? .negative(value) : .positive(value), range, over: [value])
      case "(":
        advance()
        let inner = try expression()
        try expect(")", "the bracket `(` is not closed")
        return try members(of: inner)
      case "#", ".":
        return try members(of: pointer())
      case "::":
        advance()
        guard current.kind == .name else { throw unexpected(expected: "the name of a function") }
        return try members(of: call(piped: nil))
      default: break
      }
    }
    return try members(of: primary())
  }

  /// `#`, `#index`, or the `#` that `.name` stands behind.
  private mutating func pointer() throws(ExpressionError) -> ExpressionSyntax {
    let token = current
    guard predicates > 0 else {
      let help =
        token.text == "."
        ? "what does `.` belong to? attributes are written `attributes.name`"
        : "`#` is the element that a predicate looks at, as in `any(list, # > 1)`"
      throw ExpressionError(
        "`\(token.text)` cannot stand outside of a predicate; \(help)", at: token.range.lowerBound,
        length: token.range.count)
    }
    if token.text == "." { return try node(.pointer(""), token.range.lowerBound..<token.range.lowerBound) }
    advance()
    guard current.kind == .name, current.range.lowerBound == token.range.upperBound else {
      return try node(.pointer(""), token.range)
    }
    let name = current
    advance()
    guard name.text == "index" || name.text == "acc" else {
      throw ExpressionError(
        "there is no `#\(name.text)`; in a predicate there are `#`, `#index` and, in `reduce`, `#acc`",
        at: token.range.lowerBound, length: name.range.upperBound - token.range.lowerBound)
    }
    return try node(.pointer(name.text), token.range.lowerBound..<name.range.upperBound)
  }

  private mutating func primary() throws(ExpressionError) -> ExpressionSyntax {
    let token = current
    switch token.kind {
    case .number:
      advance()
      return try node(number(token), token.range)
    case .string:
      advance()
      return try node(.string(token.text), token.range)
    case .name:
      if next.isSymbol("(") { return try call(piped: nil) }
      advance()
      switch token.text {
      case "true", "false": return try node(.bool(token.text == "true"), token.range)
      case "nil": return try node(.null, token.range)
      default: return try node(.name(token.text), token.range)
      }
    case .symbol where token.text == "[": return try list()
    case .symbol where token.text == "{": return try map()
    case .symbol, .end: throw unexpected(expected: "a value")
    }
  }

  private func number(_ token: ExpressionToken) throws(ExpressionError) -> ExpressionSyntax.Kind {
    let text = token.text.filter { $0 != "_" }
    let lower = text.lowercased()
    let radix = ["0x": 16, "0o": 8, "0b": 2][lower.prefix(2)]
    if radix == nil, lower.contains(where: { $0 == "." || $0 == "e" }) {
      // Swift wants digits on both sides of the point.
      var spelled = lower.hasPrefix(".") ? "0\(lower)" : lower
      if let point = spelled.firstIndex(of: ".") {
        let after = spelled.index(after: point)
        if after == spelled.endIndex || spelled[after] == "e" { spelled.insert("0", at: after) }
      }
      guard let value = Double(spelled), value.isFinite else {
        throw wrong(token, "not a number that fits a float")
      }
      return .double(value)
    }
    let digits = radix == nil ? lower : String(lower.dropFirst(2))
    guard let value = Int64(digits, radix: radix ?? 10) else {
      throw wrong(token, digits.isEmpty ? "not a number" : "too large for an int, which has 64 bits")
    }
    return .int(value)
  }

  private func wrong(_ token: ExpressionToken, _ reason: String) -> ExpressionError {
    ExpressionError("`\(token.text)` is \(reason)", at: token.range.lowerBound, length: token.range.count)
  }

  private mutating func list() throws(ExpressionError) -> ExpressionSyntax {
    let start = current.range.lowerBound
    advance()
    var elements: [ExpressionSyntax] = []
    while !current.isSymbol("]") {
      elements.append(try expression())
      if !take(",") { break }
    }
    let end = current.range.upperBound
    try expect("]", "the array that begins with `[` is not closed")
    return try node(.list(elements), start..<end, over: elements)
  }

  private mutating func map() throws(ExpressionError) -> ExpressionSyntax {
    let start = current.range.lowerBound
    advance()
    var parts: [ExpressionSyntax] = []
    while !current.isSymbol("}") {
      let token = current
      switch token.kind {
      case .number, .string, .name:
        advance()
        parts.append(try node(.string(token.text), token.range))
      case .symbol where token.text == "(":
        parts.append(try expression())
      case .symbol where ExpressionToken.words.contains(token.text):
        advance()
        parts.append(try node(.string(token.text), token.range))
      case .symbol, .end:
        throw unexpected(expected: "a key of the map", "it is a name, a string, a number, or in brackets")
      }
      try expect(":", "a map is written `{key: value}`")
      parts.append(try expression())
      if !take(",") { break }
    }
    let end = current.range.upperBound
    try expect("}", "the map that begins with `{` is not closed")
    return try node(.map(parts), start..<end, over: parts)
  }

  /// A call of a function whose name is the current token.
  ///
  /// - Parameter piped: the first argument, when it stands before a `|`.
  mutating func call(piped: ExpressionSyntax?) throws(ExpressionError) -> ExpressionSyntax {
    let name = current
    advance()
    try expect("(", piped == nil ? "" : "behind `|` stands a call: `| \(name.text)()`")
    var arguments = piped.map { [$0] } ?? []
    let predicate = ExpressionFunction(rawValue: name.text)?.predicateArgument
    while !current.isSymbol(")") {
      arguments.append(try arguments.count == predicate ? self.predicate() : expression())
      if !take(",") { break }
    }
    let end = current.range.upperBound
    try expect(")", "the call of `\(name.text)` is not closed")
    let start = min(name.range.lowerBound, piped?.range.lowerBound ?? name.range.lowerBound)
    return try node(.call(name, arguments), start..<end, over: arguments)
  }

  private mutating func predicate() throws(ExpressionError) -> ExpressionSyntax {
    let start = current.range.lowerBound
    let isBraced = take("{")
    predicates += 1
    defer { predicates -= 1 }
    let body = try expression()
    var end = body.range.upperBound
    if isBraced {
      end = current.range.upperBound
      try expect(
        "}",
        current.isSymbol(":") ? "a map as the value of a predicate needs braces twice: `{{key: value}}`" : "")
    }
    return try node(.predicate(body), start..<end, over: [body])
  }

  /// What stands behind a value: `.name`, `?.name`, `[index]`, `[from:to]`, `.method()`.
  mutating func members(of value: ExpressionSyntax) throws(ExpressionError) -> ExpressionSyntax {
    var result = value
    while true {
      let isOptional = current.isSymbol("?.")
      guard isOptional || current.isSymbol(".") || current.isSymbol("[") else { return result }
      let isIndex = !isOptional && current.isSymbol("[") || isOptional && next.isSymbol("[")
      if isOptional || !isIndex { advance() }
      // A chain goes on with every member behind it: in `a?.b.c` also `.c` is skipped when `a` is nil.
      let isChained = isOptional || result.isChain
      if case .chain(let inner) = result.kind { result = inner }
      result = try isIndex ? index(result, isOptional) : member(result, isOptional)
      if isChained { result = try node(.chain(result), result.range, over: [result]) }
    }
  }

  private mutating func member(
    _ base: ExpressionSyntax, _ isOptional: Bool
  ) throws(ExpressionError) -> ExpressionSyntax {
    let name = current
    guard name.kind == .name || (name.kind == .symbol && ExpressionToken.words.contains(name.text)) else {
      throw unexpected(
        expected: "a name behind `.`", "a name with other characters is written `[\"like-this\"]`")
    }
    advance()
    let start = base.range.lowerBound
    guard current.isSymbol("(") else {
      let key = try node(.string(name.text), name.range)
      return try node(
        .member(base, key: key, isOptional: isOptional), start..<name.range.upperBound, over: [base, key])
    }
    advance()
    var arguments: [ExpressionSyntax] = []
    while !current.isSymbol(")") {
      arguments.append(try expression())
      if !take(",") { break }
    }
    let end = current.range.upperBound
    try expect(")", "the call of `\(name.text)` is not closed")
    return try node(
      .method(base, name: name, arguments, isOptional: isOptional), start..<end,
      over: [base] + arguments)
  }

  private mutating func index(
    _ base: ExpressionSyntax, _ isOptional: Bool
  ) throws(ExpressionError) -> ExpressionSyntax {
    advance()
    let start = base.range.lowerBound
    let from = current.isSymbol(":") ? nil : try expression()
    guard take(":") else {
      let end = current.range.upperBound
      try expect("]", "the bracket `[` is not closed")
      guard let from else { throw unexpected(expected: "an index") }
      return try node(
        .member(base, key: from, isOptional: isOptional), start..<end, over: [base, from])
    }
    let to = current.isSymbol("]") ? nil : try expression()
    let end = current.range.upperBound
    try expect("]", "the bracket `[` is not closed")
    let over = [base] + [from, to].compactMap { $0 }
    return try node(.slice(base, from: from, to: to), start..<end, over: over)
  }
}
