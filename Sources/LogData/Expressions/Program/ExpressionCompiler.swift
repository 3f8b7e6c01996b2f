internal import ConfigSchema
internal import NativeCodecs
internal import TimeFormats
internal import WireFormat

/// Makes a program of a tree: finds out what names mean, and refuses what can never work.
struct ExpressionCompiler {
  /// A compiled part and what it can be.
  struct Part {
    let node: Int32
    let type: ExpressionType
  }

  var nodes: [ExpressionProgram.Node] = []
  var children: [Int32] = []
  var values: [ExpressionValue] = []
  var constants: [UInt8] = []
  var patterns: [CapturePattern] = []
  var layouts: [TimeLayout] = []
  var zones: [TimeZoneRules] = []
  var variables = 0
  var usesEnvironment = false

  /// The variables of `let` that can be seen, the innermost last.
  var names: [(name: String, slot: Int32, type: ExpressionType)] = []
  /// The predicates around, the innermost last, by the variable of the element; the index and the accumulator
  /// follow it.
  var predicates: [(slot: Int32, function: ExpressionFunction)] = []
  /// The whole text.
  let source: [UInt8]

  private init(_ text: String) { source = Array(text.utf8) }

  static func compile(
    _ text: String, for purpose: Expression.Purpose
  ) throws(ExpressionError) -> ExpressionProgram {
    let syntax = try ExpressionParser.parse(text)
    var compiler = ExpressionCompiler(text)
    let root = try compiler.compile(syntax)
    switch purpose {
    case .value: break
    case .condition: try compiler.require([.bool, .null], root, "a condition", syntax)
    case .string: try compiler.require(.string, root, "the expression", syntax)
    }
    return ExpressionProgram(compiler, root: root.node, source: text)
  }

  // Nodes.

  mutating func emit(
    _ operation: ExpressionProgram.Operation, _ a: Int32 = -1, _ b: Int32 = -1, _ c: Int32 = -1,
    at syntax: ExpressionSyntax, gives type: ExpressionType
  ) -> Part {
    let range = syntax.range
    nodes.append(
      ExpressionProgram.Node(
        operation: operation, a: a, b: b, c: c, start: UInt32(clamping: range.lowerBound),
        end: UInt32(clamping: range.upperBound)))
    return Part(node: Int32(clamping: nodes.count - 1), type: type)
  }

  mutating func constant(
    _ value: ExpressionValue, at syntax: ExpressionSyntax, _ type: ExpressionType
  ) -> Part {
    values.append(value)
    return emit(.constant, Int32(clamping: values.count - 1), at: syntax, gives: type)
  }

  mutating func text(_ text: String) -> ExpressionValue {
    let start = constants.count
    constants.append(contentsOf: text.utf8)
    return .made(.string, start..<constants.count, in: ExpressionValue.Home.program)
  }

  mutating func variable() -> Int32 {
    variables += 1
    return Int32(clamping: variables - 1)
  }

  mutating func place(_ parts: [Int32]) -> Int32 {
    children.append(contentsOf: parts)
    return Int32(clamping: children.count - parts.count)
  }

  func constantValue(_ part: Part) -> ExpressionValue? {
    let node = nodes[Int(part.node)]
    return node.operation == .constant ? values[Int(node.a)] : nil
  }

  func constantText(_ part: Part) -> String? {
    guard let value = constantValue(part), value.kind == .string else { return nil }
    return String(decoding: constants[value.range.range], as: UTF8.self)
  }

  func error(_ reason: String, _ syntax: ExpressionSyntax) -> ExpressionError {
    ExpressionError(reason, at: syntax.range.lowerBound, length: syntax.range.count)
  }

  func require(
    _ type: ExpressionType, _ part: Part, _ what: String, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) {
    guard part.type.overlaps(type) else {
      throw error("\(what) must be \(type.shown), and this is \(part.type.shown)", syntax)
    }
  }

  // Parts.

