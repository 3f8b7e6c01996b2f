package import ConfigSchema

/// A pattern of file paths, as the Collector and Prometheus write them.
///
/// `*` stands for any characters of one name, `?` for one, `[a-z]` and `[^a-z]` for one of a set or none of it, `{a,b}` for
/// one of several texts, `**` as a whole name for any number of directories. A backslash takes the meaning from what
/// follows it. Names that begin with a dot match like others.
package struct GlobPattern: Sendable, Hashable {
  /// What one name of a path must look like.
  enum Segment: Sendable, Hashable {
    /// Just this name.
    case literal(String)
    case wild([Token])
    /// Any number of directories.
    case deep
  }

  enum Token: Sendable, Hashable {
    case character(Unicode.Scalar)
    /// Any characters.
    case star
    /// Any one.
    case one
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
  }

  /// What is wrong with the text of a pattern.
  struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
    let description: String
  }

  /// One choice of each alternative in braces.
  struct Branch: Sendable, Hashable {
    /// Whether it begins at the root of the file system.
    let isAbsolute: Bool
    let segments: [Segment]
  }

  let text: String
  let branches: [Branch]

  /// How many combinations of alternatives a pattern may have.
  private static let mostBranches = 1000

  init(_ text: String) throws(Problem) {
    self.text = text
    var branches: [Branch] = []
    for choice in try Self.expanded(Array(text.unicodeScalars)) {
      let names = choice.split(separator: "/", omittingEmptySubsequences: true)
      var segments: [Segment] = []
      for name in names {
        let segment = try Self.segment(name)
        if segment == .deep, segments.last == .deep { continue }
        segments.append(segment)
      }
      if segments.isEmpty { throw Problem(description: "names no file") }
      branches.append(Branch(isAbsolute: choice.first == "/", segments: segments))
    }
    self.branches = branches
  }

  /// Whether a path could be one of those that the pattern stands for.
  func matches(_ path: String) -> Bool {
    let names = path.split(separator: "/", omittingEmptySubsequences: true)[...]
    let isAbsolute = path.utf8.first == UInt8(ascii: "/")
    return branches.contains { $0.isAbsolute == isAbsolute && Self.matches(names, $0.segments[...]) }
  }

  private static func matches(_ names: ArraySlice<Substring>, _ segments: ArraySlice<Segment>) -> Bool {
    var (names, segments) = (names, segments)
    while let segment = segments.popFirst() {
      if segment == .deep {
        if segments.isEmpty { return !names.isEmpty }
        while !names.isEmpty {
          if matches(names, segments) { return true }
          names.removeFirst()
        }
        return false
      }
      guard let name = names.popFirst(), segment.matches(name) else { return false }
    }
    return names.isEmpty
  }
}

extension GlobPattern.Segment {
  /// Whether a name looks like this; what stands for directories matches any.
  func matches(_ name: Substring) -> Bool {
    switch self {
    case .literal(let text): text == name
    case .deep: true
    case .wild(let tokens): Self.matches(name.unicodeScalars, tokens)
    }
  }

  /// Goes back to the last star only: what an earlier one took need never be tried again.
  private static func matches(
    _ name: Substring.UnicodeScalarView, _ tokens: [GlobPattern.Token]
  ) -> Bool {
    var position = name.startIndex
    var token = 0
    var retry: (position: Substring.UnicodeScalarView.Index, token: Int)?
    while true {
      if token < tokens.count {
        if tokens[token] == .star {
          retry = (position, token + 1)
          token += 1
          continue
        }
        if position < name.endIndex, tokens[token].matches(name[position]) {
          position = name.index(after: position)
          token += 1
          continue
        }
      } else if position == name.endIndex {
        return true
      }
      guard let last = retry, last.position < name.endIndex else { return false }
      position = name.index(after: last.position)
      token = last.token
      retry = (position, last.token)
    }
  }
}

