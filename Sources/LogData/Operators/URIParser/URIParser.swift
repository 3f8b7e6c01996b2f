internal import WireFormat

/// Parses text as a URI: the core of `uri_parser`.
///
/// The text is an absolute URI, an absolute path, or a query behind a question mark. It is read as Go's `net/url` reads the
/// URI of a request, which the Collector does: a fragment is not told apart, host and user lose their percent signs, the path
/// keeps them, and of a query that is part of a longer URI pairs that cannot be read are left out.
package struct URIParser: LogValueParser {
  package init() {}

  package func parse(_ value: LogValue, of entry: inout LogEntry) throws(LogOperatorError) -> LogValue {
    let text = try entry.wellFormedText(of: value)
    let (map, result) = entry.makeMap()
    var reader = URIReader(text, map: map)
    try reader.read(&entry)
    return result
  }
}

/// Reads a URI that lies in an entry's arena.
struct URIReader {
  private let text: WireRange
  private let map: LogChain

  init(_ text: WireRange, map: LogChain) {
    self.text = text
    self.map = map
  }

  mutating func read(_ entry: inout LogEntry) throws(LogOperatorError) {
    let (start, end) = (text.lowerBound, text.upperBound)
    if start < end, entry.arena[start] == 0x3F {
      try readQuery(&entry, from: start + 1, to: end, skipsFaults: false)
      return
    }
    if start == end { throw fault("the text is empty", at: start) }
    for place in start..<end where entry.arena[place] < 0x20 || entry.arena[place] == 0x7F {
      throw fault("a control character", at: place)
    }
    if end - start == 1, entry.arena[start] == 0x2A {
      set(Name.path, text, &entry)
      return
    }
    var rest = start
    let schemeEnd = try endOfScheme(entry)
    if schemeEnd > start {
      set(Name.scheme, entry.lowercased(WireRange(start, schemeEnd)), &entry)
      rest = schemeEnd + 1
    }
    let question = entry.firstPlace(of: [0x3F], from: rest, to: end)
    let pathEnd = question < 0 ? end : question
    if rest == pathEnd || entry.arena[rest] != 0x2F {
      // Behind a scheme it is opaque, such as the address in `mailto:`.
      if schemeEnd == start { throw fault("expected a scheme or a slash", at: rest) }
    } else {
      var path = rest
      if schemeEnd > start, pathEnd - rest >= 2, entry.arena[rest + 1] == 0x2F {
        let slash = entry.firstPlace(of: [0x2F], from: rest + 2, to: pathEnd)
        path = slash < 0 ? pathEnd : slash
        try readAuthority(&entry, from: rest + 2, to: path)
      }
      if path < pathEnd { set(Name.path, try escapedPath(&entry, from: path, to: pathEnd), &entry) }
    }
    if question >= 0 { try readQuery(&entry, from: question + 1, to: end, skipsFaults: true) }
  }

  /// The names of the parts, and where each stands.
  private static let names = Array("schemeuserhostportpathquery".utf8)
  private enum Name {
    static let scheme = 0..<6
    static let user = 6..<10
    static let host = 10..<14
    static let port = 14..<18
    static let path = 18..<22
    static let query = 22..<27
  }

  private func set(_ name: Range<Int>, _ value: WireRange, _ entry: inout LogEntry) {
    if !value.isEmpty { entry.append(key: key(name, &entry), .string(value), to: map) }
  }

  private func key(_ name: Range<Int>, _ entry: inout LogEntry) -> WireRange {
    entry.add(Self.names.span.extracting(name))
  }

  private func fault(_ reason: String, at place: Int) -> LogOperatorError {
    LogOperatorError("not a URI: \(reason) at byte \(place - text.lowerBound)")
  }

  /// Where the colon behind the scheme stands, or the start of the text when it has no scheme.
  private func endOfScheme(_ entry: borrowing LogEntry) throws(LogOperatorError) -> Int {
    for place in text.range {
      switch entry.arena[place] {
      case 0x41...0x5A, 0x61...0x7A: continue
      case 0x30...0x39, 0x2B, 0x2D, 0x2E:
        if place == text.lowerBound { return place }
      case 0x3A:
        if place == text.lowerBound { throw fault("expected a scheme", at: place) }
        return place
      default: return text.lowerBound
      }
    }
    return text.lowerBound
  }

