internal import WireFormat

/// Functions that evaluate a predicate for each element of an array.
extension ExpressionProgram {
  /// The parts of a loop that stay the same.
  struct Loop {
    let function: ExpressionFunction
    let node: Node
    /// The variable of the element; that of the index and that of the accumulator follow.
    let variable: Int
    /// -1 when there is none: the element itself counts.
    let predicate: Int32
    let cost: Int
  }

  func loop(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let first = Int(node.b)
    let function = ExpressionFunction.allCases[Int(node.a)]
    let loop = Loop(
      function: function, node: node, variable: Int(children[first + 1]), predicate: children[first + 3],
      cost: 10 + 10 * Int(children[first + 2]))
    let list = try evaluate(children[first], &entry, &frame)
    guard list.kind == .list else {
      throw fault("`\(function.rawValue)` takes an array, not \(list.type)", node)
    }
    switch function {
    case .all, .any, .one, .none, .find, .findIndex, .count: return try search(loop, list, &entry, &frame)
    case .findLast, .findLastIndex: return try searchFromEnd(loop, list, &entry, &frame)
    case .filter, .map: return try collect(loop, list, &entry, &frame)
    case .groupBy: return try group(loop, list, &entry, &frame)
    case .sum: return try sum(loop, list, &entry, &frame)
    case .reduce:
      let initial = node.c > 0 ? try evaluate(children[first + 4], &entry, &frame) : nil
      return try reduce(loop, list, initial, &entry, &frame)
    default:
      let order = node.c > 0 ? try evaluate(children[first + 4], &entry, &frame) : nil
      return try sortBy(loop, list, order, &entry, &frame)
    }
  }

  /// The value of the predicate for an element.
  private func evaluate(
    _ loop: Loop, _ element: ExpressionValue, _ index: Int, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    try frame.take(work: loop.cost)
    guard loop.predicate >= 0 else { return element }
    frame.variables[loop.variable] = element
    frame.variables[loop.variable + 1] = .int(index)
    let (before, holding) = (entry.mark, frame.holding)
    let value = try evaluate(loop.predicate, &entry, &frame)
    // What was made on the way to a number or the like is not needed for the next element.
    switch value.kind {
    case .string, .list, .map: break
    default:
      entry.forget(since: before)
      frame.release(to: holding)
    }
    return value
  }

