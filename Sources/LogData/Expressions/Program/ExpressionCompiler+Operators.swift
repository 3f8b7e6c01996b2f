internal import NativeCodecs

extension ExpressionCompiler {
  mutating func binary(
    _ sign: ExpressionOperator, _ left: ExpressionSyntax, _ right: ExpressionSyntax,
    _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let first = try compile(left)
    if sign == .matches, case .string(let pattern) = right.kind {
      try check(sign, first, Part(node: -1, type: .string), syntax)
      return try matches(first, pattern, right, syntax)
    }
    if sign == .isIn, let among = try isAmong(first, right, syntax) { return among }
    let second = try compile(right)
    let type = try check(sign, first, second, syntax)
    return emit(Self.operation(of: sign), first.node, second.node, at: syntax, gives: type)
  }

  @discardableResult
  private func check(
    _ sign: ExpressionOperator, _ left: Part, _ right: Part, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> ExpressionType {
    if let type = sign.result(left.type, right.type) { return type }
    var reason = "`\(sign.rawValue)` does not take \(left.type.shown) and \(right.type.shown)"
    switch sign {
    case .equal, .notEqual:
      reason = "\(left.type.shown) and \(right.type.shown) are never equal"
    case .add where left.type == .string || right.type == .string: reason += "; `string(…)` makes a string"
    case .isIn where right.type == .string: reason += "; to look for a text in another write `contains`"
    default: break
    }
    throw error(reason, syntax)
  }

  private static func operation(of sign: ExpressionOperator) -> ExpressionProgram.Operation {
    switch sign {
    case .equal: .equal
    case .notEqual: .notEqual
    case .less: .less
    case .greater: .greater
    case .lessOrEqual: .lessOrEqual
    case .greaterOrEqual: .greaterOrEqual
    case .isIn: .isIn
    case .matches: .matches
    case .contains: .contains
    case .startsWith: .startsWith
    case .endsWith: .endsWith
    case .range: .range
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .modulo: .modulo
    case .power: .power
    case .coalesce: .coalesce
    }
  }

  // Patterns.

  private mutating func matches(
    _ subject: Part, _ pattern: String, _ literal: ExpressionSyntax, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part {
    let compiled: Pattern
    do { compiled = try Pattern(pattern) } catch {
      let written = ExpressionLiteral(source[literal.range])
      let start = written.offset(ofDecoded: error.offset)
      let end = written.offset(ofDecoded: error.offset + error.part.utf8.count)
      let part = error.part.isEmpty ? "" : ": `\(error.part)`"
      throw ExpressionError(
        "the pattern does not compile: \(error.reason)\(part)", at: start, length: end - start)
    }
    // A pattern without anything special is a look for a text, which costs a tenth.
    if let plain = PlainPattern(pattern) {
      let text = constant(text(plain.text), at: literal, .string)
      let operation: ExpressionProgram.Operation =
        switch (plain.isAtStart, plain.isAtEnd) {
        case (true, true): .equal
        case (true, false): .startsWith
        case (false, true): .endsWith
        case (false, false): .contains
        }
      // `==` takes every value, a match only text and nil.
      if operation != .equal || subject.type.isSubset(of: [.string, .null]) {
        return emit(operation, subject.node, text.node, at: syntax, gives: .bool)
      }
    }
    patterns.append(CapturePattern(compiled, asking: .existence))
    return emit(.matchesPattern, subject.node, Int32(clamping: patterns.count - 1), at: syntax, gives: .bool)
  }

  // Membership.

  /// `x in [1, 2]` with constants only, which needs no array.
  private mutating func isAmong(
    _ needle: Part, _ list: ExpressionSyntax, _ syntax: ExpressionSyntax
  ) throws(ExpressionError) -> Part? {
    guard case .list(let elements) = list.kind, !elements.isEmpty, elements.allSatisfy(\.isConstant) else {
      return nil
    }
    let parts = try compile(elements)
    let first = values.count
    for (part, element) in zip(parts, elements) {
      guard let value = constantValue(part) else { return nil }
      guard ExpressionOperator.equal.result(needle.type, part.type) != nil else {
        throw error("\(needle.type.shown) is never equal to this, which is \(part.type.shown)", element)
      }
      values.append(value)
    }
    return emit(
      .isAmong, needle.node, Int32(clamping: first), Int32(clamping: elements.count), at: syntax, gives: .bool
    )
  }
}

extension ExpressionSyntax {
  /// Whether it is a constant of one value.
  var isConstant: Bool {
    switch kind {
    case .null, .bool, .int, .double, .string: true
    case .negative(let operand): operand.isNumber
    default: false
    }
  }

  private var isNumber: Bool {
    switch kind {
    case .int, .double: true
    default: false
    }
  }
}

/// A pattern that is only a text, perhaps with `^` before and `$` behind it.
struct PlainPattern {
  let text: String
  let isAtStart: Bool
  let isAtEnd: Bool

  init?(_ pattern: String) {
    var bytes = Array(pattern.utf8)[...]
    isAtStart = bytes.first == UInt8(ascii: "^")
    if isAtStart { bytes.removeFirst() }
    var plain: [UInt8] = []
    var isAtEnd = false
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "$") where bytes.isEmpty: isAtEnd = true
      case UInt8(ascii: "\\"):
        // Behind a backslash a mark stands for itself; letters and digits have a meaning.
        guard let next = bytes.popFirst(), Self.marks.contains(next) else { return nil }
        plain.append(next)
      case _ where Self.marks.contains(byte): return nil
      default: plain.append(byte)
      }
    }
    guard !plain.isEmpty else { return nil }
    text = String(decoding: plain, as: UTF8.self)
    self.isAtEnd = isAtEnd
  }

  private static let marks = Set("\\.+*?()|[]{}^$".utf8)
}