  mutating func compile(_ syntax: ExpressionSyntax) throws(ExpressionError) -> Part {
    switch syntax.kind {
    case .null: return constant(.null, at: syntax, .null)
    case .bool(let value): return constant(.bool(value), at: syntax, .bool)
    case .int(let value): return constant(.int(value), at: syntax, .int)
    case .double(let value): return constant(.double(value), at: syntax, .double)
    case .string(let value): return constant(text(value), at: syntax, .string)
    case .list(let elements):
      let parts = try compile(elements)
      return emit(.list, -1, place(parts.map(\.node)), Int32(clamping: parts.count), at: syntax, gives: .list)
    case .map(let pairs): return try map(pairs, syntax)
    case .name(let name): return try self.name(name, syntax)
    case .pointer(let name): return try pointer(name, syntax)
    case .not(let operand):
      let part = try compile(operand)
      try require(.bool, part, "the operand of `not`", operand)
      return emit(.not, part.node, at: syntax, gives: .bool)
    case .negative(let operand), .positive(let operand):
      return try sign(operand, syntax)
    case .logic(let isAnd, let operands):
      let parts = try compile(operands)
      for (part, operand) in zip(parts, operands) {
        try require(.bool, part, "an operand of `\(isAnd ? "and" : "or")`", operand)
      }
      let first = place(parts.map(\.node))
      return emit(isAnd ? .and : .or, -1, first, Int32(clamping: parts.count), at: syntax, gives: .bool)
    case .binary(let sign, let left, let right): return try binary(sign, left, right, syntax)
    case .conditional(let condition, let then, let otherwise):
      let part = try compile(condition)
      try require(.bool, part, "the condition", condition)
      let (first, second) = (try compile(then), try compile(otherwise))
      return emit(
        .conditional, part.node, first.node, second.node, at: syntax, gives: first.type.union(second.type))
    case .member(let base, let key, let isOptional): return try member(base, key, isOptional, syntax)
    case .slice(let base, let from, let to): return try slice(base, from, to, syntax)
    case .chain(let inner):
      let part = try compile(inner)
      return emit(.chain, part.node, at: syntax, gives: part.type.union(.null))
    case .call(let name, let arguments): return try call(name, arguments, syntax)
    case .method(let base, let name, let arguments, let isOptional):
      return try method(base, name, arguments, isOptional, syntax)
    case .predicate(let body): return try compile(body)
    case .variable(let name, let value, let body): return try variable(name, value, body, syntax)
    }
  }

  mutating func compile(_ list: [ExpressionSyntax]) throws(ExpressionError) -> [Part] {
    var parts: [Part] = []
    for syntax in list { parts.append(try compile(syntax)) }
    return parts
  }

  private mutating func map(
    _ pairs: [ExpressionSyntax], _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let parts = try compile(pairs)
    for index in stride(from: 0, to: parts.count, by: 2) {
      try require(.string, parts[index], "a key of a map", pairs[index])
    }
    return emit(.map, -1, place(parts.map(\.node)), Int32(clamping: parts.count), at: syntax, gives: .map)
  }

  private mutating func sign(
    _ operand: ExpressionSyntax, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let isNegative = if case .negative = syntax.kind { true } else { false }
    let part = try compile(operand)
    try require(.number, part, "the operand of `\(isNegative ? "-" : "+")`", operand)
    let type = part.type.intersection(.number)
    guard let value = constantValue(part), isNegative else {
      return emit(isNegative ? .negate : .positive, part.node, at: syntax, gives: type)
    }
    return constant(value.kind == .int ? .int(0 &- value.int) : .double(-value.number), at: syntax, type)
  }

  private mutating func variable(
    _ name: String, _ value: ExpressionSyntax, _ body: ExpressionSyntax, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let taken =
      Self.roots[name] != nil || ExpressionFunction(rawValue: name) != nil
      || names.contains { $0.name == name } || ["true", "false", "nil", "$env"].contains(name)
    guard !taken else { throw error("`\(name)` already has a meaning; choose another name", syntax) }
    let bound = try compile(value)
    let slot = variable()
    names.append((name, slot, bound.type))
    let rest = try compile(body)
    names.removeLast()
    return emit(.bind, slot, bound.node, rest.node, at: syntax, gives: rest.type)
  }
}