  // User, host and port.

  private func readAuthority(
    _ entry: inout LogEntry, from start: Int, to end: Int
  ) throws(LogOperatorError) {
    var hostStart = start
    for place in (start..<end).reversed() where entry.arena[place] == 0x40 {
      hostStart = place + 1
      break
    }
    if hostStart > start {
      for place in start..<hostStart - 1 where !URICharacters.isUserInfo(entry.arena[place]) {
        throw fault("a character that cannot be part of a user", at: place)
      }
      let colon = entry.firstPlace(of: [0x3A], from: start, to: hostStart - 1)
      let userEnd = colon < 0 ? hostStart - 1 : colon
      if colon >= 0 { try checkEscapes(entry, from: colon + 1, to: hostStart - 1) }
      set(Name.user, try unescaped(&entry, from: start, to: userEnd), &entry)
    }
    try readHost(&entry, from: hostStart, to: end)
  }

  private func readHost(_ entry: inout LogEntry, from start: Int, to end: Int) throws(LogOperatorError) {
    var hostEnd = end
    var (nameStart, nameEnd) = (start, end)
    if start < end, entry.arena[start] == 0x5B {
      guard let bracket = (start..<end).last(where: { entry.arena[$0] == 0x5D }) else {
        throw fault("the bracket before the address is not closed", at: start)
      }
      hostEnd = bracket + 1
      (nameStart, nameEnd) = (start + 1, bracket)
    } else if let colon = (start..<end).last(where: { entry.arena[$0] == 0x3A }) {
      hostEnd = colon
      nameEnd = colon
    }
    if hostEnd < end {
      if entry.arena[hostEnd] != 0x3A { throw fault("expected a port", at: hostEnd) }
      for place in hostEnd + 1..<end where !(0x30...0x39 ~= entry.arena[place]) {
        throw fault("expected a digit of the port", at: place)
      }
    }
    set(Name.host, try unescapedHost(&entry, from: nameStart, to: nameEnd), &entry)
    if hostEnd + 1 < end { set(Name.port, WireRange(hostEnd + 1, end), &entry) }
  }

  /// A host with its percent signs resolved, which only bytes beyond ASCII and a zone (RFC 6874) may have.
  private func unescapedHost(
    _ entry: inout LogEntry, from start: Int, to end: Int
  ) throws(LogOperatorError) -> WireRange {
    var isZone = false
    var place = start
    while place < end {
      let byte = entry.arena[place]
      if byte == 0x25 {
        guard let value = escape(entry, at: place, before: end) else { throw invalidEscape(place) }
        if value == 0x25 {
          isZone = true
        } else if value < 0x80, !isZone || (value != 0x20 && !URICharacters.isHost(value)) {
          throw invalidEscape(place)
        }
        place += 3
      } else {
        if byte < 0x80, !URICharacters.isHost(byte) {
          throw fault("a character that cannot be part of a host", at: place)
        }
        place += 1
      }
    }
    return try unescaped(&entry, from: start, to: end)
  }

  // The path.

  /// The path as it is when all of it may stand in a URI, or else with what may not behind percent signs.
  private func escapedPath(
    _ entry: inout LogEntry, from start: Int, to end: Int
  ) throws(LogOperatorError) -> WireRange {
    try checkEscapes(entry, from: start, to: end)
    if (start..<end).allSatisfy({ URICharacters.isPath(entry.arena[$0]) }) { return WireRange(start, end) }
    let copy = entry.arena.count
    var place = start
    while place < end {
      var byte = entry.arena[place]
      if byte == 0x25, let value = escape(entry, at: place, before: end) {
        byte = value
        place += 2
      }
      place += 1
      if URICharacters.staysInPath(byte) {
        entry.arena.append(byte)
      } else {
        entry.arena.append(0x25)
        entry.arena.append(URICharacters.hexDigit(byte >> 4))
        entry.arena.append(URICharacters.hexDigit(byte & 15))
      }
    }
    return WireRange(copy, entry.arena.count)
  }

  // The query.

