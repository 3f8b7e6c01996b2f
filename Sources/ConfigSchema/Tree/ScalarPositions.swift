extension ConfigNode {
  /// Where a part of a scalar's text was written, for findings inside a pattern, a layout or an expression.
  ///
  /// Follows the escapes of quoted scalars, `$$`, and the lines of literal block scalars (`|`). Where the text was put
  /// together in another way, such as from references or from several folded lines, it is the place of the scalar as a
  /// whole.
  ///
  /// - Parameter bytes: the range in ``text``, in bytes of UTF-8; an empty one stands for the character there.
  public func origin(ofBytes bytes: Range<Int>) -> Origin {
    guard expansion == nil, let scalar, let found = ScalarPositions(of: scalar.text, at: origin) else {
      return origin
    }
    return found.origin(ofBytes: bytes, in: origin.source)
  }
}

/// Where each character of a scalar stands in the source.
struct ScalarPositions {
  private struct Place {
    let scalar: Unicode.Scalar
    let line: Int
    let column: Int
  }

  /// One place for each Unicode scalar of the text, and what follows it.
  private var places: [Place] = []
  /// Where the first character behind the text stands, or would.
  private var end: (line: Int, column: Int)

  /// Reads the scalar again; nil when what is found is not `text`.
  init?(of text: String, at start: Origin) {
    guard let line = start.source.line(start.line) else { return nil }
    let scalars = Array(line.unicodeScalars)
    let first = start.column - 1
    guard first >= 0, first < scalars.count else { return nil }
    end = (start.line, start.column)
    switch scalars[first] {
    case "'": readSingleQuoted(scalars, from: first + 1, start.line)
    case "\"": readDoubleQuoted(scalars, from: first + 1, start.line)
    case "|": readLiteral(scalars[(first + 1)...], in: start.source, start.line)
    case "&", "!", ">": return nil
    default: for index in first..<scalars.count { add(scalars[index], start.line, index) }
    }
    guard matches(Array(text.unicodeScalars), isQuoted: scalars[first] == "'" || scalars[first] == "\"")
    else {
      return nil
    }
  }

  private mutating func add(_ scalar: Unicode.Scalar, _ line: Int, _ index: Int) {
    places.append(Place(scalar: scalar, line: line, column: index + 1))
    end = (line, index + 2)
  }

  /// Keeps the places of the text, or tells that the text is another.
  private mutating func matches(_ text: [Unicode.Scalar], isQuoted: Bool) -> Bool {
    for dollarsAreDoubled in [false, true] {
      var kept: [Place] = []
      var index = 0
      for scalar in text {
        guard index < places.count, places[index].scalar == scalar else { break }
        kept.append(places[index])
        index += 1
        if dollarsAreDoubled, scalar == "$", index < places.count, places[index].scalar == "$" { index += 1 }
      }
      guard kept.count == text.count, !isQuoted || index == places.count else { continue }
      if index < places.count { end = (places[index].line, places[index].column) }
      places = kept
      return true
    }
    return false
  }

  // The forms of scalars: YAML 1.2, §7.3 and §8.1.2.

  private mutating func readSingleQuoted(_ scalars: [Unicode.Scalar], from first: Int, _ line: Int) {
    var index = first
    while index < scalars.count {
      if scalars[index] == "'" {
        end = (line, index + 1)
        guard index + 1 < scalars.count, scalars[index + 1] == "'" else { return }
        add("'", line, index)
        index += 2
      } else {
        add(scalars[index], line, index)
        index += 1
      }
    }
  }

  private mutating func readDoubleQuoted(_ scalars: [Unicode.Scalar], from first: Int, _ line: Int) {
    var index = first
    while index < scalars.count, scalars[index] != "\"" {
      guard scalars[index] == "\\", index + 1 < scalars.count else {
        add(scalars[index], line, index)
        index += 1
        continue
      }
      let (scalar, length) = Self.escape(scalars[(index + 1)...])
      // A mistake shows as a text that differs.
      add(scalar ?? "\u{FFFF}", line, index)
      index += 1 + length
    }
    end = (line, index + 1)
  }

  /// What an escape stands for, and its length without the backslash.
  private static func escape(_ rest: ArraySlice<Unicode.Scalar>) -> (Unicode.Scalar?, Int) {
    guard let letter = rest.first else { return (nil, 1) }
    switch letter {
    case "0": return ("\0", 1)
    case "a": return ("\u{7}", 1)
    case "b": return ("\u{8}", 1)
    case "t", "\t": return ("\t", 1)
    case "n": return ("\n", 1)
    case "v": return ("\u{B}", 1)
    case "f": return ("\u{C}", 1)
    case "r": return ("\r", 1)
    case "e": return ("\u{1B}", 1)
    case "N": return ("\u{85}", 1)
    case "_": return ("\u{A0}", 1)
    case "L": return ("\u{2028}", 1)
    case "P": return ("\u{2029}", 1)
    case "x": return hexadecimal(rest.dropFirst(), digits: 2)
    case "u": return hexadecimal(rest.dropFirst(), digits: 4)
    case "U": return hexadecimal(rest.dropFirst(), digits: 8)
    default: return (letter, 1)
    }
  }

  private static func hexadecimal(_ rest: ArraySlice<Unicode.Scalar>, digits: Int) -> (Unicode.Scalar?, Int) {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: rest.prefix(digits))
    return (UInt32(String(text), radix: 16).flatMap { Unicode.Scalar($0) }, digits + 1)
  }

  /// The lines behind a header such as `|` or `|-`; one that names its indentation is left alone.
  private mutating func readLiteral(
    _ header: ArraySlice<Unicode.Scalar>, in source: ConfigSourceText, _ headerLine: Int
  ) {
    guard !header.prefix(2).contains(where: { $0 >= "0" && $0 <= "9" }) else { return }
    var indentation: Int?
    var blank: [Int] = []
    for line in (headerLine + 1)..<(source.lines.count + 1) {
      let scalars = Array((source.line(line) ?? "").unicodeScalars)
      let depth = scalars.prefix { $0 == " " }.count
      if depth == scalars.count, indentation == nil || depth <= indentation ?? 0 {
        blank.append(line)
        continue
      }
      let margin = indentation ?? depth
      guard depth >= margin, margin > 0 else { break }
      indentation = margin
      for empty in blank { add("\n", empty, margin) }
      blank = []
      for index in margin..<scalars.count { add(scalars[index], line, index) }
      add("\n", line, scalars.count)
    }
    for empty in blank { add("\n", empty, indentation ?? 0) }
  }

  // Looking up.

  func origin(ofBytes bytes: Range<Int>, in source: ConfigSourceText) -> Origin {
    var offset = 0
    var first: Place?
    var behind = end
    for place in places {
      if first == nil {
        if offset + UTF8.width(place.scalar) > bytes.lowerBound { first = place }
      } else if offset >= bytes.upperBound {
        behind = (place.line, place.column)
        break
      }
      offset += UTF8.width(place.scalar)
    }
    guard let first else { return Origin(source: source, line: end.line, column: end.column) }
    let isOneLine = behind.line == first.line
    return Origin(
      source: source, line: first.line, column: first.column,
      length: isOneLine ? behind.column - first.column : 1)
  }
}
