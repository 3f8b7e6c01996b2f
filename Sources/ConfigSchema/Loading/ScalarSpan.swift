/// Finds how long a scalar is in its line; the parser only tells where it starts.
enum ScalarSpan {
  /// The start with the length of the scalar, or of its part on the first line.
  static func origin(of text: String, isPlain: Bool, at start: Origin) -> Origin {
    guard let line = start.source.line(start.line) else { return start }
    let rest = line.unicodeScalars.dropFirst(start.column - 1)
    let length = isPlain ? plainLength(text, rest) : quotedLength(rest)
    return Origin(source: start.source, line: start.line, column: start.column, length: length)
  }

  private static func plainLength(_ text: String, _ rest: Substring.UnicodeScalarView) -> Int {
    if rest.starts(with: text.unicodeScalars) { return text.unicodeScalars.count }
    return upToComment(rest)
  }

  private static func quotedLength(_ rest: Substring.UnicodeScalarView) -> Int {
    guard let quote = rest.first, quote == "\"" || quote == "'" else {
      return rest.first == "&" || rest.first == "!" ? upToComment(rest) : 1
    }
    var length = 1
    var isEscaped = false
    for scalar in rest.dropFirst() {
      length += 1
      if isEscaped {
        isEscaped = false
      } else if scalar == "\\", quote == "\"" {
        isEscaped = true
      } else if scalar == quote {
        return length
      }
    }
    return length
  }

  /// The length up to a comment, without the spaces before it.
  private static func upToComment(_ rest: Substring.UnicodeScalarView) -> Int {
    var length = 0
    var last: Unicode.Scalar = " "
    for (index, scalar) in rest.enumerated() {
      if scalar == "#", last == " " { break }
      if scalar != " " { length = index + 1 }
      last = scalar
    }
    return length
  }
}
