@_spi(Inside) internal import TelemetryData
internal import WireFormat

/// Reads a JSON text that lies in an entry's arena into values of that entry (RFC 8259).
///
/// Strings stay where they are in the text; only those with escapes are resolved behind it. As the Collector does it,
/// half of a surrogate pair and malformed UTF-8 become U+FFFD, control characters in strings are taken as they are, and
/// of several equal keys the last wins.
struct JSONEntryReader {
  /// How deep values may be nested: as deep as the check of OTLP data allows.
  static let maxDepth = 64
  /// Where the next byte stands in the arena.
  var position: Int
  /// Where the text ends in the arena.
  let end: Int
  /// Whether numbers without fraction and exponent become integers.
  let keepsIntegers: Bool

  init(_ text: WireRange, keepsIntegers: Bool) {
    position = text.lowerBound
    end = text.upperBound
    self.keepsIntegers = keepsIntegers
  }

  /// Reads the text, which must hold one object or `null` and nothing else.
  ///
  /// - Returns: the object, not yet part of anything, or nil for `null`.
  mutating func readObject(into entry: inout LogEntry) throws(JSONFault) -> LogChain? {
    var scanner = scanner(entry)
    scanner.skipSpace()
    position = scanner.position
    var object: LogChain?
    if scanner.next == 0x6E {
      try scanner.takeWord("null", .object)
      position = scanner.position
    } else {
      if scanner.next != 0x7B { throw scanner.unexpected(.object) }
      object = try readMembers(into: &entry, depth: 1)
    }
    try finish(entry)
    return object
  }

  /// Checks that only space follows.
  mutating func finish(_ entry: borrowing LogEntry) throws(JSONFault) {
    var scanner = scanner(entry)
    scanner.skipSpace()
    if scanner.position < end { throw JSONFault(.trailingText, at: scanner.position) }
  }

  @inline(__always)
  @_lifetime(borrow entry)
  private func scanner(_ entry: borrowing LogEntry) -> JSONScanner {
    JSONScanner(entry.arena.span.extracting(first: end), at: position, isLenient: true)
  }

  // Values.

  /// Reads the object whose opening brace stands here.
  mutating func readMembers(into entry: inout LogEntry, depth: Int) throws(JSONFault) -> LogChain {
    if depth > Self.maxDepth { throw JSONFault(.tooDeep, at: position) }
    let map = entry.makeMap().chain
    var keys = SeenKeys()
    var goesOn = try open(entry, closing: 0x7D)
    while goesOn {
      var scanner = scanner(entry)
      let name = try scanner.takeString(.name)
      let hash = SeenKeys.hash(scanner.text, from: name.start, to: name.end)
      scanner.skipSpace()
      try scanner.take(0x3A, .colon)
      scanner.skipSpace()
      position = scanner.position
      let key = name.hasEscapes ? try resolve(name, in: &entry) : WireRange(name.start, name.end)
      let value = try readValue(into: &entry, depth: depth)
      if name.hasEscapes { keys.rememberAll() }
      if keys.mayHold(hash), keys.count < SeenKeys.maxCompared {
        entry.set(key, to: value, in: map)
      } else {
        entry.append(key: key, value, to: map)
      }
      keys.count &+= 1
      goesOn = try separate(entry, closing: 0x7D, .commaOrBrace)
    }
    if keys.count > SeenKeys.maxCompared { entry.removeDuplicates(of: map) }
    return map
  }

  /// Reads the list whose opening bracket stands here.
  private mutating func readElements(into entry: inout LogEntry, depth: Int) throws(JSONFault) -> LogValue {
    if depth > Self.maxDepth { throw JSONFault(.tooDeep, at: position) }
    let (list, value) = entry.makeList()
    var goesOn = try open(entry, closing: 0x5D)
    while goesOn {
      entry.append(try readValue(into: &entry, depth: depth), to: list)
      goesOn = try separate(entry, closing: 0x5D, .commaOrBracket)
    }
    return value
  }

  /// Steps over the opening bracket of an array that is the whole text; false when the array is empty.
  mutating func openArray(_ entry: borrowing LogEntry) throws(JSONFault) -> Bool {
    var scanner = scanner(entry)
    scanner.skipSpace()
    if scanner.next != 0x5B { throw scanner.unexpected(.array) }
    position = scanner.position
    return try open(entry, closing: 0x5D)
  }

  /// Steps over what stands between two elements; false behind the last.
  mutating func separateElements(_ entry: borrowing LogEntry) throws(JSONFault) -> Bool {
    try separate(entry, closing: 0x5D, .commaOrBracket)
  }

  /// Steps over the object or list that stands here, whose text is returned; nil when it is another value.
  mutating func skipNested(_ entry: borrowing LogEntry) throws(JSONFault) -> WireRange? {
    var scanner = scanner(entry)
    if scanner.next != 0x7B && scanner.next != 0x5B { return nil }
    let start = position
    try scanner.skipValue()
    position = scanner.position
    return WireRange(start, position)
  }

