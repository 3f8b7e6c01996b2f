package import ConfigSchema

/// `csv_parser`: parses a text as a row of comma-separated values.
package struct CSVParserConfig: ParserSettings {
  package static let type = "csv_parser"
  package static let summary = "Parses a text as a row of comma-separated values."
  package var keys = ParserKeys()
  package var header = ""
  package var headerAttribute = ""
  package var delimiter = ","
  package var headerDelimiter = ""
  package var lazyQuotes = false
  package var ignoreQuotes = false
  package var blocks = ParserBlocks()
  package var common = OperatorKeys()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.keys),
    Field("header", \.header, "The names of the fields, with delimiters between them."),
    Field(
      "header_attribute", \.headerAttribute,
      "The attribute that holds the names, when they differ from entry to entry."
    ),
    Field("delimiter", \.delimiter, "The character between fields.", check: .delimiter),
    Field(
      "header_delimiter", \.headerDelimiter, "The character between names; `delimiter` when left out.",
      check: .delimiter
    ),
    Field(
      "lazy_quotes", \.lazyQuotes,
      "Whether quotes may stand within a field without quotes around it, and undoubled in one with them."),
    Field("ignore_quotes", \.ignoreQuotes, "Whether quotes are characters like others."),
    .group(\.blocks), .group(\.common),
  ]

  package func check(_ checker: inout ConfigChecker) {
    checkParser(&checker)
    if lazyQuotes, ignoreQuotes {
      checker.error(\.ignoreQuotes, "cannot be true along with \"lazy_quotes\"")
    }
    switch (header.isEmpty, headerAttribute.isEmpty) {
    case (true, true):
      checker.error(
        "\"header\" or \"header_attribute\" is required",
        help: "write the names, such as header: id,severity,message")
    case (false, false): checker.error(\.headerAttribute, "cannot be set along with \"header\"")
    case (false, true) where !header.contains(namesDelimiter):
      checker.error(
        \.header, "must hold at least two names with \"\(namesDelimiter)\" between them",
        help: "the delimiter of names is header_delimiter, or else delimiter")
    default: break
    }
  }

  private var fieldDelimiter: String { delimiter.isEmpty ? "," : delimiter }
  private var namesDelimiter: String { headerDelimiter.isEmpty ? fieldDelimiter : headerDelimiter }

  package func makeOperator(_ context: OperatorContext) -> MadeOperator {
    let names: CSVParser.Header =
      header.isEmpty
      ? .attribute(headerAttribute, delimiter: namesDelimiter)
      : .names(header.splitKeepingEmpty(by: namesDelimiter))
    let quotes: CSVParser.Quotes = ignoreQuotes ? .ignored : lazyQuotes ? .lazy : .strict
    return .plain(ParsingOperator(CSVParser(header: names, delimiter: fieldDelimiter, quotes: quotes), keys))
  }
}

extension FieldCheck where Value == String {
  /// One character that can stand between fields of a row; or nothing, where that has a meaning.
  fileprivate static var delimiter: FieldCheck {
    .custom { text in
      if text.isEmpty { return nil }
      let scalars = text.unicodeScalars
      if scalars.count != 1 { return "must be one character, is \"\(text)\"" }
      return ["\r", "\n", "\"", "\0", "\u{FFFD}"].contains(scalars[scalars.startIndex])
        ? "must not be a line end or a quote" : nil
    }
  }
}
