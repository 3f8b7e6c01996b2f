internal import WireFormat

extension ExpressionProgram {
  func list(
    _ function: ExpressionFunction, _ arguments: [ExpressionValue], _ node: Node, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let value = arguments[0]
    if value.isNull, function == .first || function == .last { return .null }
    for argument in function == .concat ? arguments[...] : arguments.prefix(1) where argument.kind != .list {
      throw wrong(function, argument, node)
    }
    switch function {
    case .first:
      var cursor = cursor(of: value, entry)
      return next(&cursor, entry, frame)?.value ?? .null
    case .last:
      let count = try count(of: value, entry, &frame)
      return count == 0 ? .null : try element(count - 1, of: value, entry, &frame)
    case .take:
      let wanted = try int(.take, arguments[1], node)
      guard wanted >= 0 else { throw fault("\(wanted) elements cannot be taken", node) }
      let count = try count(of: value, entry, &frame)
      return try part(0..<Swift.min(wanted, count), of: value, entry, &frame)
    case .reverse:
      let source = try made(value, entry, &frame).range.range
      let place = try frame.reserve(source.count)
      for offset in 0..<source.count {
        frame.items[place.lowerBound + offset] = frame.items[source.upperBound - 1 - offset]
      }
      return .made(.list, place, in: ExpressionValue.Home.frame)
    case .sort:
      var keyed: [(key: ExpressionValue, element: ExpressionValue)] = []
      var cursor = cursor(of: value, entry)
      while let element = next(&cursor, entry, frame)?.value {
        try frame.take(memory: 32)
        keyed.append((element, element))
      }
      return try sorted(keyed, arguments.count > 1 ? arguments[1] : nil, node, entry, &frame)
    case .concat:
      let start = frame.items.count
      for argument in arguments { try copy(argument, levels: 0, entry, &frame) }
      return .made(.list, start..<frame.items.count, in: ExpressionValue.Home.frame)
    case .flatten:
      let start = frame.items.count
      try copy(value, levels: ExpressionFrame.deepest, entry, &frame)
      return .made(.list, start..<frame.items.count, in: ExpressionValue.Home.frame)
    default: return try unique(value, entry, &frame)
    }
  }

  /// Puts the elements of a list behind those of the frame, the elements of lists within it instead of these
  /// as far down as asked for.
  private func copy(
    _ list: ExpressionValue, levels: Int, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) {
    var cursor = cursor(of: list, entry)
    while let element = next(&cursor, entry, frame)?.value {
      if element.kind == .list, levels > 0 {
        guard levels > 1 else { throw Self.tooDeep }
        try frame.take(work: 10)
        try copy(element, levels: levels - 1, entry, &frame)
      } else {
        let place = try frame.reserve(1)
        frame.items[place.lowerBound] = element
      }
    }
  }

  private func unique(
    _ list: ExpressionValue, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let place = try frame.reserve(try count(of: list, entry, &frame))
    var end = place.lowerBound
    var cursor = cursor(of: list, entry)
    search: while let element = next(&cursor, entry, frame)?.value {
      for position in place.lowerBound..<end {
        try frame.take(work: 5)
        if try areEqual(frame.items[position], element, entry, &frame) { continue search }
      }
      frame.items[end] = element
      end += 1
    }
    return .made(.list, place.lowerBound..<end, in: ExpressionValue.Home.frame)
  }

  // Maps.

  func map(
    _ function: ExpressionFunction, _ arguments: [ExpressionValue], _ node: Node, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let value = arguments[0]
    switch function {
    case .get: return try get(value, arguments[1], node, entry, &frame)
    case .fromPairs: return try fromPairs(value, node, entry, &frame)
    default: break
    }
    guard value.kind == .map else { throw wrong(function, value, node) }
    let count = try count(of: value, entry, &frame)
    let place = try frame.reserve(count)
    let pairs = function == .toPairs ? try frame.reserve(2 * count) : 0..<0
    var cursor = cursor(of: value, entry)
    var offset = 0
    while let next = next(&cursor, entry, frame) {
      switch function {
      case .keys: frame.items[place.lowerBound + offset] = next.key
      case .values: frame.items[place.lowerBound + offset] = next.value
      default:
        let pair = pairs.lowerBound + 2 * offset
        frame.items[pair] = next.key
        frame.items[pair + 1] = next.value
        frame.items[place.lowerBound + offset] =
          .made(.list, pair..<pair + 2, in: ExpressionValue.Home.frame)
      }
      offset += 1
    }
    return .made(.list, place, in: ExpressionValue.Home.frame)
  }

  /// A member, or nil where taking it would be an error.
  private func get(
    _ value: ExpressionValue, _ key: ExpressionValue, _ node: Node, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    switch value.kind {
    case .null: return .null
    case .map: return key.kind == .string ? try self.value(of: key, in: value, entry, &frame) ?? .null : .null
    case .list:
      guard key.isNumber else { throw wrong(.get, key, node) }
      let count = try count(of: value, entry, &frame)
      guard let index = place(key, count) else { return .null }
      return try element(index, of: value, entry, &frame)
    case .string:
      guard key.isNumber else { throw wrong(.get, key, node) }
      guard let index = place(key, value.range.count) else { return .null }
      return .int(Int(text(value, entry)[index]))
    default: return .null
    }
  }

  private func fromPairs(
    _ value: ExpressionValue, _ node: Node, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    guard value.kind == .list else { throw wrong(.fromPairs, value, node) }
    let place = try frame.reserve(2 * (try count(of: value, entry, &frame)))
    var end = place.lowerBound
    var cursor = cursor(of: value, entry)
    while let pair = next(&cursor, entry, frame)?.value {
      guard pair.kind == .list, try count(of: pair, entry, &frame) == 2 else {
        throw fault("`fromPairs` takes arrays of a key and a value", node)
      }
      let key = try element(0, of: pair, entry, &frame)
      guard key.kind == .string else { throw fault("a key of a map is a string, not \(key.type)", node) }
      let content = try element(1, of: pair, entry, &frame)
      // Of two pairs with one key the last counts.
      try frame.take(work: end - place.lowerBound)
      var target = place.lowerBound
      while target < end, !text(frame.items[target], entry).hasSameBytes(as: text(key, entry)) { target += 2 }
      frame.items[target] = key
      frame.items[target + 1] = content
      end = Swift.max(end, target + 2)
    }
    return .made(.map, place.lowerBound..<end, in: ExpressionValue.Home.frame)
  }
}
