import Yams

/// Explains errors of the YAML parser in plain words.
enum YAMLProblem {
  /// The diagnostic for a parser error.
  static func diagnostic(
    for error: YamlError, in source: ConfigSourceText, firstColumn: Int
  ) -> Diagnostic {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      return syntax(
        problem, context?.text ?? "", Place(mark), context.map { Place($0.mark) }, source, firstColumn)
    case .reader(let problem, let offset, _, let yaml):
      let place = offset.map { Place(offset: $0, in: yaml) } ?? Place(line: 1, column: 1)
      let message =
        problem.hasPrefix("control characters")
        ? "the text holds a control character, which YAML does not allow" : problem
      return Diagnostic(.error, code: "yaml-syntax", message, at: place.origin(source, firstColumn))
    case .duplicatedKeysInMapping(let keys, let context):
      return duplicate(keys, Place(context.mark), source, firstColumn)
    case .memory:
      return Diagnostic(.error, code: "out-of-memory", "\(source.name) needs more memory than there is")
    default:
      return Diagnostic(.error, code: "yaml-syntax", "\(source.name) is not YAML")
    }
  }

  /// Advice when a plain text looks like `key:value` without the space.
  static func missingSpaceHelp(_ text: String) -> String? {
    guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
    let key = text[..<colon]
    let value = text[text.index(after: colon)...]
    guard let first = value.first, !first.isWhitespace, !value.hasPrefix("//"),
      key.utf8.allSatisfy({ isWord($0) })
    else { return nil }
    return "put a space after the colon: \"\(key): \(value)\""
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || "_-/.".utf8.contains(byte)
  }

  private static func syntax(
    _ problem: String, _ context: String, _ place: Place, _ start: Place?, _ source: ConfigSourceText,
    _ firstColumn: Int
  ) -> Diagnostic {
    func found(_ message: String, at place: Place, help: String? = nil, length: Int = 1) -> Diagnostic {
      let origin = place.origin(source, firstColumn, length: length)
      return Diagnostic(.error, code: "yaml-syntax", message, at: origin, help: help)
    }
    if problem.hasPrefix("Maximum nesting level") {
      return Diagnostic(
        .error, code: "too-deep", "values are nested more than \(YAMLReader.deepest) levels deep",
        at: place.origin(source, firstColumn))
    }
    if let tab = tabPlace(near: place, start, source) {
      return found(
        "a tab character is used for indentation, which YAML does not allow", at: tab,
        help: "replace tabs by spaces")
    }
    if let missing = missingSpace(near: place, start, source) {
      return found(
        "the space after the colon is missing", at: missing.place, help: missing.help, length: missing.length)
    }
    if context.contains("quoted scalar") {
      return found(
        problem.contains("escape")
          ? "the text in double quotes holds an unknown escape after a backslash"
          : "this quote is never closed",
        at: problem.contains("escape") ? place : start ?? place,
        help: problem.contains("escape")
          ? "double the backslash, or use single quotes, in which it has no meaning" : "add the closing quote"
      )
    }
    if problem.contains("mapping values"), let key = missingColon(above: place, source) {
      return found(
        "a colon is missing after this key", at: key.place, help: "write \"key: value\"", length: key.length)
    }
    if isIndentation(problem, place, source) {
      let key = firstWord(place.line, source)
      return found(
        "this line is indented differently from its neighbours", at: key.place,
        help: "give keys of one section, or elements of one list, the same indentation", length: key.length)
    }
    let (message, help) = words(problem, context)
    return found(message, at: problem.contains("','") ? start ?? place : place, help: help)
  }

  private static func words(
    _ problem: String, _ context: String
  ) -> (String, String?) {
    if problem.contains("mapping values are not allowed") {
      return ("a second \": \" in one line", "put the value in quotes if the colon belongs to it")
    }
    if problem.contains("could not find expected ':'") {
      return ("a colon is missing after this key", "write \"key: value\"")
    }
    if problem.contains("',' or ']'") { return ("this bracket is never closed", "add ] or a missing comma") }
    if problem.contains("',' or '}'") { return ("this brace is never closed", "add } or a missing comma") }
    if problem.contains("undefined alias") {
      return ("this alias has no anchor", "define it before its use: \"key: &name value\"")
    }
    if problem.contains("cannot start any token") {
      return ("a value cannot start with this character", "put the value in quotes")
    }
    if problem.contains("another document") {
      return ("a configuration is one document, but a second one starts here", "remove the line \"---\"")
    }
    if problem.contains("block sequence entries") {
      return ("a list cannot start on the line of its key", "put the \"-\" on a line of its own")
    }
    if problem.contains("expected node content") {
      return ("a value is missing here", "put the value in quotes if it holds special characters")
    }
    return (context.isEmpty ? problem : "\(problem) \(context)", nil)
  }

  private static func duplicate(
    _ keys: [String], _ first: Place, _ source: ConfigSourceText, _ firstColumn: Int
  ) -> Diagnostic {
    let key = keys.first ?? ""
    let length = key.unicodeScalars.count
    let original = first.origin(source, firstColumn, length: length)
    // The parser only tells the first place: the second is the next line that starts with the key there.
    let again = source.lines.indices.dropFirst(first.line).first { index in
      let line = source.lines[index].unicodeScalars
      let indent = line.prefix { $0 == " " || $0 == "-" }.count
      return indent == first.column - 1
        && String(String.UnicodeScalarView(line.dropFirst(indent))).hasPrefix(key + ":")
    }
    let message = "the key \"\(key)\" is written twice"
    guard let again else {
      return Diagnostic(
        .error, code: "duplicate-key", message, at: original, path: "", help: "remove one of the two")
    }
    return Diagnostic(
      .error, code: "duplicate-key", message,
      at: Place(line: again + 1, column: first.column).origin(source, firstColumn, length: length),
      help: "remove one of the two", context: [.init(original, "first written here")])
  }
}

