internal import NativeCodecs
internal import WireFormat

/// The functions that are called with values.
extension ExpressionProgram {
  func call(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let function = ExpressionFunction.allCases[Int(node.a)]
    if node.c == 0 { return try time(function, [], node, &entry, &frame) }
    let first = try evaluate(children[Int(node.b)], &entry, &frame)
    switch function {
    case .len, .lower, .upper, .trim, .type, .int, .float, .string:
      // The common ones of one argument go without an array of arguments.
      if node.c == 1 { return try simple(function, first, node, &entry, &frame) }
    default: break
    }
    var arguments = [first]
    for offset in 1..<Swift.max(1, node.c) {
      arguments.append(try evaluate(children[Int(node.b + offset)], &entry, &frame))
    }
    switch function {
    case .len, .lower, .upper, .type, .int, .float, .string:
      return try simple(function, first, node, &entry, &frame)
    case .trim, .trimPrefix, .trimSuffix, .indexOf, .lastIndexOf, .hasPrefix, .hasSuffix, .split, .splitAfter,
      .replace, .repeat, .join, .toBase64, .fromBase64:
      return try text(function, arguments, node, &entry, &frame)
    case .max, .min, .mean, .median, .abs, .ceil, .floor, .round:
      return try numbers(function, arguments, node, entry, &frame)
    case .bitand, .bitor, .bitxor, .bitnand, .bitnot, .bitshl, .bitshr, .bitushr:
      return try bits(function, arguments, node)
    case .first, .last, .take, .sort, .reverse, .concat, .flatten, .uniq:
      return try list(function, arguments, node, entry, &frame)
    case .get, .keys, .values, .toPairs, .fromPairs:
      return try map(function, arguments, node, entry, &frame)
    case .toJSON: return try json(first, node, &entry, &frame)
    case .fromJSON: return try parsedJSON(first, node, &entry, &frame)
    default: return try time(function, arguments, node, &entry, &frame)
    }
  }

  /// An error of an argument that is of the wrong type.
  @inline(never)
  func wrong(_ function: ExpressionFunction, _ value: ExpressionValue, _ node: Node) -> LogOperatorError {
    fault("`\(function.rawValue)` does not take \(value.type)", node)
  }

  /// The second argument, or the third, as a number without a fraction.
  func int(
    _ function: ExpressionFunction, _ value: ExpressionValue, _ node: Node
  ) throws(LogOperatorError) -> Int {
    guard value.isNumber, let number = int(value) else { throw wrong(function, value, node) }
    return Int(number)
  }

  private func simple(
    _ function: ExpressionFunction, _ value: ExpressionValue, _ node: Node, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    switch function {
    case .len:
      switch value.kind {
      case .string:
        try frame.take(work: value.range.count)
        return .int(TextScalars.count(text(value, entry)))
      case .list, .map: return .int(try count(of: value, entry, &frame))
      default: throw wrong(function, value, node)
      }
    case .lower, .upper:
      guard value.kind == .string else { throw wrong(function, value, node) }
      try frame.take(work: value.range.count)
      return try string(cased(text(value, entry), isUpper: function == .upper), &entry, &frame)
    case .trim:
      guard value.kind == .string else { throw wrong(function, value, node) }
      return value.part(TextScalars.trimmed(text(value, entry)))
    case .type: return try string(Array(value.type.utf8), &entry, &frame)
    case .string:
      if value.kind == .string { return value }
      return try string(shown(value, node, entry, &frame), &entry, &frame)
    case .int: return try parsedInt(value, node, entry)
    default: return try parsedFloat(value, node, entry)
    }
  }

  private func parsedInt(
    _ value: ExpressionValue, _ node: Node, _ entry: borrowing LogEntry
  ) throws(LogOperatorError) -> ExpressionValue {
    switch value.kind {
    case .int: return value
    case .duration: return .int(value.int)
    case .double:
      guard let number = int(value) else { throw fault("\(value.number) does not fit an int", node) }
      return .int(number)
    case .string:
      let text = String(decoding: text(value, entry))
      guard let number = Int64(text) else { throw fault("\"\(text.prefix(40))\" is not an int", node) }
      return .int(number)
    default: throw wrong(.int, value, node)
    }
  }

