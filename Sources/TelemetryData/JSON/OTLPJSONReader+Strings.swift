internal import WireFormat

extension OTLPJSONReader {
  @inline(__always)
  mutating func readString(_ number: UInt32, _ keepsDefault: Bool) throws(JSONFault) {
    let string = try scanner.takeString()
    if string.hasEscapes { return try writeUnescaped(string, number) }
    if string.start == string.end && !keepsDefault { return }
    writer.bytesField(number, scanner.text.extracting(string.start..<string.end))
  }

  @inline(never)
  private mutating func writeUnescaped(
    _ string: JSONScanner.RawString, _ number: UInt32
  ) throws(JSONFault) {
    let mark = writer.beginMessage(number)
    var place = string.start
    while true {
      let plain = place
      place = scanner.endOfPlain(from: place, to: string.end)
      writer.write(scanner.text.extracting(plain..<place))
      if place == string.end { break }
      // Nothing but a backslash ends plain text within a string that has been stepped over.
      let (scalar, next) = try scanner.unescape(at: place, to: string.end)
      writeUTF8(scalar)
      place = next
    }
    writer.endMessage(mark)
  }

  @inline(__always)
  private mutating func writeUTF8(_ scalar: Unicode.Scalar) {
    var units = InlineArray<4, UInt8>(repeating: 0)
    var count = 0
    for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
      units[count] = unit
      count += 1
    }
    writer.write(units.span.extracting(0..<count))
  }

  /// Reads an id from hexadecimal digits; an empty string is no id.
  @inline(__always)
  mutating func readID(
    _ number: UInt32, _ keepsDefault: Bool, digits: Int, _ reason: OTLPJSONError.Reason
  ) throws(JSONFault) {
    let start = scanner.position
    let string = try scanner.takeString()
    if string.hasEscapes {
      let contents = try scanner.contents(string)
      return try writeID(contents.span, number, keepsDefault, digits: digits, JSONFault(reason, at: start))
    }
    let text = scanner.text.extracting(string.start..<string.end)
    try writeID(text, number, keepsDefault, digits: digits, JSONFault(reason, at: start))
  }

  @inline(__always)
  private mutating func writeID(
    _ text: Span<UInt8>, _ number: UInt32, _ keepsDefault: Bool, digits: Int, _ fault: JSONFault
  ) throws(JSONFault) {
    if text.count != digits {
      if !text.isEmpty { throw fault }
      if keepsDefault { writer.bytesField(number, text) }
      return
    }
    writer.writeTag(.lengthDelimited(number))
    writer.writeVarint(UInt64(digits / 2))
    var place = 0
    while place < digits {
      guard let bytes = JSONDigits.bytes(hex: text.loadUInt64(at: place)) else { throw fault }
      writer.writeFixed32(bytes)
      place &+= 8
    }
  }

  /// Reads bytes from base64 in either alphabet, with or without padding.
  mutating func readBase64(_ number: UInt32, _ keepsDefault: Bool) throws(JSONFault) {
    let start = scanner.position
    let string = try scanner.takeString()
    if string.start == string.end && !keepsDefault { return }
    guard let bytes = Base64.decode(try scanner.contents(string)) else {
      throw JSONFault(.invalidBase64, at: start)
    }
    writer.bytesField(number, bytes)
  }
}

/// Base64 as JSON texts bring it (RFC 4648 §4 and §5).
enum Base64 {
  /// The bytes, or nil when a character or the length is wrong; the bits behind the last byte are not looked
  /// at.
  static func decode(_ text: [UInt8]) -> [UInt8]? {
    var characters = text[...]
    if characters.count % 4 == 0 {
      for _ in 0..<2 where characters.last == 0x3D { characters.removeLast() }
    }
    if characters.count % 4 == 1 { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(characters.count * 3 / 4)
    var group: UInt32 = 0
    var bits = 0
    for character in characters {
      guard let sextet = sextet(character) else { return nil }
      group = group << 6 | UInt32(sextet)
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
      }
    }
    return bytes
  }

  private static func sextet(_ character: UInt8) -> UInt8? {
    switch character {
    case 0x41...0x5A: character - 0x41
    case 0x61...0x7A: character - 0x61 + 26
    case 0x30...0x39: character - 0x30 + 52
    case 0x2B, 0x2D: 62
    case 0x2F, 0x5F: 63
    default: nil
    }
  }
}
