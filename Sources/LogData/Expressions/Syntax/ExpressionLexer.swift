/// Cuts the text of an expression into words.
struct ExpressionLexer {
  private let bytes: [UInt8]
  private var position = 0
  private var tokens: [ExpressionToken] = []

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// The words of a text, an ``ExpressionToken/Kind/end`` last.
  static func tokens(of text: String) throws(ExpressionError) -> [ExpressionToken] {
    var lexer = ExpressionLexer(text)
    while try lexer.next() {}
    return lexer.tokens
  }

  private mutating func next() throws(ExpressionError) -> Bool {
    try skipBlanks()
    let start = position
    guard let byte = peek() else {
      add(.end, from: start)
      return false
    }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
      try string()
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      try number()
    case UInt8(ascii: "."):
      if let after = peek(1), Self.isDigit(after) { try number() } else { try symbol() }
    case UInt8(ascii: "#"):
      position += 1
      add(.symbol, from: start)
      // A name belongs to it only without a space between, as in `#index`.
      if isNamePart { name() }
    default:
      if isNamePart { name() } else { try symbol() }
    }
    return true
  }

  // Blanks and comments.

  private mutating func skipBlanks() throws(ExpressionError) {
    while let byte = peek() {
      if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "/") {
        while let next = peek(), next != UInt8(ascii: "\n") { position += 1 }
      } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        let start = position
        position += 2
        while peek() != UInt8(ascii: "*") || peek(1) != UInt8(ascii: "/") {
          guard peek() != nil else {
            throw ExpressionError("the comment has no `*/` at its end", at: start, length: 2)
          }
          position += 1
        }
        position += 2
      } else if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
        position += 1
      } else if byte >= 0x80, let scalar = TextScalars.decode(bytes.span, at: position),
        scalar.value.properties.isWhitespace
      {
        position += scalar.length
      } else {
        return
      }
    }
  }

  // Names and symbols.

  private var isNamePart: Bool {
    guard let byte = peek() else { return false }
    if byte < 0x80 {
      return byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || Self.isDigit(byte)
        || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }
    return TextScalars.decode(bytes.span, at: position)?.value.properties.isAlphabetic ?? false
  }

  private mutating func name() {
    let start = position
    while isNamePart { position += TextScalars.decode(bytes.span, at: position)?.length ?? 1 }
    let text = text(from: start)
    add(ExpressionToken.words.contains(text) ? .symbol : .name, from: start)
  }

  private static let pairs: Set<String> = ["..", "?.", "??", "||", "&&", "==", "!=", "<=", ">=", "**", "::"]
  private static let singles: Set<String> = [
    ".", "?", "|", ":", "(", ")", "[", "]", "{", "}", ",", ";", "%", "+", "-", "^", "<", ">", "*", "/", "!",
    "=",
  ]

  private mutating func symbol() throws(ExpressionError) {
    let start = position
    if position + 2 <= bytes.count {
      let pair = String(decoding: bytes[start..<start + 2], as: UTF8.self)
      if Self.pairs.contains(pair) {
        position += 2
        return add(.symbol, from: start)
      }
    }
    let length = TextScalars.decode(bytes.span, at: position)?.length ?? 1
    position += length
    let single = text(from: start)
    guard Self.singles.contains(single) else {
      let help = single == "&" ? "; for \"and\" write `&&`" : ""
      throw ExpressionError("`\(single)` is not part of the language\(help)", at: start, length: length)
    }
    add(.symbol, from: start)
  }

  // Numbers.

  private mutating func number() throws(ExpressionError) {
    let start = position
    var digits = "0123456789_"
    var isDecimal = true
    if peek() == UInt8(ascii: "0"), let letter = peek(1) {
      switch letter | 0x20 {
      case UInt8(ascii: "x"): digits = "0123456789abcdefABCDEF_"
      case UInt8(ascii: "o"): digits = "01234567_"
      case UInt8(ascii: "b"): digits = "01_"
      default: break
      }
      isDecimal = digits == "0123456789_"
      if !isDecimal { position += 2 }
    }
    skip(digits)
    // Two points are the operator of ranges: `1..3`.
    if isDecimal, peek() == UInt8(ascii: "."), peek(1) != UInt8(ascii: ".") {
      position += 1
      skip(digits)
    }
    if isDecimal, let letter = peek(), letter | 0x20 == UInt8(ascii: "e") {
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      skip(digits)
    }
    if isNamePart {
      while isNamePart { position += TextScalars.decode(bytes.span, at: position)?.length ?? 1 }
      throw ExpressionError("`\(text(from: start))` is not a number", at: start, length: position - start)
    }
    add(.number, from: start)
  }

  private mutating func skip(_ digits: String) {
    while let byte = peek(), digits.utf8.contains(byte) { position += 1 }
  }

  // Strings.

  private mutating func string() throws(ExpressionError) {
    let start = position
    let quote = bytes[position]
    let isRaw = quote == UInt8(ascii: "`")
    position += 1
    while peek() != quote {
      guard let byte = peek(), isRaw || byte != UInt8(ascii: "\n") else {
        throw ExpressionError(
          "the string has no \(UnicodeScalar(quote)) at its end"
            + (isRaw ? "" : "; one of several lines is written in backticks"), at: start, length: 1)
      }
      position += byte == UInt8(ascii: "\\") && !isRaw && peek(1) != nil ? 2 : 1
    }
    position += 1
    let literal = ExpressionLiteral(bytes[start..<position])
    let text = try literal.decoded()
    tokens.append(ExpressionToken(kind: .string, text: text, range: start..<position))
  }

  // Bytes.

  private func peek(_ distance: Int = 0) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  private func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

  private mutating func add(_ kind: ExpressionToken.Kind, from start: Int) {
    tokens.append(ExpressionToken(kind: kind, text: text(from: start), range: start..<position))
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
