/// A text with references, split into its parts.
enum ReferenceText {
  /// A part of a text.
  indirect enum Part: Equatable {
    /// Plain text, with `$$` already turned into `$`.
    case text(String)
    /// `${…}`: what stands between the braces, and the whole as written.
    case reference([Part], written: String)
    /// `${` without its closing brace, kept as written.
    case unclosed(String)
  }

  /// Splits a text into its parts; nested references are parts of their reference.
  static func parse(_ text: String) -> [Part] {
    var scanner = Scanner(Array(text.unicodeScalars))
    return scanner.parts(inside: false)
  }

  private struct Scanner {
    let scalars: [Unicode.Scalar]
    var position = 0
    var depth = 0

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    /// Parts up to the end, or up to a closing brace when inside a reference.
    mutating func parts(inside: Bool) -> [Part] {
      var parts: [Part] = []
      var text = ""
      func flushed(_ text: String) -> [Part] { text.isEmpty ? [] : [.text(text)] }
      while position < scalars.count {
        let scalar = scalars[position]
        if inside, scalar == "}" { break }
        guard scalar == "$", position + 1 < scalars.count else {
          text.unicodeScalars.append(scalar)
          position += 1
          continue
        }
        switch scalars[position + 1] {
        case "$":
          text += "$"
          position += 2
        case "{" where depth < 20:
          parts += flushed(text)
          text = ""
          parts.append(reference())
        default:
          text += "$"
          position += 1
        }
      }
      return parts + flushed(text)
    }

    private mutating func reference() -> Part {
      let start = position
      position += 2
      depth += 1
      let inner = parts(inside: true)
      depth -= 1
      guard position < scalars.count else { return .unclosed(string(start..<scalars.count)) }
      position += 1
      return .reference(inner, written: string(start..<position))
    }

    private func string(_ range: Range<Int>) -> String {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[range])
      return String(view)
    }
  }

  /// Whether the text holds `$1` or another group number, as replacement texts of regular expressions do.
  static func holdsGroupNumber(_ text: String) -> Bool {
    var isAfterDollar = false
    for byte in text.utf8 {
      if isAfterDollar, byte >= 0x30, byte <= 0x39 { return true }
      isAfterDollar = byte == 0x24 && !isAfterDollar
    }
    return false
  }
}
