internal import Glibc
internal import WireFormat

extension ExpressionProgram {
  /// Numbers, times and durations. Ints wrap around as in Go; `/` and `**` always give a float.
  func arithmetic(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let left = try evaluate(node.a, &entry, &frame)
    if node.operation == .negate || node.operation == .positive {
      let sign = node.operation == .negate ? "-" : "+"
      guard left.isNumber else { throw fault(sign, left, node) }
      if sign == "+" { return left }
      return left.kind == .int ? .int(0 &- left.int) : .double(-left.number)
    }
    let right = try evaluate(node.b, &entry, &frame)
    switch node.operation {
    case .add: return try sum(left, right, node, &entry, &frame)
    case .subtract:
      switch (left.kind, right.kind) {
      case (.int, .int): return .int(left.int &- right.int)
      case (.time, .time): return .duration(left.int &- right.int)
      case (.time, .duration): return .time(left.int &- right.int, zone: Int(left.extra))
      case (.duration, .duration): return .duration(left.int &- right.int)
      case _ where left.isNumber && right.isNumber: return .double(left.number - right.number)
      default: throw fault("-", left, right, node)
      }
    case .multiply:
      switch (left.kind, right.kind) {
      case (.int, .int): return .int(left.int &* right.int)
      case (.duration, _) where right.isNumber: return try scaled(left, by: right, node)
      case (_, .duration) where left.isNumber: return try scaled(right, by: left, node)
      case _ where left.isNumber && right.isNumber: return .double(left.number * right.number)
      default: throw fault("*", left, right, node)
      }
    case .divide:
      guard left.isNumber, right.isNumber else { throw fault("/", left, right, node) }
      return .double(left.number / right.number)
    case .power:
      guard left.isNumber, right.isNumber else { throw fault("**", left, right, node) }
      return .double(pow(left.number, right.number))
    case .modulo:
      guard left.kind == .int, right.kind == .int else { throw fault("%", left, right, node) }
      guard right.int != 0 else { throw fault("division by zero", node) }
      return .int(right.int == -1 ? 0 : left.int % right.int)
    default: return try range(left, right, node, &frame)
    }
  }

  private func sum(
    _ left: ExpressionValue, _ right: ExpressionValue, _ node: Node, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    switch (left.kind, right.kind) {
    case (.int, .int): return .int(left.int &+ right.int)
    case (.string, .string):
      var made: [UInt8] = []
      made.reserveCapacity(left.range.count + right.range.count)
      made.append(text(left, entry))
      made.append(text(right, entry))
      return try string(made, &entry, &frame)
    case (.time, .duration): return .time(left.int &+ right.int, zone: Int(left.extra))
    case (.duration, .time): return .time(left.int &+ right.int, zone: Int(right.extra))
    case (.duration, .duration): return .duration(left.int &+ right.int)
    case _ where left.isNumber && right.isNumber: return .double(left.number + right.number)
    default: throw fault("+", left, right, node)
    }
  }

  private func scaled(
    _ duration: ExpressionValue, by factor: ExpressionValue, _ node: Node
  ) throws(LogOperatorError) -> ExpressionValue {
    if factor.kind == .int { return .duration(duration.int &* factor.int) }
    guard let nanoseconds = Int64(exactly: (Double(duration.int) * factor.number).rounded(.towardZero)) else {
      throw fault("the duration is too long", node)
    }
    return .duration(nanoseconds)
  }

  private func range(
    _ left: ExpressionValue, _ right: ExpressionValue, _ node: Node, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    guard left.isNumber, right.isNumber, let low = int(left), let high = int(right) else {
      throw fault("..", left, right, node)
    }
    let (size, isTooLarge) = high.subtractingReportingOverflow(low)
    guard high >= low else { return .made(.list, 0..<0, in: ExpressionValue.Home.frame) }
    guard !isTooLarge, size < ExpressionFrame.mostMemory else {
      throw fault("the range has too many elements", node)
    }
    let place = try frame.reserve(Int(size) + 1)
    for offset in 0...Int(size) { frame.items[place.lowerBound + offset] = .int(low &+ Int64(offset)) }
    return .made(.list, place, in: ExpressionValue.Home.frame)
  }

  /// A number without its fraction; nil when an int does not hold it.
  func int(_ value: ExpressionValue) -> Int64? {
    value.kind == .int ? value.int : Int64(exactly: value.number.rounded(.towardZero))
  }

  /// A text that was made, put into the arena.
  func string(
    _ bytes: [UInt8], _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    try frame.take(memory: bytes.count)
    return .string(entry.add(bytes.span))
  }
}

extension [UInt8] {
  mutating func append(_ bytes: Span<UInt8>) {
    for index in bytes.indices { append(bytes[index]) }
  }
}
