package import ConfigSchema

/// Which words and numbers stand for which severity before `mapping` adds to them.
package enum SeverityPreset: String, ConfigEnum {
  /// The names and numbers of OpenTelemetry, and `warning` and `err`.
  case standard = "default"
  case none
  /// The names and numbers of OpenTelemetry only.
  case otel

  package static let alternatives = ["": SeverityPreset.standard, "aliases": .otel]
}

/// The block `severity` of parsers, and the keys of `severity_parser`: where a severity stands and what it looks like.
package struct SeverityConfig: ConfigGroup {
  package var parseFrom: FieldPath?
  package var preset = SeverityPreset.standard
  package var mapping = ConfigMap<SeverityMatches>()
  package var overwritesText = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("parse_from", \.parseFrom, "The field that holds the severity.", required: true),
    Field("preset", \.preset, "What is understood without a mapping."),
    Field(
      "mapping", \.mapping,
      "From a severity (`trace` to `fatal4`, or 1 to 24) to what stands for it: a text, a list, a range such as `{min: 300, max: 399}`, or `2xx` to `5xx`. Upper and lower case are the same."
    ),
    Field(
      "overwrite_text", \.overwritesText,
      "Whether the severity's text becomes the short name of its number, such as `ERROR2`, instead of what was read."
    ),
  ]

  package func check(_ checker: inout ConfigChecker) {
    for entry in mapping where Severity.number(entry.key) == nil {
      let help = Spelling.closest(to: entry.key, among: Severity.words).map { "did you mean \"\($0)\"?" }
      checker.error(
        \.mapping, at: entry.key, "there is no such severity",
        help: help ?? "write trace, debug, info, warn, error or fatal, each also with 2, 3 or 4")
    }
  }

  /// The compiled form, of settings that were found right.
  package func makeReader() -> SeverityReader {
    var table = SeverityTable()
    // A text counts more than a range with it, and what the mapping says more than what the preset says.
    for wantsText in [true, false] {
      for entry in mapping {
        guard let number = Severity.number(entry.key) else { continue }
        for match in entry.value.matches where match.isText == wantsText { table.add(match, number) }
      }
    }
    if preset != .none {
      for number in Severity.names.indices.dropFirst() {
        table.add(.text(Severity.names[number].lowercased()), Int32(number))
        table.add(.text(String(number)), Int32(number))
      }
    }
    if preset == .standard {
      for level in 0..<4 {
        let suffix = level == 0 ? "" : String(level + 1)
        table.add(.text("warning\(suffix)"), Int32(13 + level))
        table.add(.text("err\(suffix)"), Int32(17 + level))
      }
    }
    return SeverityReader(parseFrom ?? FieldPath(.body), table, overwritesText: overwritesText)
  }
}

/// OpenTelemetry's severities.
package enum Severity {
  /// The short name of each number from 1 to 24; nothing for 0.
  package static let names =
    [""]
    + ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap { name in
      (1...4).map { $0 == 1 ? name : "\(name)\($0)" }
    }

  /// How the configuration calls them.
  static let words = ["default"] + names.dropFirst().map { $0.lowercased() }

  /// The number of a severity that the configuration calls by its name or number.
  static func number(_ word: String) -> Int32? {
    if let index = words.firstIndex(of: word.lowercased()) { return Int32(index) }
    return Int32(word).flatMap { (1...24).contains($0) ? $0 : nil }
  }
}

/// What stands for one severity in a mapping.
package struct SeverityMatches: Sendable, Equatable, ConfigValue {
  package enum Match: Sendable, Equatable {
    case text(String)
    case range(ClosedRange<Int64>)

    var isText: Bool { if case .text = self { true } else { false } }
  }

  package var matches: [Match]

  package static var configType: ConfigType { .any }

  package static func decode(_ node: ConfigNode, base: Self?, context: inout ConfigContext) -> Self? {
    guard case .list(let elements) = node.value else {
      return match(node, context: &context).map { Self(matches: $0) }
    }
    var matches: [Match] = []
    var failed = false
    for element in elements {
      if let found = match(element, context: &context) { matches += found } else { failed = true }
    }
    return failed ? nil : Self(matches: matches)
  }

  private static func match(_ node: ConfigNode, context: inout ConfigContext) -> [Match]? {
    if node.scalar != nil, !node.isNull, let text = node.text {
      let lower = text.lowercased()
      // `4xx` is a range of HTTP's status codes.
      if lower.utf8.count == 3, lower.hasSuffix("xx"), let hundred = lower.first?.wholeNumberValue,
        (1...5).contains(hundred)
      {
        let start = Int64(hundred) * 100
        return [.range(start...start + 99), .text(lower)]
      }
      return [.text(lower)]
    }
    if node.entries.count == 2, let low = bound("min", of: node), let high = bound("max", of: node) {
      return [.range(min(low, high)...max(low, high))]
    }
    context.mismatch(
      node, expected: "a text, a number, 2xx to 5xx, or a range such as {min: 300, max: 399}")
    return nil
  }

  private static func bound(_ key: String, of node: ConfigNode) -> Int64? {
    node[key]?.text.flatMap { Int64($0) }
  }

  package var literal: ConfigLiteral {
    let literals = matches.map { match -> ConfigLiteral in
      switch match {
      case .text(let text): .string(text)
      case .range(let range):
        .map([.init("min", .integer(range.lowerBound)), .init("max", .integer(range.upperBound))])
      }
    }
    return literals.count == 1 ? literals[0] : .list(literals)
  }
}
