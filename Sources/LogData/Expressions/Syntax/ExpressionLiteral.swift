/// A string literal as it stands in an expression, quotes included.
///
/// Between `"` or `'` a backslash escapes: `\n` and the like, `\'`, `\"`, octal `\101`, `\x41`, `\u0041`,
/// `\U0001F600`, all of which stand for a character. Between backticks nothing is escaped.
struct ExpressionLiteral {
  private let source: ArraySlice<UInt8>
  private let isRaw: Bool

  /// - Parameter source: bytes of the whole expression, so that their indices are the offsets of errors.
  init(_ source: ArraySlice<UInt8>) {
    self.source = source
    isRaw = source.first == UInt8(ascii: "`")
  }

  /// What the literal stands for.
  func decoded() throws(ExpressionError) -> String {
    var result = ""
    var position = source.startIndex + 1
    let end = source.endIndex - 1
    if isRaw { return String(decoding: source[position..<end], as: UTF8.self) }
    while position < end {
      let step = try character(at: position, before: end)
      result.unicodeScalars.append(step.scalar)
      position += step.length
    }
    return result
  }

  /// Where in the expression a byte of the decoded text is written.
  func offset(ofDecoded byte: Int) -> Int {
    var position = source.startIndex + 1
    let end = source.endIndex - 1
    if isRaw { return min(position + byte, end) }
    var decoded = 0
    while position < end, decoded < byte, let step = try? character(at: position, before: end) {
      decoded += UTF8.width(step.scalar)
      position += step.length
    }
    return position
  }

  private func character(
    at position: Int, before end: Int
  ) throws(ExpressionError) -> (scalar: UnicodeScalar, length: Int) {
    guard source[position] == UInt8(ascii: "\\") else {
      let scalar = TextScalars.decode(source, at: position)
      return (scalar.value, scalar.length)
    }
    guard position + 1 < end else { throw wrong(position, 1) }
    switch source[position + 1] {
    case UInt8(ascii: "a"): return ("\u{7}", 2)
    case UInt8(ascii: "b"): return ("\u{8}", 2)
    case UInt8(ascii: "f"): return ("\u{C}", 2)
    case UInt8(ascii: "n"): return ("\n", 2)
    case UInt8(ascii: "r"): return ("\r", 2)
    case UInt8(ascii: "t"): return ("\t", 2)
    case UInt8(ascii: "v"): return ("\u{B}", 2)
    case UInt8(ascii: "\\"): return ("\\", 2)
    case UInt8(ascii: "'"): return ("'", 2)
    case UInt8(ascii: "\""): return ("\"", 2)
    case UInt8(ascii: "`"): return ("`", 2)
    case UInt8(ascii: "x"): return try code(at: position, skipping: 2, digits: 2, radix: 16, before: end)
    case UInt8(ascii: "u"): return try code(at: position, skipping: 2, digits: 4, radix: 16, before: end)
    case UInt8(ascii: "U"): return try code(at: position, skipping: 2, digits: 8, radix: 16, before: end)
    case UInt8(ascii: "0")...UInt8(ascii: "3"):
      return try code(at: position, skipping: 1, digits: 3, radix: 8, before: end)
    default: throw wrong(position, 2)
    }
  }

  private func code(
    at position: Int, skipping: Int, digits: Int, radix: Int, before end: Int
  ) throws(ExpressionError) -> (scalar: UnicodeScalar, length: Int) {
    let (start, length) = (position + skipping, skipping + digits)
    guard start + digits <= end else { throw wrong(position, end - position) }
    let text = String(decoding: source[start..<start + digits], as: UTF8.self)
    guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
      let code = UInt32(text, radix: radix), let scalar = UnicodeScalar(code)
    else { throw wrong(position, length) }
    return (scalar, length)
  }

  private func wrong(_ position: Int, _ length: Int) -> ExpressionError {
    let help =
      switch position + 1 < source.endIndex - 1 ? source[position + 1] : 0 {
      case UInt8(ascii: "d"), UInt8(ascii: "s"), UInt8(ascii: "w"), UInt8(ascii: "D"), UInt8(ascii: "S"),
        UInt8(ascii: "W"), UInt8(ascii: "B"), UInt8(ascii: "."), UInt8(ascii: "["), UInt8(ascii: "("),
        UInt8(ascii: "{"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "/"),
        UInt8(ascii: "$"), UInt8(ascii: "|"), UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: "}"),
        UInt8(ascii: "-"):
        "; in a pattern write the backslash twice, or put the pattern in backticks"
      default: ""
      }
    let part = String(decoding: source[position..<min(position + length, source.endIndex)], as: UTF8.self)
    return ExpressionError("`\(part)` is not an escape of strings\(help)", at: position, length: length)
  }
}