  private func parsedFloat(
    _ value: ExpressionValue, _ node: Node, _ entry: borrowing LogEntry
  ) throws(LogOperatorError) -> ExpressionValue {
    switch value.kind {
    case .int, .double: return .double(value.number)
    case .string:
      let text = String(decoding: text(value, entry))
      // Go reads the same but for underscores, and takes numbers that are too large as an error.
      guard let number = Double(text),
        number.isFinite || !text.utf8.contains(where: { $0 >= 0x30 && $0 <= 0x39 })
      else { throw fault("\"\(text.prefix(40))\" is not a float", node) }
      return .double(number)
    default: throw wrong(.float, value, node)
    }
  }

  private func cased(_ bytes: Span<UInt8>, isUpper: Bool) -> [UInt8] {
    var made: [UInt8] = []
    made.reserveCapacity(bytes.count)
    let first = isUpper ? UInt8(ascii: "a") : UInt8(ascii: "A")
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte < 0x80 {
        made.append(byte &- first < 26 ? byte ^ 0x20 : byte)
        position += 1
        continue
      }
      guard let scalar = TextScalars.decode(bytes, at: position) else { break }
      let mapped =
        isUpper ? scalar.value.properties.uppercaseMapping : scalar.value.properties.lowercaseMapping
      // Like Go, only what stays one character is changed: `ß` stays.
      let isOne = mapped.unicodeScalars.count == 1
      made.append(contentsOf: isOne ? Array(mapped.utf8) : Array(String(scalar.value).utf8))
      position += scalar.length
    }
    return made
  }

  // Numbers.

  private func numbers(
    _ function: ExpressionFunction, _ arguments: [ExpressionValue], _ node: Node, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    switch function {
    case .abs, .ceil, .floor, .round:
      let value = arguments[0]
      guard value.isNumber else { throw wrong(function, value, node) }
      switch function {
      case .abs:
        return value.kind == .int
          ? .int(value.int < 0 ? 0 &- value.int : value.int) : .double(value.number.magnitude)
      case .ceil: return .double(value.number.rounded(.up))
      case .floor: return .double(value.number.rounded(.down))
      default: return .double(value.number.rounded(.toNearestOrAwayFromZero))
      }
    default: break
    }
    var all: [ExpressionValue] = []
    for argument in arguments { try gather(argument, function, into: &all, node, entry, &frame, depth: 0) }
    guard let first = all.first else { return function == .max || function == .min ? .null : .double(0) }
    switch function {
    case .max: return all.dropFirst().reduce(first) { isSmaller($0, $1) ? $1 : $0 }
    case .min: return all.dropFirst().reduce(first) { isSmaller($1, $0) ? $1 : $0 }
    case .mean: return .double(all.reduce(0) { $0 + $1.number } / Double(all.count))
    default:
      let sorted = all.map(\.number).sorted { $0 < $1 || ($0.isNaN && !$1.isNaN) }
      let middle = sorted.count / 2
      return .double(sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2)
    }
  }

  private func isSmaller(_ left: ExpressionValue, _ right: ExpressionValue) -> Bool {
    left.kind == .int && right.kind == .int ? left.int < right.int : left.number < right.number
  }

  /// The numbers of an argument, which may be one or arrays of them.
  private func gather(
    _ value: ExpressionValue, _ function: ExpressionFunction, into all: inout [ExpressionValue], _ node: Node,
    _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame, depth: Int
  ) throws(LogOperatorError) {
    guard depth < ExpressionFrame.deepest else { throw Self.tooDeep }
    if value.isNumber {
      try frame.take(memory: 16)
      try frame.take(work: 20)
      all.append(value)
      return
    }
    guard value.kind == .list else { throw wrong(function, value, node) }
    var cursor = cursor(of: value, entry)
    while let next = next(&cursor, entry, frame) {
      try frame.take(work: 10)
      try gather(next.value, function, into: &all, node, entry, &frame, depth: depth + 1)
    }
  }

  private func bits(
    _ function: ExpressionFunction, _ arguments: [ExpressionValue], _ node: Node
  ) throws(LogOperatorError) -> ExpressionValue {
    for argument in arguments where argument.kind != .int { throw wrong(function, argument, node) }
    let left = arguments[0].int
    if function == .bitnot { return .int(~left) }
    let right = arguments[1].int
    switch function {
    case .bitand: return .int(left & right)
    case .bitor: return .int(left | right)
    case .bitxor: return .int(left ^ right)
    case .bitnand: return .int(left & ~right)
    default: break
    }
    guard right >= 0 else { throw fault("a shift by \(right) bits", node) }
    switch function {
    case .bitshl: return .int(left << right)
    case .bitshr: return .int(left >> right)
    default: return .int(Int64(bitPattern: UInt64(bitPattern: left) >> UInt64(right)))
    }
  }
}
