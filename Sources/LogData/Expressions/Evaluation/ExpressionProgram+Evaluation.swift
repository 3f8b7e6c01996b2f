internal import WireFormat

extension ExpressionProgram {
  /// The value of a node.
  ///
  /// The stack this takes is bounded by ``ExpressionParser/deepest``.
  func evaluate(
    _ index: Int32, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let node = nodes[Int(index)]
    switch node.operation {
    case .constant: return values[Int(node.a)]
    case .body: return ExpressionValue(entry.body)
    case .attributes: return ExpressionValue(.map, bits: UInt64(LogChain.attributes.position))
    case .resource: return ExpressionValue(.map, bits: UInt64(LogChain.resource.position))
    case .timestamp: return .time(Int64(clamping: entry.timestamp))
    case .severity: return .int(Int64(entry.severityNumber))
    case .severityText: return .string(entry.severityText)
    case .path: return try path(node, entry)
    case .variable: return frame.variables[Int(node.a)]
    case .not: return .bool(!(try condition(node.a, "not", node, &entry, &frame)))
    case .and:
      for position in node.b..<node.b + node.c {
        if !(try condition(children[Int(position)], "and", node, &entry, &frame)) { return .bool(false) }
      }
      return .bool(true)
    case .or:
      for position in node.b..<node.b + node.c {
        if try condition(children[Int(position)], "or", node, &entry, &frame) { return .bool(true) }
      }
      return .bool(false)
    case .conditional:
      let holds = try condition(node.a, "?", node, &entry, &frame)
      return try evaluate(holds ? node.b : node.c, &entry, &frame)
    case .coalesce:
      let value = try evaluate(node.a, &entry, &frame)
      return value.isNull ? try evaluate(node.b, &entry, &frame) : value
    case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual:
      return .bool(try comparison(node, &entry, &frame))
    case .contains, .startsWith, .endsWith, .matches, .matchesPattern:
      return .bool(try textTest(node, &entry, &frame))
    case .isIn, .isAmong: return .bool(try membership(node, &entry, &frame))
    case .negate, .positive, .add, .subtract, .multiply, .divide, .modulo, .power, .range:
      return try arithmetic(node, &entry, &frame)
    case .list, .map: return try literal(node, &entry, &frame)
    case .member:
      let base = try evaluate(node.a, &entry, &frame)
      if base.kind == .missing || (base.isNull && node.c == 1) { return .missing }
      return try member(base, try evaluate(node.b, &entry, &frame), node, entry, &frame)
    case .slice: return try slice(node, &entry, &frame)
    case .chain:
      let value = try evaluate(node.a, &entry, &frame)
      return value.kind == .missing ? .null : value
    case .bind:
      frame.variables[Int(node.a)] = try evaluate(node.b, &entry, &frame)
      return try evaluate(node.c, &entry, &frame)
    case .call: return try call(node, &entry, &frame)
    case .loop: return try loop(node, &entry, &frame)
    case .date: return try date(node, &entry, &frame)
    case .format: return try format(node, &entry, &frame)
    case .method: return try method(node, &entry, &frame)
    }
  }

