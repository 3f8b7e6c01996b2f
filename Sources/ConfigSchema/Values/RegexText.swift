package import NativeCodecs

/// How the regular expressions of a setting are matched.
package protocol RegexUse: Sendable {
  static var anchoring: Pattern.Anchoring { get }
  /// Whether `.` takes line ends too.
  static var dotMatchesNewline: Bool { get }
  /// Whether `^` and `$` match at the ends of every line.
  static var matchesLines: Bool { get }
  /// What the help of an error says besides the syntax; may be empty.
  static var hint: String { get }
}

extension RegexUse {
  package static var matchesLines: Bool { false }
}

/// A match anywhere in a text, as Go's `regexp` finds it.
package enum RegexAnywhere: RegexUse {
  package static var anchoring: Pattern.Anchoring { .anywhere }
  package static var dotMatchesNewline: Bool { false }
  package static var hint: String { "" }
}

/// A regular expression of the configuration, in RE2's syntax, matched anywhere in a text.
package typealias RegexText = PatternText<RegexAnywhere>

/// A regular expression of the configuration, in RE2's syntax; its mistakes are shown where they are.
package struct PatternText<Use: RegexUse>: Sendable {
  package let pattern: Pattern

  package init(_ text: String) throws(PatternError) {
    pattern = try Pattern(
      text, anchoring: Use.anchoring, dotMatchesNewline: Use.dotMatchesNewline, matchesLines: Use.matchesLines
    )
  }
}

extension PatternText: ConfigValue {
  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let text = node.text, node.scalar != nil else {
      context.mismatch(node, expected: "a regular expression")
      return nil
    }
    do {
      return try Self(text)
    } catch {
      // An opening parenthesis alone says nothing that its place does not.
      let part = error.part.isEmpty || error.part == "(" ? "" : ": `\(error.part)`"
      let start = error.part.isEmpty ? node.origin : node.origin(ofBytes: error.range)
      context.report(
        .error, "invalid-regex", "not a regular expression of RE2: \(error.reason)\(part)", at: start,
        help: "the syntax is Go's: no backreferences and no look-around"
          + (Use.hint.isEmpty ? "" : "; \(Use.hint)"))
      return nil
    }
  }

  package var literal: ConfigLiteral { .string(pattern.text) }
}
