import ConfigSchema
import Testing

@testable import LogData

@Suite struct FileOrderingTests {
  private func select(_ yaml: String, _ files: [String], modified: [Int64] = []) throws -> [String] {
    let (criteria, diagnostics) = try LineConfigTests.decode(OrderingCriteria.self, yaml)
    let candidates = files.enumerated().map { index, path in
      FileOrdering.Candidate(path: path, modified: modified.isEmpty ? 0 : modified[index])
    }
    return FileOrdering(try #require(criteria, "\(diagnostics.render())")).select(candidates, now: 0).map(
      \.path)
  }

  private static let hourly = ["err.2023020611.log", "err.2023020612.log", "err.2023020609.log"]

  @Test func `the newest by the time in its name`() throws {
    let yaml = """
      regex: err\\.(?P<value>\\d{10}).*log
      sort_by: [{sort_type: timestamp, regex_key: value, layout: "%Y%m%d%H", location: UTC}]
      """
    #expect(try select(yaml, Self.hourly) == ["err.2023020612.log"])
    #expect(try select(yaml + "\ntop_n: 5", Self.hourly) == Self.hourly.sorted().reversed())
    #expect(
      try select(yaml.replacing("location: UTC", with: "ascending: true"), Self.hourly) == [
        "err.2023020609.log"
      ])
  }

  @Test func `numbers are compared as numbers, and text by its bytes`() throws {
    let files = ["a.9.log", "a.10.log", "a.x.log", "b"]
    let regex = "regex: a\\.(?P<v>\\w+)\\.log\ntop_n: 0\n"
    #expect(
      try select(regex + "sort_by: [{sort_type: numeric, regex_key: v}]", files) == ["a.10.log", "a.9.log"])
    #expect(
      try select(regex + "sort_by: [{sort_type: lexicographic, regex_key: v, ascending: true}]", files)
        == ["a.10.log", "a.9.log", "a.x.log"])
  }

  @Test func `the last rule counts most`() throws {
    let files = ["a.1.7", "b.2.7", "a.2.7", "b.1.8", "a.1.8"]
    let yaml = """
      regex: (?P<alpha>[a-z])\\.(?P<number>\\d+)\\.(?P<time>\\d+)
      top_n: 4
      sort_by:
        - {sort_type: alphabetical, regex_key: alpha}
        - {sort_type: numeric, regex_key: number, ascending: true}
        - {sort_type: numeric, regex_key: time}
      """
    #expect(try select(yaml, files) == ["b.1.8", "a.1.8", "a.1.7", "b.2.7"])
  }

  @Test func `each group has its own order`() throws {
    let files = ["a.1", "b.5", "a.3", "b.2", "c"]
    let yaml = """
      regex: \\.(?P<n>\\d+)
      group_by: ^([a-z])\\.
      sort_by: [{sort_type: numeric, regex_key: n}]
      """
    #expect(try select(yaml, files) == ["a.3", "b.5"])
    #expect(try select("group_by: ^([a-z])\\.", files) == ["a.1", "a.3", "b.5", "b.2"])
  }

  @Test func `files by when they were written need no expression`() throws {
    #expect(try select("sort_by: [{sort_type: mtime}]", ["a", "b", "c"], modified: [2, 3, 1]) == ["b"])
    #expect(
      try select(
        "sort_by: [{sort_type: mtime, ascending: true}]\ntop_n: 2", ["a", "b", "c"], modified: [2, 3, 1])
        == ["c", "a"])
  }

  @Test(arguments: [
    ("sort_by: [{sort_type: numeric, regex_key: a}]", "needs a regex", "1:1"),
    (
      "regex: (?P<value>a)\nsort_by: [{sort_type: numeric, regex_key: valu}]", "did you mean \"value\"?",
      "2:43"
    ),
    ("regex: (a)\nsort_by: [{sort_type: numeric}]", "needs a \"regex_key\"", "2:1"),
    ("regex: (?P<v>a\nsort_by: [{sort_type: numeric, regex_key: v}]", "missing )", "1:8"),
    ("sort_by: [{sort_type: size}]", "one of numeric, alphabetical, timestamp, mtime", "1:23"),
    ("regex: (?P<v>a)\nsort_by: [{sort_type: timestamp, regex_key: v}]", "is required with", "2:11"),
    ("regex: (?P<v>a)\nsort_by: [{sort_type: timestamp, regex_key: v, layout: '%Y %!'}]", "layout", "2:60"),
    (
      "regex: (?P<v>a)\nsort_by: [{sort_type: timestamp, regex_key: v, layout: '%Y', location: Mars}]",
      "Mars", "2:62"
    ),
    ("top_n: 3", "has no effect without sort_by", "1:1"),
    ("top_n: -1\nsort_by: [{sort_type: mtime}]", "must be at least 0", "1:8"),
    ("group_by: abc", "has no group", "1:1"),
  ])
  func `what could not work is shown where it stands`(yaml: String, message: String, place: String) throws {
    let found = try LineConfigTests.decode(OrderingCriteria.self, yaml).1.render()
    #expect(found.contains(message), "\(found)")
    #expect(found.contains("test.yaml:\(place)"), "\(found)")
  }
}