  private func readQuery(
    _ entry: inout LogEntry, from start: Int, to end: Int, skipsFaults: Bool
  ) throws(LogOperatorError) {
    let (parameters, value) = entry.makeMap()
    var keys = SeenKeys()
    var place = start
    while place < end {
      let ampersand = entry.firstPlace(of: [0x26], from: place, to: end)
      let pairEnd = ampersand < 0 ? end : ampersand
      do throws(LogOperatorError) {
        try readPair(&entry, from: place, to: pairEnd, into: parameters, &keys)
      } catch {
        if !skipsFaults { throw error }
      }
      place = pairEnd + 1
    }
    if keys.count > SeenKeys.maxCompared { entry.joinLists(of: parameters) }
    if keys.count > 0 {
      entry.append(key: key(Name.query, &entry), value, to: map)
    }
  }

  private func readPair(
    _ entry: inout LogEntry, from start: Int, to end: Int, into parameters: LogChain, _ keys: inout SeenKeys
  ) throws(LogOperatorError) {
    if start == end { return }
    let semicolon = entry.firstPlace(of: [0x3B], from: start, to: end)
    if semicolon >= 0 { throw fault("a semicolon in the query", at: semicolon) }
    let equals = entry.firstPlace(of: [0x3D], from: start, to: end)
    let keyEnd = equals < 0 ? end : equals
    try checkEscapes(entry, from: start, to: keyEnd)
    if equals >= 0 { try checkEscapes(entry, from: equals + 1, to: end) }
    let key = try unescaped(&entry, from: start, to: keyEnd, plusIsSpace: true)
    let value =
      equals < 0
      ? WireRange(end, end) : try unescaped(&entry, from: equals + 1, to: end, plusIsSpace: true)
    keys.count += 1
    // Those of very many parameters are put together at the end.
    let position = keys.count <= SeenKeys.maxCompared ? entry.slot(of: entry.text(key), in: parameters) : -1
    if position >= 0, let list = entry.slots[position].value.chain {
      entry.append(.string(value), to: list)
    } else {
      let (list, listValue) = entry.makeList()
      entry.append(.string(value), to: list)
      entry.append(key: key, listValue, to: parameters)
    }
  }

  // Percent signs.

  private func invalidEscape(_ place: Int) -> LogOperatorError { fault("an invalid escape", at: place) }

  /// The byte that the percent sign at a place stands for; nil when two hexadecimal digits do not follow.
  private func escape(_ entry: borrowing LogEntry, at place: Int, before end: Int) -> UInt8? {
    guard place + 2 < end, let high = URICharacters.hexValue(entry.arena[place + 1]),
      let low = URICharacters.hexValue(entry.arena[place + 2])
    else { return nil }
    return high << 4 | low
  }

  private func checkEscapes(
    _ entry: borrowing LogEntry, from start: Int, to end: Int
  ) throws(LogOperatorError) {
    for place in start..<end where entry.arena[place] == 0x25 {
      if escape(entry, at: place, before: end) == nil { throw invalidEscape(place) }
    }
  }

  /// The text with its percent signs resolved; the range itself when it has none.
  private func unescaped(
    _ entry: inout LogEntry, from start: Int, to end: Int, plusIsSpace: Bool = false
  ) throws(LogOperatorError) -> WireRange {
    func isSpecial(_ byte: UInt8) -> Bool { byte == 0x25 || (plusIsSpace && byte == 0x2B) }
    if !(start..<end).contains(where: { isSpecial(entry.arena[$0]) }) { return WireRange(start, end) }
    let copy = entry.arena.count
    var place = start
    while place < end {
      let byte = entry.arena[place]
      if byte == 0x25 {
        guard let value = escape(entry, at: place, before: end) else { throw invalidEscape(place) }
        entry.arena.append(value)
        place += 3
      } else {
        entry.arena.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
        place += 1
      }
    }
    return entry.repairUTF8(from: copy)
  }
}

extension LogEntry {
  /// The text in small letters, as far as ASCII goes; the range itself when it has no others.
  fileprivate mutating func lowercased(_ range: WireRange) -> WireRange {
    if !range.range.contains(where: { 0x41...0x5A ~= arena[$0] }) { return range }
    let start = arena.count
    for place in range.range {
      let byte = arena[place]
      arena.append(0x41...0x5A ~= byte ? byte | 0x20 : byte)
    }
    return WireRange(start, arena.count)
  }
}
