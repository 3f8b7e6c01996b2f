package import ConfigSchema
package import NativeCodecs

/// The keys that say how a stream is cut into records, of every receiver of text.
package struct LineConfig: ConfigGroup {
  package var encoding = EncodingName()
  package var multiline = MultilineConfig()
  package var preserveLeadingWhitespaces = false
  package var preserveTrailingWhitespaces = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "encoding", \.encoding,
      "The encoding of the text: `utf-8`, `utf-8-raw` (what is malformed is kept, as a body of bytes), `utf-16le`, `utf-16be`, `latin1`, any other that the C library knows, or `nop` for bytes that are no text."
    ),
    Field("multiline", \.multiline, "Where records begin or end, when that is not at every line."),
    Field(
      "preserve_leading_whitespaces", \.preserveLeadingWhitespaces,
      "Keep spaces, tabs and line ends at the start of records."),
    Field(
      "preserve_trailing_whitespaces", \.preserveTrailingWhitespaces,
      "Keep spaces, tabs and line ends at the end of records."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    guard encoding.encoding == .bytes, multiline.pattern != nil else { return }
    checker.error(
      \.multiline, "cannot be used with \"encoding: nop\", which reads bytes that are no text",
      help: "name the encoding of the text, or remove the pattern")
  }

  /// - Parameters:
  ///   - limit: the most bytes of one record.
  ///   - flushPeriod: after this time without new bytes an incomplete record is taken as it is; zero for never.
  package func makeFraming(
    limit: Int, oversize: LineFraming.Oversize = .split, flushPeriod: Duration = .zero
  ) -> LineFraming {
    let (seconds, attoseconds) = flushPeriod.components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let nanoseconds =
      overflow ? Int64.max : whole.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
    return LineFraming(
      encoding: encoding.encoding, boundary: multiline.boundary, limit: limit, oversize: oversize,
      trimsLeading: !preserveLeadingWhitespaces, trimsTrailing: !preserveTrailingWhitespaces,
      flushPeriod: UInt64(clamping: nanoseconds))
  }
}

/// The block `multiline`.
package struct MultilineConfig: ConfigGroup {
  package var lineStartPattern: LinePattern?
  package var lineEndPattern: LinePattern?
  package var omitPattern = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "line_start_pattern", \.lineStartPattern,
      "Records begin where this regular expression matches; `^` and `$` match at the ends of every line."),
    Field("line_end_pattern", \.lineEndPattern, "Records end where this regular expression matches."),
    Field("omit_pattern", \.omitPattern, "Leave what the pattern matches out of the record."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if lineStartPattern != nil, lineEndPattern != nil {
      checker.error(
        \.lineEndPattern, "only one of line_start_pattern and line_end_pattern can be set",
        help: "remove the one that does not describe your records")
    }
    if omitPattern, pattern == nil, !checker.hasError(\.lineStartPattern), !checker.hasError(\.lineEndPattern)
    {
      checker.warning(\.omitPattern, "has no effect without a pattern")
    }
  }

  package var pattern: LinePattern? { lineStartPattern ?? lineEndPattern }

  var boundary: LineBoundary {
    if let lineStartPattern { return .start(BoundaryPattern(lineStartPattern.pattern), omits: omitPattern) }
    if let lineEndPattern { return .end(BoundaryPattern(lineEndPattern.pattern), omits: omitPattern) }
    return .lineFeed
  }
}

/// Matches anywhere in a record, with `^` and `$` at the ends of every line.
package enum RegexInLines: RegexUse {
  package static var anchoring: Pattern.Anchoring { .anywhere }
  package static var dotMatchesNewline: Bool { false }
  package static var matchesLines: Bool { true }
  package static var hint: String { "" }
}

package typealias LinePattern = PatternText<RegexInLines>

/// The name of an encoding.
package struct EncodingName: Sendable, ConfigValue {
  package let name: String
  package let encoding: TextEncoding

  /// UTF-8.
  package init() {
    name = "utf-8"
    encoding = .utf8
  }

  private init(name: String, encoding: TextEncoding) {
    self.name = name
    self.encoding = encoding
  }

  package static var configType: ConfigType { .string }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard let name = node.text, node.scalar != nil else {
      context.mismatch(node, expected: "the name of an encoding such as utf-8")
      return nil
    }
    if let encoding = TextEncoding(named: name) { return Self(name: name, encoding: encoding) }
    let closest = Spelling.closest(to: name, among: TextEncoding.commonNames)
    context.report(
      .error, "unknown-encoding", "there is no encoding \"\(name)\"", at: node.origin,
      help: closest.map { "did you mean \"\($0)\"?" }
        ?? "known are utf-8, utf-16le, utf-16be, latin1, nop and what `iconv -l` lists")
    return nil
  }

  package var literal: ConfigLiteral { .string(name) }
}
