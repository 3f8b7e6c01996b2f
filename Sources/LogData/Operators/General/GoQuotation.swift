/// Go's string and character literals (The Go Programming Language Specification, "String literals").
enum GoQuotation {
  /// What a literal stands for; nil when it is none.
  static func content(of text: Span<UInt8>) -> [UInt8]? {
    guard text.count >= 2, text[0] == text[text.count - 1] else { return nil }
    switch text[0] {
    case UInt8(ascii: "`"): return raw(text)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return interpreted(text, quote: text[0])
    default: return nil
    }
  }

  /// Between back quotes all stands for itself, but carriage returns are left out.
  private static func raw(_ text: Span<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    for index in 1..<(text.count - 1) {
      if text[index] == UInt8(ascii: "`") { return nil }
      if text[index] != UInt8(ascii: "\r") { result.append(text[index]) }
    }
    return result
  }

  private static func interpreted(_ text: Span<UInt8>, quote: UInt8) -> [UInt8]? {
    var result: [UInt8] = []
    var characters = 0
    var index = 1
    let end = text.count - 1
    while index < end {
      let byte = text[index]
      if byte == quote || byte == UInt8(ascii: "\n") { return nil }
      if byte & 0xC0 != 0x80 { characters += 1 }
      index += 1
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard let length = append(escape: text.extracting(index..<end), quote, to: &result) else { return nil }
      index += length
    }
    return quote == UInt8(ascii: "'") && characters != 1 ? nil : result
  }

  /// Appends what an escape stands for; its length without the backslash.
  private static func append(escape: Span<UInt8>, _ quote: UInt8, to result: inout [UInt8]) -> Int? {
    guard escape.count > 0 else { return nil }
    switch escape[0] {
    case UInt8(ascii: "a"): result.append(0x07)
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "v"): result.append(0x0B)
    case UInt8(ascii: "\\"), quote: result.append(escape[0])
    case UInt8(ascii: "x"):
      guard let value = number(escape, from: 1, digits: 2, radix: 16) else { return nil }
      result.append(UInt8(truncatingIfNeeded: value))
      return 3
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      guard let value = number(escape, from: 0, digits: 3, radix: 8), value <= 255 else { return nil }
      result.append(UInt8(truncatingIfNeeded: value))
      return 3
    case UInt8(ascii: "u"): return append(scalar: escape, digits: 4, to: &result)
    case UInt8(ascii: "U"): return append(scalar: escape, digits: 8, to: &result)
    default: return nil
    }
    return 1
  }

  private static func append(scalar escape: Span<UInt8>, digits: Int, to result: inout [UInt8]) -> Int? {
    guard let value = number(escape, from: 1, digits: digits, radix: 16), let scalar = Unicode.Scalar(value)
    else {
      return nil
    }
    result.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    return digits + 1
  }

  private static func number(_ text: Span<UInt8>, from start: Int, digits: Int, radix: UInt32) -> UInt32? {
    guard text.count >= start + digits else { return nil }
    var value: UInt32 = 0
    for index in start..<(start + digits) {
      guard let digit = Character(Unicode.Scalar(text[index])).hexDigitValue, digit < Int(radix) else {
        return nil
      }
      value = value &* radix &+ UInt32(digit)
    }
    return value
  }
}
