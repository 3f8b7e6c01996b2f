package import ConfigSchema

/// `uri_parser`: parses a text as a URI.
package struct URIParserConfig: ParserSettings {
  package static let type = "uri_parser"
  package static let summary =
    "Parses a text as a URI: `scheme`, `user`, `host`, `port`, `path`, and `query` with a list of values for each name."
  package var keys = ParserKeys()
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.keys), .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) { checkParser(&checker) }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(ParsingOperator(URIParser(), keys))
  }
}
