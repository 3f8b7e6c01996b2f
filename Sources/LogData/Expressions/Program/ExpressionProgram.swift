internal import NativeCodecs
internal import TimeFormats
internal import WireFormat

/// A compiled expression: nodes in one array that refer to each other by position.
struct ExpressionProgram: Sendable {
  enum Operation: UInt8, Sendable {
    /// a: a value of the table.
    case constant
    case body, attributes, resource, timestamp, severity, severityText
    /// a: one of the roots above, by raw value; b: the first key among the values; c: how many keys.
    case path
    /// a: the number of a variable.
    case variable
    /// a: operand.
    case not, negate, positive
    /// b: first operand among the children; c: how many.
    case and, or
    /// a: condition; b, c: values.
    case conditional
    /// a, b: operands.
    case coalesce, equal, notEqual, less, greater, lessOrEqual, greaterOrEqual
    case add, subtract, multiply, divide, modulo, power, range
    case contains, startsWith, endsWith, matches
    case isIn
    /// a: text; b: the pattern.
    case matchesPattern
    /// a: operand; b: first constant among the values; c: how many.
    case isAmong
    /// b: first part among the children; c: how many.
    case list, map
    /// a: base; b: key; c: 1 when it is behind `?.`.
    case member
    /// a: base; b, c: bounds, -1 when they are left out.
    case slice
    /// a: operand.
    case chain
    /// a: the number of the variable; b: its value; c: the rest.
    case bind
    /// a: the function; b: first argument among the children; c: how many.
    case call
    /// a: the function; b: first of the children: array, variable of the element, size of the predicate,
    /// predicate (-1 when there is none), and more arguments; c: how many arguments are behind these four.
    case loop
    /// a: text; b: first of the children: the first layout, how many of them are tried, the zone or -1.
    case date
    /// a: time; b: the layout; c: 1 when it is behind `?.`.
    case format
    /// a: the method; b: first of the children: base, then arguments; c: how many arguments, and 1,000 more
    /// behind `?.`.
    case method
  }

  struct Node: Sendable {
    var operation: Operation
    var a: Int32 = -1
    var b: Int32 = -1
    var c: Int32 = -1
    /// Where it is written.
    var start: UInt32
    var end: UInt32
  }

  let nodes: [Node]
  let children: [Int32]
  let values: [ExpressionValue]
  /// The bytes of constant texts.
  let constants: [UInt8]
  let patterns: [CapturePattern]
  let layouts: [TimeLayout]
  let zones: [TimeZoneRules]
  let root: Int32
  let variables: Int
  let usesEnvironment: Bool
  private let source: String

  init(_ compiler: consuming ExpressionCompiler, root: Int32, source: String) {
    nodes = compiler.nodes
    children = compiler.children
    values = compiler.values
    constants = compiler.constants
    patterns = compiler.patterns
    layouts = compiler.layouts
    zones = compiler.zones
    variables = compiler.variables
    usesEnvironment = compiler.usesEnvironment
    self.root = root
    self.source = source
  }

  /// The text of a string.
  @_lifetime(borrow self, borrow entry)
  func text(_ value: ExpressionValue, _ entry: borrowing LogEntry) -> Span<UInt8> {
    if value.extra == ExpressionValue.Home.program { return constants.span.extracting(value.range.range) }
    return entry.text(value.range)
  }

  // Errors.

  /// An error of a node: what is wrong, and in which part of the expression.
  @inline(never)
  func fault(_ reason: String, _ node: Node) -> LogOperatorError {
    let bytes = Array(source.utf8)[Int(node.start)..<Int(node.end)]
    // A long part would hide the reason.
    let shown = bytes.count <= 80 ? bytes : bytes.prefix(77)
    let part = String(decoding: shown, as: UTF8.self) + (bytes.count <= 80 ? "" : "…")
    return LogOperatorError("\(reason) in `\(part)`")
  }

  @inline(never)
  func fault(
    _ sign: String, _ left: ExpressionValue, _ right: ExpressionValue, _ node: Node
  ) -> LogOperatorError {
    fault("`\(sign)` does not take \(left.type) and \(right.type)", node)
  }

  @inline(never)
  func fault(_ sign: String, _ operand: ExpressionValue, _ node: Node) -> LogOperatorError {
    fault("`\(sign)` does not take \(operand.type)", node)
  }
}
