package import ConfigSchema

/// `json_parser`: parses a text as JSON.
package struct JSONParserConfig: ParserSettings {
  package static let type = "json_parser"
  package static let summary = "Parses a text as a JSON object."
  package var keys = ParserKeys()
  package var parseInts = true
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.keys),
    Field(
      "parse_ints", \.parseInts,
      "Whether numbers without fraction and exponent become integers; otherwise all numbers are doubles. (The Collector's default is false, which loses digits of large ids.)"
    ),
    .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) { checkParser(&checker) }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(ParsingOperator(JSONParser(keepsIntegers: parseInts), keys))
  }
}
