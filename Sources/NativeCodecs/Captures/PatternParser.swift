/// Reads a pattern that RE2 has accepted into a ``PatternTree``.
///
/// It knows the part of RE2's syntax that patterns of logs are made of; `\pL`, `\C`, `\Q` and letters beyond ASCII
/// under `(?i)` are not in it.
struct PatternParser {
  private struct Flags {
    var ignoresCase = false
    var dotMatchesNewline = false
    var isMultiline = false
    var isUngreedy = false
  }

  private let text: [Unicode.Scalar]
  private var position = 0
  private var flags: Flags
  private(set) var groupCount = 0
  private static let deepest = 200

  init(_ text: String, _ options: Pattern.Options) {
    self.text = Array(text.unicodeScalars)
    flags = Flags(
      ignoresCase: options.ignoresCase, dotMatchesNewline: options.dotMatchesNewline,
      isMultiline: options.matchesLines)
  }

  mutating func parse() throws(NotTaken) -> PatternTree {
    let tree = try alternatives(depth: 0)
    guard position == text.count else { throw .syntax }
    return tree
  }

  private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func take() throws(NotTaken) -> Unicode.Scalar {
    guard position < text.count else { throw .syntax }
    position += 1
    return text[position - 1]
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    position += 1
    return true
  }

  /// Up to a `)` or the end.
  private mutating func alternatives(depth: Int) throws(NotTaken) -> PatternTree {
    guard depth < Self.deepest else { throw .syntax }
    var all: [PatternTree] = []
    repeat {
      var parts: [PatternTree] = []
      while let scalar = next, scalar != "|", scalar != ")" {
        guard let part = try atom(depth: depth) else { continue }
        parts.append(try quantified(part))
      }
      all.append(parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts))
    } while take("|")
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  /// A part without its quantifier; nil for flags, which are none.
  private mutating func atom(depth: Int) throws(NotTaken) -> PatternTree? {
    let scalar = try take()
    switch scalar {
    case "(": return try group(depth: depth)
    case "[": return .scalar(try bracket())
    case ".": return .scalar(flags.dotMatchesNewline ? .all : ScalarSet.lineEnd.inverted)
    case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
    case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
    case "\\": return try escaped()
    case "*", "+", "?": throw .syntax
    default: return .scalar(try folded(ScalarSet([scalar.value...scalar.value])))
    }
  }

  private func folded(_ set: ScalarSet) throws(NotTaken) -> ScalarSet {
    guard flags.ignoresCase else { return set }
    guard let folded = set.foldedASCII else { throw .syntax }
    return folded
  }

  private mutating func group(depth: Int) throws(NotTaken) -> PatternTree? {
    let outer = flags
    var number: Int?
    if take("?") {
      if next == "P" || next == "<" {
        _ = take("P")
        guard take("<") else { throw .syntax }
        while try take() != ">" {}
        groupCount += 1
        number = groupCount
      } else if try !takeFlags() {
        return nil
      }
    } else {
      groupCount += 1
      number = groupCount
    }
    let body = try alternatives(depth: depth + 1)
    guard take(")") else { throw .syntax }
    flags = outer
    return number.map { .group(body, $0) } ?? body
  }

  /// Reads `i-s:` or `i-s)`; returns whether a group begins.
  private mutating func takeFlags() throws(NotTaken) -> Bool {
    var isOn = true
    while true {
      switch try take() {
      case "i": flags.ignoresCase = isOn
      case "s": flags.dotMatchesNewline = isOn
      case "m": flags.isMultiline = isOn
      case "U": flags.isUngreedy = isOn
      case "-": isOn = false
      case ":": return true
      case ")": return false
      default: throw .syntax
      }
    }
  }

  private mutating func quantified(_ part: PatternTree) throws(NotTaken) -> PatternTree {
    let bounds: (least: Int, most: Int?)
    switch next {
    case "*": bounds = (0, nil)
    case "+": bounds = (1, nil)
    case "?": bounds = (0, 1)
    case "{":
      let start = position
      guard let counted = countedBounds() else {
        position = start
        return part
      }
      bounds = counted
      position -= 1
    default: return part
    }
    position += 1
    let isLazy = take("?")
    let isOptional = bounds.least == 0 && bounds.most == 1
    if !isOptional, part.isNullable, bounds.most != 0 { throw .emptyRepetition }
    return .repeated(
      part, least: bounds.least, most: bounds.most, isGreedy: isLazy == flags.isUngreedy)
  }

  /// `{2}`, `{2,}` or `{2,5}`; nil when the brace is a literal one.
  private mutating func countedBounds() -> (least: Int, most: Int?)? {
    position += 1
    guard let least = number() else { return nil }
    if take("}") { return (least, least) }
    guard take(",") else { return nil }
    if take("}") { return (least, nil) }
    guard let most = number(), take("}"), most >= least else { return nil }
    return (least, most)
  }

