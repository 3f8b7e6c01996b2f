package import ConfigSchema
internal import NativeCodecs

/// `regex_parser`: parses a text with a regular expression.
package struct RegexParserConfig: ParserSettings {
  package static let type = "regex_parser"
  package static let summary = "Parses a text with a regular expression whose named groups become fields."
  package var keys = ParserKeys()
  package var regex: RegexText?
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.keys),
    Field(
      "regex", \.regex,
      "The regular expression, in RE2's syntax, such as `^(?P<level>[A-Z]+) (?P<message>.*)$`; what each named group found becomes a field.",
      required: true),
    .accepted("cache", "matching is faster than looking a match up"),
    .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) {
    checkParser(&checker)
    if let regex, regex.pattern.groupNames.allSatisfy(\.isEmpty) {
      checker.error(
        \.regex, "has no named group, so nothing would be found",
        help: "name what should become a field, as in (?P<status>[0-9]+)")
    }
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    guard let regex else { return .plain(EntryStep(NoStep())) }
    return .plain(ParsingOperator(RegexParser(regex.pattern), keys))
  }
}