extension YAMLProblem {
  /// A line and column, from 1.
  struct Place {
    var line: Int
    var column: Int

    init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }

    init(_ mark: Mark) { self.init(line: mark.line, column: mark.column) }

    /// - Parameter offset: in UTF-8 bytes.
    init(offset: Int, in text: String) {
      let before = ConfigSourceText.lines(of: String(decoding: text.utf8.prefix(offset), as: UTF8.self))
      self.init(line: before.count, column: (before.last ?? "").unicodeScalars.count + 1)
    }

    func origin(_ source: ConfigSourceText, _ firstColumn: Int, length: Int = 1) -> Origin {
      // The parser takes the end of a text whose last line is not ended for the start of one more.
      if line > source.lines.count, let last = source.lines.last {
        return Origin(source: source, line: source.lines.count, column: last.unicodeScalars.count + 1)
      }
      return Origin(
        source: source, line: line, column: column + (line == 1 ? firstColumn - 1 : 0), length: length)
    }
  }

  /// A tab in the indentation of a line close to the error.
  private static func tabPlace(near place: Place, _ start: Place?, _ source: ConfigSourceText) -> Place? {
    for line in lines(near: place, start) {
      let indent = (source.line(line) ?? "").unicodeScalars.prefix { $0 == " " || $0 == "\t" || $0 == "-" }
      if let tab = indent.firstIndex(of: "\t") {
        return Place(line: line, column: indent.distance(from: indent.startIndex, to: tab) + 1)
      }
    }
    return nil
  }

  /// A `key:value` close to the error.
  private static func missingSpace(
    near place: Place, _ start: Place?, _ source: ConfigSourceText
  ) -> (place: Place, help: String, length: Int)? {
    for line in lines(near: place, start) {
      let scalars = (source.line(line) ?? "").unicodeScalars
      let indent = scalars.prefix { $0 == " " || $0 == "-" }.count
      let text = String(String.UnicodeScalarView(scalars.dropFirst(indent)))
      guard !text.contains(": "), !text.hasSuffix(":"), let help = missingSpaceHelp(text) else { continue }
      return (Place(line: line, column: indent + 1), help, text.unicodeScalars.count)
    }
    return nil
  }

  /// A line without a colon just above a key with the same indentation.
  private static func missingColon(
    above place: Place, _ source: ConfigSourceText
  ) -> (place: Place, length: Int)? {
    guard let text = source.line(place.line - 1), !text.contains(":"), !text.contains("#") else { return nil }
    let key = firstWord(place.line - 1, source)
    guard key.place.column == firstWord(place.line, source).place.column, !text.hasPrefix("-") else {
      return nil
    }
    return key
  }

  private static func isIndentation(_ problem: String, _ place: Place, _ source: ConfigSourceText) -> Bool {
    if problem.contains("did not find expected key") || problem.contains("expected '-'") { return true }
    let line = (source.line(place.line) ?? "").prefix(max(0, place.column - 1))
    return problem.contains("mapping values are not allowed") && !line.contains(": ")
  }

  /// The first word of a line, up to its colon.
  private static func firstWord(_ line: Int, _ source: ConfigSourceText) -> (place: Place, length: Int) {
    let scalars = (source.line(line) ?? "").unicodeScalars
    let indent = scalars.prefix { $0 == " " }.count
    let length = scalars.dropFirst(indent).prefix { $0 != ":" && $0 != " " }.count
    return (Place(line: line, column: indent + 1), max(1, length))
  }

  private static func lines(near place: Place, _ start: Place?) -> [Int] {
    [place.line, place.line - 1] + (start.map { [$0.line] } ?? [])
  }
}
