internal import WireFormat

extension OTLPJSONReader {
  /// Reads the name of a field, and what stands between it and its value.
  ///
  /// Encoders write fields in the same order each time and leave no space, so the whole of `"name":` is
  /// compared with that of the expected field, then with those behind and before it.
  ///
  /// - Returns: The index of the field, or -1 when the message has none of that name.
  @inline(__always)
  mutating func readName(
    _ message: Int, _ expected: Int, _ table: borrowing OTLPTableView
  ) throws(JSONFault) -> Int {
    let first = Int(table.starts[message])
    let end = Int(table.starts[message &+ 1])
    var index = expected
    for _ in first..<end {
      if index == end { index = first }
      let field = table.fields[index]
      // Without the comma in front of the label.
      let length = Int(field.labelLength) &- 1
      if scanner.text.holds(
        table.names, from: Int(field.labelStart) &+ 1, count: length, at: scanner.position)
      {
        scanner.position &+= length
        scanner.skipSpace()
        return index
      }
      index &+= 1
    }
    return try readOtherName(first, end, table)
  }

  /// Reads a name that is spelled in another way: as in the `.proto` file, with escapes, with space before
  /// the colon.
  @inline(never)
  private mutating func readOtherName(
    _ first: Int, _ end: Int, _ table: borrowing OTLPTableView
  ) throws(JSONFault) -> Int {
    let raw = try scanner.takeString(.name)
    var result = -1
    if raw.hasEscapes {
      let name = try scanner.contents(raw)
      result = table.field(named: name.span, first, end)
    } else {
      result = table.field(named: scanner.text.extracting(raw.start..<raw.end), first, end)
    }
    scanner.skipSpace()
    try scanner.take(0x3A, .colon)
    scanner.skipSpace()
    return result
  }
}

extension OTLPTableView {
  /// The field with a name, in JSON or in the `.proto` file, between two indexes; -1 when there is none.
  func field(named name: Span<UInt8>, _ first: Int, _ end: Int) -> Int {
    for index in first..<end {
      let field = fields[index]
      if field.nameLength == name.count,
        name.holds(names, from: field.nameStart, count: name.count, at: 0)
      {
        return index
      }
      if Int(field.protoNameLength) == name.count,
        name.holds(names, from: Int(field.protoNameStart), count: name.count, at: 0)
      {
        return index
      }
    }
    return -1
  }
}

extension OTLPMessageTable {
  /// The JSON name of a field by its index.
  func jsonName(ofField index: Int) -> String {
    let field = fields[index]
    return String(decoding: names[field.nameStart..<field.nameStart + field.nameLength], as: UTF8.self)
  }

  /// The number of an enum value by its name.
  func value(ofName name: [UInt8], enumeration: UInt8) -> Int? {
    guard let (prefix, names) = enumerations[enumeration], name.starts(with: prefix) else { return nil }
    return names.firstIndex { $0.elementsEqual(name.dropFirst(prefix.count)) }
  }
}

extension Span where Element == UInt8 {
  /// Whether bytes of another buffer, which goes on for eight bytes behind them, stand at an offset of this
  /// one.
  @inline(__always)
  func holds(_ other: Span<UInt8>, from start: Int, count length: Int, at offset: Int) -> Bool {
    if offset &+ length > count { return false }
    var done = 0
    while done < length {
      let left = length &- done
      if offset &+ done &+ 8 > count { return holdsSlowly(other, from: start, done, length, at: offset) }
      let difference = loadUInt64(at: offset &+ done) ^ other.loadUInt64(at: start &+ done)
      let mask: UInt64 = left >= 8 ? .max : 1 &<< UInt64(truncatingIfNeeded: left &* 8) &- 1
      if difference & mask != 0 { return false }
      done &+= 8
    }
    return true
  }

  @inline(never)
  private func holdsSlowly(
    _ other: Span<UInt8>, from start: Int, _ done: Int, _ length: Int, at offset: Int
  ) -> Bool {
    for index in done..<length where self[offset + index] != other[start + index] { return false }
    return true
  }
}