  private mutating func number() -> Int? {
    let start = position
    var value = 0
    while let scalar = next, scalar >= "0", scalar <= "9", value < 100_000 {
      value = value * 10 + Int(scalar.value - 0x30)
      position += 1
    }
    guard position > start, text[start] != "0" || position == start + 1 else { return nil }
    return value
  }
}

// Classes and escapes.
extension PatternParser {
  private mutating func escaped() throws(NotTaken) -> PatternTree {
    if let set = try takeClassLetter() { return .scalar(set) }
    switch next {
    case "A": position += 1; return .assertion(.textStart)
    case "z": position += 1; return .assertion(.textEnd)
    case "b": position += 1; return .assertion(.wordBoundary)
    case "B": position += 1; return .assertion(.noWordBoundary)
    default:
      let scalar = try escapedScalar()
      return .scalar(try folded(ScalarSet([scalar...scalar])))
    }
  }

  /// What follows a backslash, when it is a class such as `\d`.
  private mutating func takeClassLetter() throws(NotTaken) -> ScalarSet? {
    let (set, isInverted): (ScalarSet, Bool)
    switch next {
    case "d": (set, isInverted) = (.digits, false)
    case "D": (set, isInverted) = (.digits, true)
    case "s": (set, isInverted) = (.spaces, false)
    case "S": (set, isInverted) = (.spaces, true)
    case "w": (set, isInverted) = (.words, false)
    case "W": (set, isInverted) = (.words, true)
    default: return nil
    }
    position += 1
    let folded = try folded(set)
    return isInverted ? folded.inverted : folded
  }

  /// The scalar that the escape behind a backslash stands for.
  private mutating func escapedScalar() throws(NotTaken) -> UInt32 {
    let scalar = try take()
    switch scalar {
    case "a": return 7
    case "f": return 12
    case "n": return 10
    case "r": return 13
    case "t": return 9
    case "v": return 11
    case "0"..."7":
      var value = scalar.value - 0x30
      var digits = 1
      while digits < 3, let digit = next, digit >= "0", digit <= "7" {
        value = value * 8 + digit.value - 0x30
        digits += 1
        position += 1
      }
      guard scalar == "0" || digits > 1 else { throw .syntax }
      return value
    case "x":
      if take("{") {
        var value: UInt32 = 0
        while !take("}") {
          value = value * 16 + (try hexadecimalDigit())
          guard value <= ScalarSet.last else { throw .syntax }
        }
        return value
      }
      let high = try hexadecimalDigit()
      return high * 16 + (try hexadecimalDigit())
    default:
      guard scalar.isASCII, !scalar.properties.isAlphabetic, scalar < "0" || scalar > "9", scalar != "_"
      else {
        throw .syntax
      }
      return scalar.value
    }
  }

  private mutating func hexadecimalDigit() throws(NotTaken) -> UInt32 {
    guard let digit = Character(try take()).hexDigitValue else { throw .syntax }
    return UInt32(digit)
  }

  /// A class in brackets; the first of them is read.
  private mutating func bracket() throws(NotTaken) -> ScalarSet {
    let isInverted = take("^")
    var set = ScalarSet([])
    var isFirst = true
    while isFirst || next != "]" {
      isFirst = false
      if let named = try takePosixName() {
        set = set.union(named)
        continue
      }
      if next == "\\" {
        position += 1
        if let letter = try takeClassLetter() {
          set = set.union(letter)
          continue
        }
        position -= 1
      }
      let low = try bracketScalar()
      var high = low
      if next == "-", position + 1 < text.count, text[position + 1] != "]" {
        position += 1
        high = try bracketScalar()
      }
      guard low <= high else { throw .syntax }
      set = set.union(try folded(ScalarSet([low...high])))
    }
    position += 1
    return isInverted ? set.inverted : set
  }

  private mutating func bracketScalar() throws(NotTaken) -> UInt32 {
    let scalar = try take()
    return scalar == "\\" ? try escapedScalar() : scalar.value
  }

  /// `[:alpha:]` or `[:^alpha:]` within brackets.
  private mutating func takePosixName() throws(NotTaken) -> ScalarSet? {
    guard next == "[", position + 1 < text.count, text[position + 1] == ":" else { return nil }
    var end = position + 2
    while end + 1 < text.count, !(text[end] == ":" && text[end + 1] == "]") { end += 1 }
    guard end + 1 < text.count else { return nil }
    var name = String(String.UnicodeScalarView(text[position + 2..<end]))
    let isInverted = name.hasPrefix("^")
    if isInverted { name.removeFirst() }
    guard let set = ScalarSet.posix(name) else { throw .syntax }
    position = end + 2
    let folded = try folded(set)
    return isInverted ? folded.inverted : folded
  }
}
