internal import WireFormat

extension ExpressionProgram {
  /// A value as indented JSON with its keys in order, as Go's `json.MarshalIndent` writes it.
  func json(
    _ value: ExpressionValue, _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    var made: [UInt8] = []
    try write(value, to: &made, node, entry, &frame, depth: 0)
    return .string(entry.add(made.span))
  }

  private func write(
    _ value: ExpressionValue, to made: inout [UInt8], _ node: Node, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame, depth: Int
  ) throws(LogOperatorError) {
    guard depth < ExpressionFrame.deepest else { throw Self.tooDeep }
    // A byte becomes six at most.
    try frame.take(memory: 20 + 2 * depth + (value.kind == .string ? 6 * value.range.count : 0))
    switch value.kind {
    case .null, .missing: made.append(contentsOf: "null".utf8)
    case .bool: made.append(contentsOf: "\(value.bool)".utf8)
    case .int, .duration: made.append(contentsOf: "\(value.int)".utf8)
    case .double:
      guard value.number.isFinite else { throw fault("\(value.number) cannot be written in JSON", node) }
      GoText.append(value.number, isJSON: true, to: &made)
    case .string: write(text(value, entry), to: &made)
    case .time, .zone: write(Array(timeResult(value).utf8).span, to: &made)
    case .list:
      var cursor = cursor(of: value, entry)
      var isEmpty = true
      while let element = next(&cursor, entry, frame)?.value {
        made.append(UInt8(ascii: isEmpty ? "[" : ","))
        isEmpty = false
        newLine(depth + 1, to: &made)
        try write(element, to: &made, node, entry, &frame, depth: depth + 1)
      }
      if isEmpty { made.append(UInt8(ascii: "[")) } else { newLine(depth, to: &made) }
      made.append(UInt8(ascii: "]"))
    case .map:
      let pairs = try sortedPairs(of: value, entry, &frame)
      for (index, pair) in pairs.enumerated() {
        try frame.take(memory: 20 + 2 * depth + 6 * pair.key.range.count)
        made.append(UInt8(ascii: index == 0 ? "{" : ","))
        newLine(depth + 1, to: &made)
        write(text(pair.key, entry), to: &made)
        made.append(contentsOf: ": ".utf8)
        try write(pair.element, to: &made, node, entry, &frame, depth: depth + 1)
      }
      if pairs.isEmpty { made.append(UInt8(ascii: "{")) } else { newLine(depth, to: &made) }
      made.append(UInt8(ascii: "}"))
    }
  }

  private func newLine(_ depth: Int, to made: inout [UInt8]) {
    made.append(UInt8(ascii: "\n"))
    made.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
  }

  /// A string with the escapes of Go's encoder, which also takes care of what HTML would read.
  private func write(_ bytes: Span<UInt8>, to made: inout [UInt8]) {
    made.append(UInt8(ascii: "\""))
    var position = 0
    while let scalar = TextScalars.decode(bytes, at: position) {
      defer { position += scalar.length }
      switch scalar.value {
      case "\"": made.append(contentsOf: "\\\"".utf8)
      case "\\": made.append(contentsOf: "\\\\".utf8)
      case "\n": made.append(contentsOf: "\\n".utf8)
      case "\r": made.append(contentsOf: "\\r".utf8)
      case "\t": made.append(contentsOf: "\\t".utf8)
      case "\u{8}": made.append(contentsOf: "\\b".utf8)
      case "\u{C}": made.append(contentsOf: "\\f".utf8)
      case "<", ">", "&", "\u{0}"..."\u{1F}", "\u{2028}", "\u{2029}": escape(scalar.value, to: &made)
      case "\u{FFFD}" where scalar.length == 1: made.append(contentsOf: "\\ufffd".utf8)
      default: made.append(bytes.extracting(position..<position + scalar.length))
      }
    }
    made.append(UInt8(ascii: "\""))
  }

  private func escape(_ scalar: UnicodeScalar, to made: inout [UInt8]) {
    let digits = String(scalar.value, radix: 16)
    made.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
  }
}