  /// The value of a node that must be true or false.
  func condition(
    _ index: Int32, _ sign: String, _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Bool {
    let value = try evaluate(index, &entry, &frame)
    guard value.kind == .bool else { throw fault(sign, value, node) }
    return value.bool
  }

  // Members.

  private func path(_ node: Node, _ entry: borrowing LogEntry) throws(LogOperatorError) -> ExpressionValue {
    var value: LogValue
    if node.a == Int32(Operation.attributes.rawValue) {
      value = LogValue(.map, bits: UInt64(LogChain.attributes.position))
    } else if node.a == Int32(Operation.resource.rawValue) {
      value = LogValue(.map, bits: UInt64(LogChain.resource.position))
    } else {
      value = entry.body
    }
    for position in Int(node.b)..<Int(node.b + node.c) {
      let key = values[position].range
      guard value.kind == .map, let map = value.chain else {
        let name = String(decoding: constants[key.range], as: UTF8.self)
        throw fault("\(ExpressionValue(value).type) has no member `\(name)`", node)
      }
      value = entry.value(of: constants.span.extracting(key.range), in: map) ?? .null
    }
    return ExpressionValue(value)
  }

  func member(
    _ base: ExpressionValue, _ key: ExpressionValue, _ node: Node, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    switch base.kind {
    case .map where key.kind == .string: return try value(of: key, in: base, entry, &frame) ?? .null
    case .map where key.isNull: return .null
    case .list where key.isNumber:
      let count = try count(of: base, entry, &frame)
      guard let index = place(key, count) else {
        throw fault(
          "the index \(key.number.shownAsInt) is outside of the array, which has \(count) elements", node)
      }
      return try element(index, of: base, entry, &frame)
    case .string where key.isNumber:
      let count = base.range.count
      guard let index = place(key, count) else {
        throw fault(
          "the index \(key.number.shownAsInt) is outside of the string, which has \(count) bytes", node)
      }
      return .int(Int(text(base, entry)[index]))
    default:
      if key.kind == .string {
        throw fault("\(base.type) has no member `\(String(decoding: text(key, entry)))`", node)
      }
      throw fault("\(base.type) has no member that \(key.type) names", node)
    }
  }

  /// The position an index means, from the end when it is negative; nil outside.
  func place(_ index: ExpressionValue, _ count: Int) -> Int? {
    guard let index = Int(exactly: index.number.rounded(.towardZero)) else { return nil }
    let place = index < 0 ? index + count : index
    return place >= 0 && place < count ? place : nil
  }

  private func slice(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let base = try evaluate(node.a, &entry, &frame)
    if base.kind == .missing { return base }
    guard base.kind == .list || base.kind == .string else { throw fault("[:]", base, node) }
    let count = base.kind == .list ? try self.count(of: base, entry, &frame) : base.range.count
    var bounds = [0, count]
    for (position, index) in [node.b, node.c].enumerated() where index >= 0 {
      let bound = try evaluate(index, &entry, &frame)
      guard bound.isNumber, let number = Int(exactly: bound.number.rounded(.towardZero)) else {
        throw fault("[:]", bound, node)
      }
      bounds[position] = Swift.min(Swift.max(number < 0 ? number + count : number, 0), count)
    }
    if base.kind == .string {
      return base.part(wholeCharacters(bounds[0]..<Swift.max(bounds[0], bounds[1]), base, entry))
    }
    let low = Swift.min(bounds[0], bounds[1])
    return try part(low..<bounds[1], of: base, entry, &frame)
  }

  /// A range of bytes that cuts no character: both ends are moved back to the beginning of theirs.
  private func wholeCharacters(
    _ range: Range<Int>, _ value: ExpressionValue, _ entry: borrowing LogEntry
  ) -> Range<Int> {
    let bytes = text(value, entry)
    var (low, high) = (range.lowerBound, range.upperBound)
    while low > 0, low < bytes.count, bytes[low] & 0xC0 == 0x80 { low -= 1 }
    while high > low, high < bytes.count, bytes[high] & 0xC0 == 0x80 { high -= 1 }
    return low..<high
  }

  private func literal(
    _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let count = Int(node.c)
    let place = try frame.reserve(count)
    guard node.operation == .map else {
      for offset in 0..<count {
        let value = try evaluate(children[Int(node.b) + offset], &entry, &frame)
        frame.items[place.lowerBound + offset] = value
      }
      return .made(.list, place, in: ExpressionValue.Home.frame)
    }
    var end = place.lowerBound
    for offset in stride(from: 0, to: count, by: 2) {
      let key = try evaluate(children[Int(node.b) + offset], &entry, &frame)
      guard key.kind == .string else { throw fault("a key of a map is a string, not \(key.type)", node) }
      let value = try evaluate(children[Int(node.b) + offset + 1], &entry, &frame)
      // Of two pairs with one key the first counts.
      let map = ExpressionValue.made(.map, place.lowerBound..<end, in: ExpressionValue.Home.frame)
      if try self.value(of: key, in: map, entry, &frame) != nil { continue }
      frame.items[end] = key
      frame.items[end + 1] = value
      end += 2
    }
    return .made(.map, place.lowerBound..<end, in: ExpressionValue.Home.frame)
  }
}

extension Double {
  /// A whole number as a message shows it.
  fileprivate var shownAsInt: String { Int(exactly: rounded(.towardZero)).map { "\($0)" } ?? "\(self)" }
}

extension String {
  init(decoding bytes: Span<UInt8>) {
    var copy: [UInt8] = []
    copy.reserveCapacity(bytes.count)
    for index in bytes.indices { copy.append(bytes[index]) }
    self.init(decoding: copy, as: UTF8.self)
  }
}