extension GlobPattern.Token {
  fileprivate func matches(_ character: Unicode.Scalar) -> Bool {
    switch self {
    case .character(let own): own == character
    case .star, .one: true
    case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
    }
  }
}

extension GlobPattern: ConfigValue {
  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: "a path such as /var/log/*.log")
      return nil
    }
    do throws(Problem) {
      return try Self(text)
    } catch {
      context.report(.error, "invalid-pattern", "the pattern \"\(text)\" \(error)", at: node.origin)
      return nil
    }
  }

  package var literal: ConfigLiteral { .string(text) }
}

// MARK: Reading patterns

extension GlobPattern {
  /// The pattern for each choice among alternatives in braces.
  private static func expanded(_ text: [Unicode.Scalar]) throws(Problem) -> [[Unicode.Scalar]] {
    guard let open = firstBrace(text) else { return [text] }
    var depth = 0
    var position = open
    var choices: [ArraySlice<Unicode.Scalar>] = []
    var start = open + 1
    var end: Int?
    while position < text.count, end == nil {
      switch text[position] {
      case "\\": position += 1
      case "{": depth += 1
      case "}":
        depth -= 1
        if depth == 0 {
          choices.append(text[start..<position])
          end = position
        }
      case "," where depth == 1:
        choices.append(text[start..<position])
        start = position + 1
      default: break
      }
      position += 1
    }
    guard let end else { throw Problem(description: "has a { without a }") }
    var results: [[Unicode.Scalar]] = []
    for choice in choices {
      results += try expanded(Array(text[..<open]) + choice + text[(end + 1)...])
      if results.count > mostBranches { throw Problem(description: "has too many alternatives") }
    }
    return results
  }

  private static func firstBrace(_ text: [Unicode.Scalar]) -> Int? {
    var position = 0
    var isInSet = false
    while position < text.count {
      switch text[position] {
      case "\\": position += 1
      case "[": isInSet = true
      case "]": isInSet = false
      case "{" where !isInSet: return position
      default: break
      }
      position += 1
    }
    return nil
  }

  private static func segment(_ name: ArraySlice<Unicode.Scalar>) throws(Problem) -> Segment {
    if name.count == 2, name.allSatisfy({ $0 == "*" }) { return .deep }
    var tokens: [Token] = []
    var rest = name
    while let character = rest.popFirst() {
      switch character {
      case "\\":
        guard let next = rest.popFirst() else { throw Problem(description: "ends in a backslash") }
        tokens.append(.character(next))
      case "*": if tokens.last != .star { tokens.append(.star) }
      case "?": tokens.append(.one)
      case "[": tokens.append(try set(&rest))
      default: tokens.append(.character(character))
      }
    }
    var literal = String.UnicodeScalarView()
    for token in tokens {
      guard case .character(let character) = token else { return .wild(tokens) }
      literal.append(character)
    }
    return .literal(String(literal))
  }

  /// What stands behind a `[`, up to its end.
  private static func set(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Problem) -> Token {
    let isNegated = rest.first == "^" || rest.first == "!"
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while let next = rest.first, next != "]" || ranges.isEmpty {
      let low = try setCharacter(&rest)
      guard rest.first == "-", rest.count > 1, rest[rest.startIndex + 1] != "]" else {
        ranges.append(low...low)
        continue
      }
      rest.removeFirst()
      let high = try setCharacter(&rest)
      guard low <= high else { throw Problem(description: "has a range [\(low)-\(high)] that is empty") }
      ranges.append(low...high)
    }
    guard rest.popFirst() != nil else { throw Problem(description: "has a [ without a ]") }
    return .set(ranges, isNegated: isNegated)
  }

  private static func setCharacter(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Problem) -> Unicode.Scalar
  {
    guard var character = rest.popFirst() else { throw Problem(description: "has a [ without a ]") }
    if character == "\\" {
      guard let next = rest.popFirst() else { throw Problem(description: "ends in a backslash") }
      character = next
    }
    return character
  }
}