  @inline(__always)
  private mutating func open(_ entry: borrowing LogEntry, closing: UInt8) throws(JSONFault) -> Bool {
    var scanner = scanner(entry)
    scanner.position &+= 1
    scanner.skipSpace()
    let isEmpty = scanner.next == closing
    position = scanner.position &+ (isEmpty ? 1 : 0)
    return !isEmpty
  }

  @inline(__always)
  private mutating func separate(
    _ entry: borrowing LogEntry, closing: UInt8, _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) -> Bool {
    var scanner = scanner(entry)
    let goesOn = try scanner.takeSeparator(closing: closing, expectation)
    position = scanner.position
    return goesOn
  }

  /// Reads the value that stands here.
  @inline(__always)
  mutating func readValue(into entry: inout LogEntry, depth: Int) throws(JSONFault) -> LogValue {
    var scanner = scanner(entry)
    switch scanner.next {
    case 0x22:
      let string = try scanner.takeString()
      position = scanner.position
      if string.hasEscapes { return .string(try resolve(string, in: &entry)) }
      return .string(WireRange(string.start, string.end))
    case 0x2D, 0x30...0x39: return try readNumber(entry)
    case 0x7B: return LogValue(.map, bits: UInt64(try readMembers(into: &entry, depth: depth &+ 1).position))
    case 0x5B: return try readElements(into: &entry, depth: depth &+ 1)
    default: return try readWord(entry)
    }
  }

  private mutating func readWord(_ entry: borrowing LogEntry) throws(JSONFault) -> LogValue {
    var scanner = scanner(entry)
    let value: LogValue
    switch scanner.next {
    case 0x74:
      try scanner.takeWord("true", .value)
      value = .bool(true)
    case 0x66:
      try scanner.takeWord("false", .value)
      value = .bool(false)
    case 0x6E:
      try scanner.takeWord("null", .value)
      value = .null
    default: throw scanner.unexpected(.value)
    }
    position = scanner.position
    return value
  }

  // Strings.

  /// Puts the bytes of a string with its escapes resolved into the arena.
  @inline(never)
  func resolve(_ string: JSONScanner.RawString, in entry: inout LogEntry) throws(JSONFault) -> WireRange {
    let start = entry.arena.count
    entry.arena.reserveCapacity(start + string.end - string.start)
    var place = string.start
    while place < string.end {
      var plain = place
      while plain < string.end, entry.arena[plain] != 0x5C { plain &+= 1 }
      entry.repeatArena(from: place, to: plain)
      place = plain
      if place < string.end {
        let (scalar, next) = try scanner(entry).unescape(at: place, to: string.end)
        for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { entry.arena.append(unit) }
        place = next
      }
    }
    return entry.repairUTF8(from: start)
  }

  // Numbers.

  /// Reads the number that stands here.
  @inline(__always)
  private mutating func readNumber(_ entry: borrowing LogEntry) throws(JSONFault) -> LogValue {
    let text = entry.arena.span.extracting(first: end)
    let isNegative = text[position] == 0x2D
    let first = position &+ (isNegative ? 1 : 0)
    var place = first
    var magnitude: UInt64 = 0
    while place < end {
      let digit = text[place] &- 0x30
      if digit > 9 { break }
      magnitude = magnitude &* 10 &+ UInt64(digit)
      place &+= 1
    }
    let digits = place &- first
    let behind = place < end ? text[place] : 0
    // Up to 18 digits fit. Anything unusual goes through the whole grammar.
    let isUsual = digits > 0 && digits <= 18 && (digits == 1 || text[first] != 0x30)
    if !isUsual || behind == 0x2E || behind | 0x20 == 0x65 || !keepsIntegers {
      return try readUnusualNumber(text)
    }
    position = place
    let value = Int64(bitPattern: magnitude)
    return .int(isNegative ? 0 &- value : value)
  }

  @inline(never)
  private mutating func readUnusualNumber(_ text: Span<UInt8>) throws(JSONFault) -> LogValue {
    let start = position
    let number = try JSONNumber(text, at: start, allowingLeadingZeros: false)
    position = number.end
    if keepsIntegers {
      var isInteger = !number.isInexact && number.exponent == 0
      for place in start..<number.end where text[place] == 0x2E || text[place] | 0x20 == 0x65 {
        isInteger = false
      }
      let limit = UInt64(Int64.max) &+ (number.isNegative ? 1 : 0)
      if isInteger, number.significand <= limit {
        let value = Int64(bitPattern: number.significand)
        return .int(number.isNegative ? 0 &- value : value)
      }
    }
    let value = number.double(text, from: start)
    if value.isInfinite {
      // The Collector keeps the digits where it reads integers, and refuses the text where it does not.
      if !keepsIntegers { throw JSONFault(.numberOutOfRange, at: start) }
      return .string(WireRange(start, number.end))
    }
    return .double(value)
  }
}
