package import ConfigSchema

/// `syslog_parser`: parses a text as a syslog message, and sets the entry's time and severity by it.
package struct SyslogParserConfig: ParserSettings {
  package static let type = "syslog_parser"
  package static let summary =
    "Parses a text as a syslog message of RFC 5424 or RFC 3164, and sets time and severity by it."
  package var keys = ParserKeys()
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()
  package var syslog = SyslogKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.syslog), .group(\.keys), .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) { checkParser(&checker) }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(ParsingOperator(SyslogParser(syslog.makeOptions()), keys))
  }
}
