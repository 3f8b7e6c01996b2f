package import ConfigSchema

/// `json_array_parser`: parses a text as a JSON array.
package struct JSONArrayParserConfig: ParserSettings {
  package static let type = "json_array_parser"
  package static let summary = "Parses a text as a JSON array; objects and arrays within it stay text."
  package var keys = ParserKeys()
  package var header = ""
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.keys),
    Field(
      "header", \.header,
      "Names for the elements, with commas between them: then the result is a map rather than a list."),
    .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) {
    checkParser(&checker)
    let target = keys.parseTo.path
    if header.isEmpty, target.keys.isEmpty, target.root != .body {
      checker.error(
        "an array cannot become \(target.root.rawValue) as a whole",
        help: "set \"parse_to\", such as attributes.values, or name the elements with \"header\"")
    }
  }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    let names = header.isEmpty ? nil : header.splitKeepingEmpty(by: ",")
    return .plain(ParsingOperator(JSONArrayParser(header: names), keys))
  }
}

extension String {
  /// The parts between one-character separators, empty ones too.
  func splitKeepingEmpty(by separator: String) -> [String] {
    split(separator: separator, omittingEmptySubsequences: false).map(String.init)
  }
}
