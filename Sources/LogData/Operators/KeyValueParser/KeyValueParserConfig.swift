package import ConfigSchema

/// `key_value_parser`: parses a text as pairs of keys and values.
package struct KeyValueParserConfig: ParserSettings {
  package static let type = "key_value_parser"
  package static let summary =
    "Parses a text as pairs of keys and values, such as `name=value other=\"two words\"`."
  package var keys = ParserKeys()
  package var delimiter = "="
  package var pairDelimiter = " "
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.keys),
    Field("delimiter", \.delimiter, "What stands between a key and its value.", check: .nonEmpty),
    Field("pair_delimiter", \.pairDelimiter, "What stands between pairs; a space when empty."),
    .group(\.blocks), .group(\.common),
  ]

  private var betweenPairs: String { pairDelimiter.isEmpty ? " " : pairDelimiter }

  package func check(_ checker: inout ConfigChecker) {
    checkParser(&checker)
    if delimiter == betweenPairs {
      checker.error(\.delimiter, "must differ from what stands between pairs (\"pair_delimiter\")")
    }
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    .plain(ParsingOperator(KeyValueParser(delimiter: delimiter, pairDelimiter: betweenPairs), keys))
  }
}
