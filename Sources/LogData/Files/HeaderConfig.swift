package import ConfigSchema

/// The block `header`: lines at the start of files that describe the records after them.
package struct HeaderConfig: ConfigGroup {
  package var pattern: RegexText?
  package var metadataOperators = OperatorList()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "pattern", \.pattern,
      "A regular expression that matches every line of the header; the first line that it does not match is the first record.",
      required: true),
    Field(
      "metadata_operators", \.metadataOperators,
      "Operators that take each line of the header as their body; the attributes that come out of them are added to every record of the file.",
      required: true),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if metadataOperators.isEmpty, !checker.hasError(\.metadataOperators) {
      checker.error(
        \.metadataOperators, "must not be empty", help: "a regex_parser can read attributes from the lines")
    }
    for config in metadataOperators.configs where Self.unfit.contains(config.type) {
      checker.error(
        at: config.place.origin, path: config.place.path.description,
        "\"\(config.type)\" is not allowed among metadata_operators: lines of a header do not come out of it")
    }
  }

  /// Operators that keep entries from going on.
  private static let unfit: Set<String> = ["filter", "recombine", "router"]
}
