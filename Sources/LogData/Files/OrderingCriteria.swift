package import ConfigSchema
internal import NativeCodecs
internal import TimeFormats

/// The block `ordering_criteria`: which of the files that were found are read.
package struct OrderingCriteria: ConfigGroup {
  package var regex: RegexText?
  package var groupBy: RegexText?
  package var topN = 1
  package var sortBy: [FileSortRule] = []

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "regex", \.regex,
      "A regular expression with named groups, which the rules name; files whose path does not match are not read."
    ),
    Field(
      "group_by", \.groupBy,
      "A regular expression whose first group tells the groups of files apart, each with an order of its own; files whose path does not match are not read."
    ),
    Field(
      "top_n", \.topN, "How many files of each group are read, the first of the order; 0 for all.",
      check: .atLeast(0)),
    Field(
      "sort_by", \.sortBy,
      "The rules of the order; the last counts most, and those before it order what it holds to be equal."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if sortBy.isEmpty {
      if checker.isPresent(\.topN) { checker.warning(\.topN, "has no effect without sort_by") }
      if checker.isPresent(\.regex) { checker.warning(\.regex, "has no effect without sort_by") }
    }
    if let groupBy, groupBy.pattern.groupCount == 0 {
      checker.error(
        \.groupBy, "has no group that tells files apart", help: "put the part that does in parentheses")
    }
    let names = regex?.pattern.groupNames.filter { !$0.isEmpty } ?? []
    for rule in sortBy where rule.sortType.needsRegex {
      if regex == nil {
        if checker.hasError(\.regex) { return }
        checker.error(
          \.sortBy, "\"sort_type: \(rule.sortType.rawValue)\" needs a regex whose groups it can name",
          help: "add \"regex\" to ordering_criteria")
        return
      }
      if names.contains(rule.regexKey.text) { continue }
      let message =
        rule.regexKey.text.isEmpty
        ? "\"sort_type: \(rule.sortType.rawValue)\" needs a \"regex_key\""
        : "the regex has no group \"\(rule.regexKey.text)\""
      let help =
        Spelling.closest(to: rule.regexKey.text, among: names).map { "did you mean \"\($0)\"?" }
        ?? (names.isEmpty ? "name a group: (?P<value>…)" : "its groups are \(names.joined(separator: ", "))")
      guard let origin = rule.regexKey.origin(ofByte: 0) else {
        checker.error(\.sortBy, message, help: help)
        continue
      }
      checker.error(at: origin, path: rule.regexKey.path, "regex_key: \(message)", help: help)
    }
  }
}

/// What files are ordered by.
package enum FileSortType: String, ConfigEnum {
  case numeric, alphabetical, timestamp, mtime

  package static let alternatives: [String: FileSortType] = ["lexicographic": .alphabetical]
  package static let ignoresCase = true

  var needsRegex: Bool { self != .mtime }
}

/// One element of `sort_by`.
package struct FileSortRule: ConfigGroup {
  package var sortType = FileSortType.mtime
  package var regexKey = LayoutText("")
  package var layout = LayoutText("")
  package var location = "UTC"
  package var ascending = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("sort_type", \.sortType, "What is compared.", required: true),
    Field("regex_key", \.regexKey, "The group of the regex that holds it; not for mtime."),
    Field(
      "layout", \.layout, "For timestamp: what it looks like, in directives of strptime such as `%Y%m%d%H`."),
    Field("location", \.location, "For timestamp: the zone of times that do not name one."),
    Field(
      "ascending", \.ascending,
      "Whether the smallest or oldest comes first, rather than the largest or newest."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    guard sortType == .timestamp, !checker.hasError(\.sortType) else {
      if !layout.text.isEmpty { checker.warning(\.layout, "has no effect but with \"sort_type: timestamp\"") }
      return
    }
    if layout.text.isEmpty {
      checker.error(\.layout, "is required with \"sort_type: timestamp\"", help: "such as %Y%m%d%H")
      return
    }
    do {
      _ = try TimeLayout(strptime: layout.text, in: .utc)
    } catch {
      if let origin = layout.origin(ofByte: error.offset) {
        checker.error(at: origin, path: layout.path, "layout: \(error.description)", help: error.help)
      } else {
        checker.error(\.layout, error.description, help: error.help)
      }
    }
    do {
      _ = try TimeZoneDatabase.zone(location)
    } catch {
      checker.error(\.location, error.description)
    }
  }
}
