internal import WireFormat

extension JSONScanner {
  /// An integer that may be negative, as a number or a string.
  @inline(__always)
  mutating func takeSigned(
    in range: ClosedRange<Int64>, _ expectation: OTLPJSONError.Expectation = .integer
  ) throws(JSONFault) -> Int64 {
    let start = position
    let (magnitude, isNegative) = try takeInteger(expectation)
    let limit = UInt64(Int64.max) &+ (isNegative ? 1 : 0)
    if magnitude > limit { throw JSONFault(.numberOutOfRange, at: start) }
    let bits = Int64(bitPattern: magnitude)
    let value = isNegative ? 0 &- bits : bits
    if !range.contains(value) { throw JSONFault(.numberOutOfRange, at: start) }
    return value
  }

  /// An integer from zero up, as a number or a string.
  @inline(__always)
  mutating func takeUnsigned(upTo limit: UInt64) throws(JSONFault) -> UInt64 {
    let start = position
    let (magnitude, isNegative) = try takeInteger(.integer)
    if magnitude > limit || (isNegative && magnitude != 0) { throw JSONFault(.numberOutOfRange, at: start) }
    return magnitude
  }

  @inline(__always)
  private mutating func takeInteger(
    _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) -> (magnitude: UInt64, isNegative: Bool) {
    let isQuoted = next == 0x22
    var place = position &+ (isQuoted ? 1 : 0)
    let start = place
    var value: UInt64 = 0
    while place &+ 8 <= text.count, let eight = JSONDigits.value(text.loadUInt64(at: place)) {
      if place &- start >= 16 { return try takeUnusualInteger(expectation) }
      value = value &* 100_000_000 &+ eight
      place &+= 8
    }
    while place < text.count, JSONCharacters.isDigit(text[place]) {
      value = value &* 10 &+ UInt64(text[place] &- 0x30)
      place &+= 1
    }
    let digits = place &- start
    // Up to 19 digits cannot overflow. What comes behind tells whether that was all, or goes to the full
    // grammar.
    if digits == 0 || digits > 19 || place >= text.count { return try takeUnusualInteger(expectation) }
    let end = text[place]
    if isQuoted {
      if end != 0x22 { return try takeUnusualInteger(expectation) }
      position = place &+ 1
    } else {
      let hasLeadingZero = digits > 1 && text[start] == 0x30
      if end | 0x20 == 0x65 || end == 0x2E || hasLeadingZero { return try takeUnusualInteger(expectation) }
      position = place
    }
    return (value, false)
  }

  /// Negative numbers, those of 20 digits, with an exponent or a fraction of zeros, and what is no integer at
  /// all.
  @inline(never)
  private mutating func takeUnusualInteger(
    _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) -> (magnitude: UInt64, isNegative: Bool) {
    let start = position
    let number = try takeNumber(expectation)
    if let magnitude = number.magnitude { return (magnitude, number.isNegative) }
    throw JSONFault(number.hasFraction ? .notAnInteger : .numberOutOfRange, at: start)
  }

  /// A number, or a string with nothing but a number in it.
  private mutating func takeNumber(
    _ expectation: OTLPJSONError.Expectation
  ) throws(JSONFault) -> JSONNumber {
    let start = position
    let isQuoted = next == 0x22
    let first = position + (isQuoted ? 1 : 0)
    if !isQuoted && next != 0x2D && !JSONCharacters.isDigit(next) { throw unexpected(expectation) }
    let number: JSONNumber
    do throws(JSONFault) {
      number = try JSONNumber(text, at: first, allowingLeadingZeros: isQuoted)
    } catch {
      throw JSONFault(error.reason, at: start)
    }
    position = number.end
    if isQuoted {
      if next != 0x22 { throw JSONFault(.invalidNumber, at: start) }
      position += 1
    }
    return number
  }

  /// A double: a number, a string with one in it, or one of the strings for what JSON has no numbers for.
  mutating func takeDouble() throws(JSONFault) -> Double {
    let start = position
    if next == 0x22, let special = try takeSpecialDouble() { return special }
    let number = try takeNumber(.number)
    let value = number.double(text, from: start + (text[start] == 0x22 ? 1 : 0))
    if value.isInfinite { throw JSONFault(.numberOutOfRange, at: start) }
    return value
  }

  private mutating func takeSpecialDouble() throws(JSONFault) -> Double? {
    let start = position
    if position + 1 < text.count, JSONCharacters.isDigit(text[position + 1]) { return nil }
    let string = try contents(try takeString())
    switch String(decoding: string, as: UTF8.self) {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      position = start
      return nil
    }
  }
}
