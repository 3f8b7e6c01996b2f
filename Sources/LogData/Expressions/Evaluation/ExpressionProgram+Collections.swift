internal import WireFormat

/// Lists and maps, whether they lie in the entry or in the frame.
extension ExpressionProgram {
  /// How many elements a list has.
  func count(
    of list: ExpressionValue, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> Int {
    if list.extra == ExpressionValue.Home.frame {
      return list.kind == .map ? list.range.count / 2 : list.range.count
    }
    var count = 0
    var position = entry.chains[list.chain.position].first
    while position >= 0 {
      count += 1
      position = entry.slots[Int(position)].next
    }
    try frame.take(work: count)
    return count
  }

  /// The element at a position, which the list has.
  func element(
    _ index: Int, of list: ExpressionValue, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    if list.extra == ExpressionValue.Home.frame { return frame.items[Int(list.range.start) + index] }
    try frame.take(work: index)
    var position = entry.chains[list.chain.position].first
    for _ in 0..<index where position >= 0 { position = entry.slots[Int(position)].next }
    return position < 0 ? .null : ExpressionValue(entry.slots[Int(position)].value)
  }

  /// Walks over a list or a map.
  struct Cursor {
    fileprivate var position: Int
    fileprivate let end: Int
    /// In the frame; else by the links of the entry.
    fileprivate let isMade: Bool
    fileprivate let isMap: Bool
  }

  func cursor(of value: ExpressionValue, _ entry: borrowing LogEntry) -> Cursor {
    let isMade = value.extra == ExpressionValue.Home.frame
    return Cursor(
      position: isMade ? Int(value.range.start) : Int(entry.chains[value.chain.position].first),
      end: isMade ? Int(value.range.end) : 0, isMade: isMade, isMap: value.kind == .map)
  }

  /// The next element, with its key in maps; nil at the end.
  func next(
    _ cursor: inout Cursor, _ entry: borrowing LogEntry, _ frame: borrowing ExpressionFrame
  ) -> (key: ExpressionValue, value: ExpressionValue)? {
    if cursor.isMade {
      guard cursor.position < cursor.end else { return nil }
      let first = frame.items[cursor.position]
      guard cursor.isMap else {
        cursor.position += 1
        return (.null, first)
      }
      cursor.position += 2
      return (first, frame.items[cursor.position - 1])
    }
    guard cursor.position >= 0 else { return nil }
    let slot = entry.slots[cursor.position]
    cursor.position = Int(slot.next)
    return (.string(slot.key), ExpressionValue(slot.value))
  }

  /// The value of a key; nil when the map does not have it.
  func value(
    of key: ExpressionValue, in map: ExpressionValue, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue? {
    if map.extra != ExpressionValue.Home.frame {
      return entry.value(of: text(key, entry), in: map.chain).map { ExpressionValue($0) }
    }
    let range = map.range.range
    try frame.take(work: range.count)
    for position in stride(from: range.lowerBound, to: range.upperBound, by: 2)
    where text(frame.items[position], entry).hasSameBytes(as: text(key, entry)) {
      return frame.items[position + 1]
    }
    return nil
  }

  /// Some elements of a list as a list.
  func part(
    _ range: Range<Int>, of list: ExpressionValue, _ entry: borrowing LogEntry,
    _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    let made = try self.made(list, entry, &frame)
    let start = Int(made.range.start)
    return .made(.list, start + range.lowerBound..<start + range.upperBound, in: ExpressionValue.Home.frame)
  }

  /// A list in the frame, where its elements lie side by side.
  func made(
    _ list: ExpressionValue, _ entry: borrowing LogEntry, _ frame: inout ExpressionFrame
  ) throws(LogOperatorError) -> ExpressionValue {
    if list.extra == ExpressionValue.Home.frame { return list }
    let place = try frame.reserve(try count(of: list, entry, &frame))
    var cursor = cursor(of: list, entry)
    for index in place {
      guard let next = next(&cursor, entry, frame) else { break }
      frame.items[index] = next.value
    }
    return .made(.list, place, in: ExpressionValue.Home.frame)
  }
}
