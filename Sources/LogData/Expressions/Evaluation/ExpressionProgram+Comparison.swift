internal import NativeCodecs
internal import WireFormat

extension ExpressionProgram {
  func comparison(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Bool {
    let left = try evaluate(node.a, &entry, &frame)
    let right = try evaluate(node.b, &entry, &frame)
    switch node.operation {
    case .equal: return try areEqual(left, right, entry, &frame)
    case .notEqual: return !(try areEqual(left, right, entry, &frame))
    case .less: return try isLess(left, right, "<", node, entry)
    case .greater: return try isLess(right, left, ">", node, entry)
    // Not the opposite of `>`: nothing is less or greater than a float that is not a number.
    case .lessOrEqual:
      if left.isNumber, right.isNumber { return isAtMost(left, right) }
      return !(try isLess(right, left, "<=", node, entry))
    default:
      if left.isNumber, right.isNumber { return isAtMost(right, left) }
      return !(try isLess(left, right, ">=", node, entry))
    }
  }

  /// Whether two values are the same; of different types never, but ints and floats are compared as numbers.
  func areEqual(
    _ left: ExpressionValue, _ right: ExpressionValue, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame, depth: Int = 0
  ) throws(LogOperatorError) -> Bool {
    switch (left.kind, right.kind) {
    case (.string, .string): return text(left, entry).hasSameBytes(as: text(right, entry))
    case (.int, .int), (.bool, .bool), (.time, .time), (.duration, .duration), (.zone, .zone):
      return left.bits == right.bits
    case (.double, .double), (.int, .double), (.double, .int): return left.number == right.number
    case (.null, .null): return true
    case (.list, .list), (.map, .map):
      return try haveEqualElements(left, right, entry, &frame, depth: depth)
    default: return false
    }
  }

  private func haveEqualElements(
    _ left: ExpressionValue, _ right: ExpressionValue, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame, depth: Int
  ) throws(LogOperatorError) -> Bool {
    guard depth < ExpressionFrame.deepest else { throw Self.tooDeep }
    guard try count(of: left, entry, &frame) == count(of: right, entry, &frame) else { return false }
    var first = cursor(of: left, entry)
    var second = cursor(of: right, entry)
    while let one = next(&first, entry, frame), let other = next(&second, entry, frame) {
      try frame.take(work: 10)
      var counterpart = other.value
      if left.kind == .map {
        guard let found = try value(of: one.key, in: right, entry, &frame) else { return false }
        counterpart = found
      }
      guard try areEqual(one.value, counterpart, entry, &frame, depth: depth + 1) else { return false }
    }
    return true
  }

  static let tooDeep = LogOperatorError(
    "the expression looks into a value that is nested more than \(ExpressionFrame.deepest) deep")

  /// Whether one value comes before another of its type: numbers, strings by their bytes, times, durations.
  func isLess(
    _ left: ExpressionValue, _ right: ExpressionValue, _ sign: String, _ node: Node,
    _ entry: borrowing LogEntry
  ) throws(LogOperatorError) -> Bool {
    switch (left.kind, right.kind) {
    case (.int, .int), (.time, .time), (.duration, .duration): return left.int < right.int
    case (.double, .double), (.int, .double), (.double, .int): return left.number < right.number
    case (.string, .string): return text(left, entry).isBefore(text(right, entry))
    default:
      let isTurned = sign == ">" || sign == "<="
      throw isTurned ? fault(sign, right, left, node) : fault(sign, left, right, node)
    }
  }

  private func isAtMost(_ left: ExpressionValue, _ right: ExpressionValue) -> Bool {
    left.kind == .int && right.kind == .int ? left.int <= right.int : left.number <= right.number
  }

  // Text.

  /// Whether a text contains, begins or ends with, or matches something; nil never does.
  func textTest(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Bool {
    let subject = try evaluate(node.a, &entry, &frame)
    if node.operation == .matchesPattern {
      if subject.isNull { return false }
      guard subject.kind == .string else { throw fault("matches", subject, node) }
      try frame.take(work: subject.range.count)
      return patterns[Int(node.b)].matches(text(subject, entry))
    }
    let part = try evaluate(node.b, &entry, &frame)
    if subject.isNull || part.isNull { return false }
    guard subject.kind == .string, part.kind == .string else {
      let sign =
        switch node.operation {
        case .contains: "contains"
        case .startsWith: "startsWith"
        case .endsWith: "endsWith"
        default: "matches"
        }
      throw fault(sign, subject, part, node)
    }
    switch node.operation {
    case .startsWith: return text(subject, entry).begins(with: text(part, entry))
    case .endsWith: return text(subject, entry).ends(with: text(part, entry))
    case .contains:
      try frame.take(work: subject.range.count / 4)
      return text(subject, entry).firstOffset(of: text(part, entry)) != nil
    default:
      // Compiling takes about a microsecond for each byte, whatever the pattern.
      try frame.take(work: 20_000 + part.range.count * 1_000 + subject.range.count)
      let pattern: Pattern
      do { pattern = try Pattern(String(decoding: text(part, entry))) } catch {
        throw fault("the pattern does not compile: \(error)", node)
      }
      return pattern.matches(text(subject, entry))
    }
  }

  // Membership.

  func membership(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Bool {
    let needle = try evaluate(node.a, &entry, &frame)
    if node.operation == .isAmong {
      for position in Int(node.b)..<Int(node.b + node.c)
      where try areEqual(needle, values[position], entry, &frame) {
        return true
      }
      return false
    }
    let whole = try evaluate(node.b, &entry, &frame)
    switch whole.kind {
    case .null: return false
    case .list:
      var cursor = cursor(of: whole, entry)
      while let next = next(&cursor, entry, frame) {
        try frame.take(work: 4)
        if try areEqual(next.value, needle, entry, &frame) { return true }
      }
      return false
    case .map where needle.kind == .string: return try value(of: needle, in: whole, entry, &frame) != nil
    case .map where needle.isNull: return false
    default: throw fault("in", needle, whole, node)
    }
  }
}