  private func holds(
    _ loop: Loop, _ element: ExpressionValue, _ index: Int, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Bool {
    let value = try evaluate(loop, element, index, &entry, &frame)
    guard value.kind == .bool else {
      throw fault("the predicate of `\(loop.function.rawValue)` gives \(value.type), not bool", loop.node)
    }
    return value.bool
  }

  private func search(
    _ loop: Loop, _ list: ExpressionValue, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var cursor = cursor(of: list, entry)
    var index = 0
    var found = 0
    while let element = next(&cursor, entry, frame)?.value {
      if try holds(loop, element, index, &entry, &frame) {
        found += 1
        switch loop.function {
        case .any: return .bool(true)
        case .none: return .bool(false)
        case .find: return element
        case .findIndex: return .int(index)
        default: break
        }
      } else if loop.function == .all {
        return .bool(false)
      }
      index += 1
    }
    switch loop.function {
    case .all, .none: return .bool(true)
    case .any: return .bool(false)
    case .one: return .bool(found == 1)
    case .count: return .int(found)
    default: return .null
    }
  }

  private func searchFromEnd(
    _ loop: Loop, _ list: ExpressionValue, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let range = try made(list, entry, &frame).range.range
    for position in range.reversed() {
      let element = frame.items[position]
      let index = position - range.lowerBound
      if try holds(loop, element, index, &entry, &frame) {
        return loop.function == .findLast ? element : .int(index)
      }
    }
    return .null
  }

  private func collect(
    _ loop: Loop, _ list: ExpressionValue, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let place = try frame.reserve(try count(of: list, entry, &frame))
    var end = place.lowerBound
    var cursor = cursor(of: list, entry)
    var index = 0
    while let element = next(&cursor, entry, frame)?.value {
      if loop.function == .map {
        let value = try evaluate(loop, element, index, &entry, &frame)
        frame.items[end] = value
        end += 1
      } else if try holds(loop, element, index, &entry, &frame) {
        frame.items[end] = element
        end += 1
      }
      index += 1
    }
    return .made(.list, place.lowerBound..<end, in: ExpressionValue.Home.frame)
  }

  private func group(
    _ loop: Loop, _ list: ExpressionValue, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var groups: [(key: ExpressionValue, elements: [ExpressionValue])] = []
    var cursor = cursor(of: list, entry)
    var index = 0
    while let element = next(&cursor, entry, frame)?.value {
      var key = try evaluate(loop, element, index, &entry, &frame)
      // Keys of maps are strings here.
      if key.kind != .string { key = try string(shown(key, loop.node, entry, &frame), &entry, &frame) }
      try frame.take(work: 4 * groups.count)
      try frame.take(memory: 32)
      if let place = groups.firstIndex(where: { text($0.key, entry).hasSameBytes(as: text(key, entry)) }) {
        groups[place].elements.append(element)
      } else {
        groups.append((key, [element]))
      }
      index += 1
    }
    let map = try frame.reserve(2 * groups.count)
    for (number, group) in groups.enumerated() {
      let place = try frame.reserve(group.elements.count)
      for (offset, element) in group.elements.enumerated() {
        frame.items[place.lowerBound + offset] = element
      }
      frame.items[map.lowerBound + 2 * number] = group.key
      frame.items[map.lowerBound + 2 * number + 1] = .made(.list, place, in: ExpressionValue.Home.frame)
    }
    return .made(.map, map, in: ExpressionValue.Home.frame)
  }

  private func sum(
    _ loop: Loop, _ list: ExpressionValue, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var cursor = cursor(of: list, entry)
    var index = 0
    var total = ExpressionValue.int(0)
    while let element = next(&cursor, entry, frame)?.value {
      let value = try evaluate(loop, element, index, &entry, &frame)
      guard value.isNumber else { throw fault("`sum` takes numbers, not \(value.type)", loop.node) }
      let isInt = total.kind == .int && value.kind == .int
      total = isInt ? .int(total.int &+ value.int) : .double(total.number + value.number)
      index += 1
    }
    return total
  }

  private func reduce(
    _ loop: Loop, _ list: ExpressionValue, _ initial: ExpressionValue?, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var cursor = cursor(of: list, entry)
    var index = 0
    var accumulator: ExpressionValue
    if let initial {
      accumulator = initial
    } else {
      guard let first = next(&cursor, entry, frame)?.value else {
        throw fault("`reduce` of an empty array needs a first value", loop.node)
      }
      accumulator = first
      index = 1
    }
    while let element = next(&cursor, entry, frame)?.value {
      frame.variables[loop.variable + 2] = accumulator
      accumulator = try evaluate(loop, element, index, &entry, &frame)
      index += 1
    }
    return accumulator
  }

  private func sortBy(
    _ loop: Loop, _ list: ExpressionValue, _ order: ExpressionValue?, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var keyed: [(key: ExpressionValue, element: ExpressionValue)] = []
    var cursor = cursor(of: list, entry)
    while let element = next(&cursor, entry, frame)?.value {
      try frame.take(memory: 32)
      keyed.append((try evaluate(loop, element, keyed.count, &entry, &frame), element))
    }
    return try sorted(keyed, order, loop.node, entry, &frame)
  }

  /// Elements in the order of their keys, which must be comparable with each other; equal ones stay as they
  /// are.
  func sorted(
    _ keyed: [(key: ExpressionValue, element: ExpressionValue)], _ order: ExpressionValue?, _ node: Node,
    _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var isDescending = false
    if let order {
      let word = order.kind == .string ? String(decoding: text(order, entry)) : order.type
      guard word == "asc" || word == "desc" else {
        throw fault("the order is \"asc\" or \"desc\", not \"\(word)\"", node)
      }
      isDescending = word == "desc"
    }
    // That each is comparable with the first makes every pair comparable.
    if let first = keyed.first?.key {
      for other in keyed { _ = try isLess(first, other.key, "<", node, entry) }
    }
    try frame.take(work: keyed.count * 20 * (Int.bitWidth - keyed.count.leadingZeroBitCount))
    var keyed = keyed
    try merge(&keyed, isDescending, node, entry)
    let place = try frame.reserve(keyed.count)
    for (offset, pair) in keyed.enumerated() { frame.items[place.lowerBound + offset] = pair.element }
    return .made(.list, place, in: ExpressionValue.Home.frame)
  }

  /// Keys, which are texts, and values in the order of the keys.
  func ordered(
    _ pairs: [(key: ExpressionValue, element: ExpressionValue)], _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> [(key: ExpressionValue, element: ExpressionValue)] {
    try frame.take(work: pairs.count * 20 * (Int.bitWidth - pairs.count.leadingZeroBitCount))
    var pairs = pairs
    try merge(&pairs, false, nodes[Int(root)], entry)
    return pairs
  }

  /// A merge sort, since the library's cannot borrow the entry in its comparison.
  private func merge(
    _ keyed: inout [(key: ExpressionValue, element: ExpressionValue)], _ isDescending: Bool, _ node: Node,
    _ entry: borrowing LogEntry
  ) throws(LogOperatorError) {
    var width = 1
    var other = keyed
    while width < keyed.count {
      var start = 0
      while start < keyed.count {
        let middle = Swift.min(start + width, keyed.count)
        let end = Swift.min(middle + width, keyed.count)
        var (left, right) = (start, middle)
        for target in start..<end {
          var takesRight = left == middle
          if left < middle, right < end {
            let (one, two) = (keyed[left].key, keyed[right].key)
            takesRight =
              try isDescending
              ? isLess(one, two, "<", node, entry) : isLess(two, one, "<", node, entry)
          }
          other[target] = keyed[takesRight ? right : left]
          if takesRight { right += 1 } else { left += 1 }
        }
        start = end
      }
      swap(&keyed, &other)
      width *= 2
    }
  }
}
