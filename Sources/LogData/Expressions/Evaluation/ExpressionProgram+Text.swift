internal import NativeCodecs
internal import WireFormat

extension ExpressionProgram {
  func text(
    _ function: ExpressionFunction, _ arguments: [ExpressionValue], _ node: Node, _ entry: inout LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    if function == .join { return try join(arguments, node, &entry, &frame) }
    let value = arguments[0]
    let other = arguments.count > 1 ? arguments[1] : value
    let takesNumber = function == .repeat
    for argument in arguments.prefix(takesNumber ? 1 : 3) where argument.kind != .string {
      let isCount = (function == .split || function == .splitAfter) && argument.isNumber
      guard isCount else { throw wrong(function, argument, node) }
    }
    try frame.take(work: value.range.count)
    let count = value.range.count
    switch function {
    case .trim:
      let cut = Set(String(decoding: text(other, entry)).unicodeScalars)
      return value.part(TextScalars.trimmed(text(value, entry)) { cut.contains($0) })
    case .trimPrefix:
      if arguments.count == 1 { return value.part((text(value, entry).firstByte == 0x20 ? 1 : 0)..<count) }
      return text(value, entry).begins(with: text(other, entry))
        ? value.part(other.range.count..<count) : value
    case .trimSuffix:
      if arguments.count == 1 { return value.part(0..<count - (text(value, entry).lastByte == 0x20 ? 1 : 0)) }
      let ends = text(value, entry).ends(with: text(other, entry))
      return ends ? value.part(0..<count - other.range.count) : value
    case .hasPrefix: return .bool(text(value, entry).begins(with: text(other, entry)))
    case .hasSuffix: return .bool(text(value, entry).ends(with: text(other, entry)))
    case .indexOf: return .int(text(value, entry).firstOffset(of: text(other, entry)) ?? -1)
    case .lastIndexOf: return .int(try lastOffset(of: other, in: value, entry, &frame))
    case .split, .splitAfter:
      let limit = arguments.count > 2 ? try int(function, arguments[2], node) : -1
      return try split(value, other, limit, keepsSeparator: function == .splitAfter, entry, &frame)
    case .replace:
      let limit = arguments.count > 3 ? try int(function, arguments[3], node) : -1
      return try replace(value, other, arguments[2], limit, &entry, &frame)
    case .repeat:
      let times = try int(function, other, node)
      guard times >= 0 else { throw fault("a text cannot be repeated \(times) times", node) }
      let (size, isTooLarge) = times.multipliedReportingOverflow(by: count)
      try frame.take(memory: isTooLarge ? .max : size)
      var made: [UInt8] = []
      made.reserveCapacity(size)
      if count > 0 { for _ in 0..<times { made.append(text(value, entry)) } }
      return .string(entry.add(made.span))
    case .toBase64:
      var bytes: [UInt8] = []
      bytes.append(text(value, entry))
      return try string(Array(Base64.encoded(bytes).utf8), &entry, &frame)
    default:
      guard let bytes = Base64.decoded(String(decoding: text(value, entry))) else {
        throw fault("the text is not base64", node)
      }
      // What is no text would not be a valid string of OTLP.
      return try string(Array(String(decoding: bytes, as: UTF8.self).utf8), &entry, &frame)
    }
  }

  /// The offset of the last place where a text stands, or -1.
  private func lastOffset(
    of part: ExpressionValue, in whole: ExpressionValue, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Int {
    var last = -1
    var start = 0
    while let place = text(whole, entry).firstOffset(of: text(part, entry), from: start) {
      try frame.take(work: 10 + part.range.count)
      last = place
      start = place + 1
    }
    return last
  }

  private func split(
    _ value: ExpressionValue, _ separator: ExpressionValue, _ limit: Int, keepsSeparator: Bool,
    _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    if limit == 0 { return .made(.list, 0..<0, in: ExpressionValue.Home.frame) }
    let width = separator.range.count
    let count = value.range.count
    let start = frame.items.count
    var position = 0
    var found = 1
    // An empty separator stands behind every character.
    while limit < 0 || found < limit {
      let end: Int
      if width == 0 {
        guard let scalar = TextScalars.decode(text(value, entry), at: position),
          position + scalar.length < count
        else { break }
        end = position + scalar.length
      } else {
        guard let place = text(value, entry).firstOffset(of: text(separator, entry), from: position) else {
          break
        }
        end = place
      }
      let place = try frame.reserve(1)
      frame.items[place.lowerBound] = value.part(position..<(keepsSeparator ? end + width : end))
      position = end + width
      found += 1
    }
    // Of an empty text an empty separator makes nothing.
    if width > 0 || count > 0 {
      let place = try frame.reserve(1)
      frame.items[place.lowerBound] = value.part(position..<count)
    }
    return .made(.list, start..<frame.items.count, in: ExpressionValue.Home.frame)
  }

  private func replace(
    _ value: ExpressionValue, _ old: ExpressionValue, _ new: ExpressionValue, _ limit: Int,
    _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let count = value.range.count
    let width = old.range.count
    var made: [UInt8] = []
    var position = 0
    var copied = 0
    var replaced = 0
    while limit < 0 || replaced < limit {
      guard let place = text(value, entry).firstOffset(of: text(old, entry), from: position) else { break }
      try frame.take(memory: new.range.count)
      made.append(text(value, entry).extracting(copied..<place))
      made.append(text(new, entry))
      copied = place + width
      replaced += 1
      // An empty text stands before every character and at the end.
      guard width == 0 else {
        position = copied
        continue
      }
      guard let scalar = TextScalars.decode(text(value, entry), at: place) else { break }
      position = place + scalar.length
    }
    if replaced == 0 { return value }
    made.append(text(value, entry).extracting(copied..<count))
    return try string(made, &entry, &frame)
  }

  private func join(
    _ arguments: [ExpressionValue], _ node: Node, _ entry: inout LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    guard arguments[0].kind == .list else { throw wrong(.join, arguments[0], node) }
    if arguments.count > 1, arguments[1].kind != .string { throw wrong(.join, arguments[1], node) }
    var made: [UInt8] = []
    var isFirst = true
    var cursor = cursor(of: arguments[0], entry)
    while let element = next(&cursor, entry, frame)?.value {
      guard element.kind == .string else { throw fault("`join` takes strings, not \(element.type)", node) }
      try frame.take(work: 10)
      try frame.take(memory: element.range.count + (arguments.count > 1 ? arguments[1].range.count : 0))
      if !isFirst, arguments.count > 1 { made.append(text(arguments[1], entry)) }
      made.append(text(element, entry))
      isFirst = false
    }
    return .string(entry.add(made.span))
  }
}
