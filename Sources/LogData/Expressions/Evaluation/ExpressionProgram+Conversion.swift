internal import WireFormat

/// Values as text, and as values of the entry.
extension ExpressionProgram {
  /// A value as Go's `%v` shows it: `<nil>`, `[1 2]`, `map[a:1]` with its keys in order.
  func shown(
    _ value: ExpressionValue, _ node: Node, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> [UInt8] {
    var made: [UInt8] = []
    try show(value, to: &made, entry, &frame, depth: 0)
    return made
  }

  private func show(
    _ value: ExpressionValue, to made: inout [UInt8], _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame, depth: Int
  ) throws(LogOperatorError) {
    guard depth < ExpressionFrame.deepest else { throw Self.tooDeep }
    try frame.take(work: 20)
    switch value.kind {
    case .null, .missing: made.append(contentsOf: "<nil>".utf8)
    case .bool: made.append(contentsOf: "\(value.bool)".utf8)
    case .int: made.append(contentsOf: "\(value.int)".utf8)
    case .double: GoText.append(value.number, isJSON: false, to: &made)
    case .string:
      try frame.take(memory: value.range.count)
      made.append(text(value, entry))
    case .time, .zone: made.append(contentsOf: timeText(value).utf8)
    case .duration: made.append(contentsOf: GoText.duration(value.int).utf8)
    case .list:
      made.append(UInt8(ascii: "["))
      var cursor = cursor(of: value, entry)
      var isFirst = true
      while let element = next(&cursor, entry, frame)?.value {
        if !isFirst { made.append(UInt8(ascii: " ")) }
        isFirst = false
        try show(element, to: &made, entry, &frame, depth: depth + 1)
      }
      made.append(UInt8(ascii: "]"))
    case .map:
      made.append(contentsOf: "map[".utf8)
      for (index, pair) in try sortedPairs(of: value, entry, &frame).enumerated() {
        if index > 0 { made.append(UInt8(ascii: " ")) }
        made.append(text(pair.key, entry))
        made.append(UInt8(ascii: ":"))
        try show(pair.element, to: &made, entry, &frame, depth: depth + 1)
      }
      made.append(UInt8(ascii: "]"))
    }
  }

  /// Keys and values of a map in the order of the keys.
  func sortedPairs(
    of map: ExpressionValue, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> [(key: ExpressionValue, element: ExpressionValue)] {
    var pairs: [(key: ExpressionValue, element: ExpressionValue)] = []
    var cursor = cursor(of: map, entry)
    while let next = next(&cursor, entry, frame) {
      try frame.take(memory: 32 + next.key.range.count)
      pairs.append((next.key, next.value))
    }
    return try ordered(pairs, entry, &frame)
  }

  // Values of the entry.

  /// The value as the entry holds it: made lists and maps become its own, times and durations become text.
  func result(
    _ value: ExpressionValue, _ entry: inout LogEntry, _ frame: inout ExpressionFrame, depth: Int = 0
  ) throws(LogOperatorError) -> LogValue {
    guard depth < ExpressionFrame.deepest else { throw Self.tooDeep }
    switch value.kind {
    case .null, .missing: return .null
    case .bool: return .bool(value.bool)
    case .int: return .int(value.int)
    case .double: return .double(Double(bitPattern: value.bits))
    case .string:
      switch value.extra {
      case ExpressionValue.Home.entry: return .string(entry.wellFormed(value.range))
      case ExpressionValue.Home.entryBytes: return .bytes(value.range)
      default:
        try frame.take(memory: value.range.count)
        return .string(entry.add(constants.span.extracting(value.range.range)))
      }
    case .time: return entry.string(timeResult(value))
    case .zone: return entry.string(timeText(value))
    case .duration: return entry.string(GoText.duration(value.int))
    case .list, .map:
      if value.extra == ExpressionValue.Home.entry {
        return LogValue(value.kind == .list ? .list : .map, bits: value.bits)
      }
      let (chain, made) = value.kind == .list ? entry.makeList() : entry.makeMap()
      var cursor = cursor(of: value, entry)
      while let next = next(&cursor, entry, frame) {
        try frame.take(memory: 2 * MemoryLayout<LogSlot>.stride)
        let content = try result(next.value, &entry, &frame, depth: depth + 1)
        guard value.kind == .map else {
          entry.append(content, to: chain)
          continue
        }
        let key = try result(next.key, &entry, &frame, depth: depth + 1)
        entry.append(key: entry.wellFormed(key.range), content, to: chain)
      }
      return made
    }
  }
}
