public import WireFormat

/// Reads the tokens of a JSON text one after the other, straight from its bytes (RFC 8259).
@_spi(Inside) public struct JSONScanner: ~Escapable {
  public let text: Span<UInt8>
  /// The next byte to read.
  public var position = 0
  /// Whether strings may hold control characters and malformed UTF-8: as they are, for whoever resolves the string.
  @usableFromInline
  let isLenient: Bool
  /// How deep values that nobody wants may be nested.
  static let maxSkippedDepth = 256

  @inlinable
  @_lifetime(copy text)
  public init(_ text: Span<UInt8>, at position: Int = 0, isLenient: Bool = false) {
    self.text = text
    self.position = position
    self.isLenient = isLenient
  }

  // Characters.

  /// The next byte, or zero, which is no token, at the end.
  @inlinable
  @inline(__always)
  public var next: UInt8 { position < text.count ? text[position] : 0 }

  @inlinable
  @inline(__always)
  public mutating func skipSpace() {
    if position < text.count, text[position] > 0x20 { return }
    skipSpaces()
  }

  @usableFromInline
  @inline(never)
  mutating func skipSpaces() {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
      default: return
      }
    }
  }

  @inline(never)
  public func unexpected(_ expectation: OTLPJSONError.Expectation) -> JSONFault {
    JSONFault(position < text.count ? .expected(expectation) : .endOfText, at: position)
  }

  @inlinable
  @inline(__always)
  public mutating func take(_ byte: UInt8, _ expectation: OTLPJSONError.Expectation) throws(JSONFault) {
    if next != byte { throw unexpected(expectation) }
    position &+= 1
  }

  /// Steps over what separates two members of an object or a list; false at its closing character.
  @inlinable
  @inline(__always)
  public mutating func takeSeparator(
    closing: UInt8, _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) -> Bool {
    skipSpace()
    let byte = next
    if byte != 0x2C && byte != closing { throw unexpected(expectation) }
    position &+= 1
    if byte == closing { return false }
    skipSpace()
    return true
  }

  /// Steps over an opening character and, where nothing follows, over the closing one too; then it is false.
  @inlinable
  @inline(__always)
  public mutating func takeOpening(
    _ opening: UInt8, closing: UInt8, _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) -> Bool {
    try take(opening, expectation)
    skipSpace()
    if next != closing { return true }
    position &+= 1
    return false
  }

  /// Steps over a word such as `null`.
  public mutating func takeWord(
    _ word: StaticString, _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) {
    let start = position
    for byte in word.description.utf8 {
      if next != byte {
        position = start
        throw unexpected(expectation)
      }
      position += 1
    }
  }

  /// Steps over `null` if it stands here.
  @inlinable
  @inline(__always)
  public mutating func takeNull() throws(JSONFault) -> Bool {
    if next != 0x6E { return false }
    try takeWord("null", .value)
    return true
  }

  public mutating func takeBoolean() throws(JSONFault) -> Bool {
    let isTrue = next == 0x74
    if isTrue { try takeWord("true", .boolean) } else { try takeWord("false", .boolean) }
    return isTrue
  }

  // Strings.

  /// The inside of a string as it stands in the text.
  public struct RawString {
    public var start: Int
    public var end: Int
    /// Whether there are backslashes to resolve, or malformed bytes to replace.
    public var hasEscapes: Bool

    @inlinable
    public init(start: Int, end: Int, hasEscapes: Bool) {
      self.start = start
      self.end = end
      self.hasEscapes = hasEscapes
    }
  }

  /// Steps over a string and checks its characters; escapes are only looked at when they are resolved.
  @inlinable
  @inline(__always)
  public mutating func takeString(
    _ expectation: OTLPJSONError.Expectation = .string
  ) throws(JSONFault) -> RawString {
    try take(0x22, expectation)
    let start = position
    var end = start
    var bits: UInt64 = 0
    while end &+ 8 <= text.count {
      let word = text.loadUInt64(at: end)
      let clear = JSONCharacters.unescapedPrefix(word)
      end &+= clear
      bits |= word
      if clear < 8 { break }
    }
    // Bytes behind the end may have set a high bit as well; that costs a look, no more.
    if end < text.count, text[end] == 0x22 {
      position = end &+ 1
      let isMalformed = bits & 0x8080_8080_8080_8080 != 0 ? try isMalformed(from: start, to: end) : false
      return RawString(start: start, end: end, hasEscapes: isMalformed)
    }
    return try takeLongString(start)
  }

  /// Whether bytes are not UTF-8, where that is no reason to stop.
  @usableFromInline
  func isMalformed(from start: Int, to end: Int) throws(JSONFault) -> Bool {
    let place = UTF8Check.firstInvalid(in: text, from: start, to: end)
    if place >= 0 && !isLenient { throw JSONFault(.invalidUTF8, at: place) }
    return place >= 0
  }

  /// The place of the first quote, backslash or control character from a place on, or the end.
  @inline(__always)
  public func endOfPlain(from start: Int, to end: Int) -> Int {
    var place = start
    while place < end, place &+ 8 <= text.count {
      let clear = JSONCharacters.unescapedPrefix(text.loadUInt64(at: place))
      place &+= clear
      if clear < 8 { return min(place, end) }
    }
    while place < end, !JSONCharacters.mustEscape(text[place]) { place &+= 1 }
    return min(place, end)
  }

  @usableFromInline
  @inline(never)
  mutating func takeLongString(_ start: Int) throws(JSONFault) -> RawString {
    var end = start
    var hasEscapes = false
    while true {
      end = endOfPlain(from: end, to: text.count)
      if end >= text.count { throw JSONFault(.endOfText, at: text.count) }
      switch text[end] {
      case 0x22:
        position = end + 1
        if try isMalformed(from: start, to: end) { hasEscapes = true }
        return RawString(start: start, end: end, hasEscapes: hasEscapes)
      case 0x5C:
        hasEscapes = true
        end += 2
      default:
        if !isLenient { throw JSONFault(.controlCharacter, at: end) }
        end += 1
      }
    }
  }

  /// The character that the escape at an offset, of its backslash, stands for, and the offset behind.
  ///
  /// Half of a surrogate pair becomes U+FFFD, as in the Collector and in Go's own decoder.
  public func unescape(at start: Int, to end: Int) throws(JSONFault) -> (scalar: Unicode.Scalar, next: Int) {
    let fault = JSONFault(.invalidEscape, at: start)
    guard start + 1 < end else { throw fault }
    switch text[start + 1] {
    case 0x22: return ("\"", start + 2)
    case 0x5C: return ("\\", start + 2)
    case 0x2F: return ("/", start + 2)
    case 0x62: return ("\u{8}", start + 2)
    case 0x66: return ("\u{C}", start + 2)
    case 0x6E: return ("\n", start + 2)
    case 0x72: return ("\r", start + 2)
    case 0x74: return ("\t", start + 2)
    case 0x75:
      guard let unit = codeUnit(at: start, to: end) else { throw fault }
      if let scalar = Unicode.Scalar(unit) { return (scalar, start + 6) }
      if unit < 0xDC00, let low = codeUnit(at: start + 6, to: end), 0xDC00...0xDFFF ~= low {
        let value = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        return (Unicode.Scalar(value) ?? "\u{FFFD}", start + 12)
      }
      return ("\u{FFFD}", start + 6)
    default: throw fault
    }
  }

  /// The UTF-16 code unit of the `\uXXXX` at an offset, or nil when none stands there.
  private func codeUnit(at start: Int, to end: Int) -> UInt16? {
    guard end - start >= 6, text[start] == 0x5C, text[start + 1] == 0x75 else { return nil }
    var unit: UInt16 = 0
    for index in start + 2..<start + 6 {
      guard let digit = JSONCharacters.hexValue(text[index]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  /// The bytes of a string with its escapes resolved.
  func contents(_ string: RawString) throws(JSONFault) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(string.end - string.start)
    var place = string.start
    while place < string.end {
      if text[place] == 0x5C {
        let (scalar, next) = try unescape(at: place, to: string.end)
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        place = next
      } else {
        bytes.append(text[place])
        place += 1
      }
    }
    return bytes
  }

  // Anything.

  /// Steps over a value of any kind, checking that it is well-formed.
  public mutating func skipValue(depth: Int = 0) throws(JSONFault) {
    switch next {
    case 0x22:
      let string = try takeString()
      if string.hasEscapes { try checkEscapes(string) }
    case 0x7B:
      if depth == Self.maxSkippedDepth { throw JSONFault(.tooDeep, at: position) }
      var goesOn = try takeOpening(0x7B, closing: 0x7D, .object)
      while goesOn {
        let name = try takeString(.name)
        if name.hasEscapes { try checkEscapes(name) }
        skipSpace()
        try take(0x3A, .colon)
        skipSpace()
        try skipValue(depth: depth + 1)
        goesOn = try takeSeparator(closing: 0x7D, .commaOrBrace)
      }
    case 0x5B:
      if depth == Self.maxSkippedDepth { throw JSONFault(.tooDeep, at: position) }
      var goesOn = try takeOpening(0x5B, closing: 0x5D, .array)
      while goesOn {
        try skipValue(depth: depth + 1)
        goesOn = try takeSeparator(closing: 0x5D, .commaOrBracket)
      }
    case 0x74: try takeWord("true", .value)
    case 0x66: try takeWord("false", .value)
    case 0x6E: try takeWord("null", .value)
    case 0x2D, 0x30...0x39: position = try JSONNumber(text, at: position, allowingLeadingZeros: false).end
    default: throw unexpected(.value)
    }
  }

  private func checkEscapes(_ string: RawString) throws(JSONFault) {
    var place = string.start
    while place < string.end {
      place = text[place] == 0x5C ? try unescape(at: place, to: string.end).next : place + 1
    }
  }
}
