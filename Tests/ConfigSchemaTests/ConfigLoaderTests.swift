import ConfigSchema
import Testing

/// Merging, overrides and sources.
struct ConfigLoaderTests {
  static func load(
    _ texts: [String], overrides: [String] = [], environment: ConfigEnvironment = ConfigEnvironment()
  ) -> (ConfigNode?, Diagnostics) {
    let sources = texts.enumerated().map { ConfigSource.text($1, name: "file\($0).yaml") }
    return ConfigLoader.load(sources: sources, overrides: overrides, environment: environment)
  }

  struct Merge: Sendable, CustomTestStringConvertible {
    let texts: [String]
    let overrides: [String]
    let result: String
    let testDescription: String

    init(_ name: String, _ texts: [String], set overrides: [String] = [], _ result: String) {
      testDescription = name
      self.texts = texts
      self.overrides = overrides
      self.result = result
    }
  }

  static let merges = [
    Merge(
      "maps are merged deeply", ["a: {b: 1, c: {d: 2}}", "a: {c: {e: 3}}"], "{a: {b: 1, c: {d: 2, e: 3}}}"),
    Merge("scalars: the later wins", ["a: 1", "a: 2"], "{a: 2}"),
    Merge("lists are replaced", ["a: [1, 2]", "a: [3]"], "{a: [3]}"),
    Merge("a null section wipes the earlier one", ["a: {b: 1}", "a:"], "{a: null}"),
    Merge("an empty map does not", ["a: {b: 1}", "a: {}"], "{a: {b: 1}}"),
    Merge("null then a map", ["a:", "a: {b: 1}"], "{a: {b: 1}}"),
    Merge("a map replaces a scalar", ["a: 1", "a: {b: 1}"], "{a: {b: 1}}"),
    Merge("an override goes last", ["a: {b: 1}"], set: ["a.b=2"], "{a: {b: 2}}"),
    Merge("an override's value is YAML", ["a: {b: 1}"], set: ["a.b=[x, {y: 1}]"], "{a: {b: [x, {y: 1}]}}"),
    Merge("an override may be empty", ["a: {b: 1}"], set: ["a="], "{a: null}"),
    Merge("an override's keys may hold dots", ["x: 1"], set: ["a::b.c::d=1"], "{x: 1, a: {b.c: {d: 1}}}"),
    Merge("an override's value may hold =", ["x: 1"], set: ["a.b=c=d"], "{x: 1, a: {b: c=d}}"),
    Merge("overrides alone are enough", [], set: ["a.b=1"], "{a: {b: 1}}"),
  ]

  @Test(arguments: merges)
  func `sources and overrides are merged`(merge: Merge) throws {
    let (node, diagnostics) = Self.load(merge.texts, overrides: merge.overrides)
    #expect(diagnostics.isEmpty, "\(diagnostics.render())")
    let expected = try #require(Self.load([merge.result]).0)
    #expect(node?.renderYAML() == expected.renderYAML())
  }

  @Test func `positions keep the name of their source`() throws {
    let (node, _) = Self.load(["a:\n  b: 1\n  c: 2", "a:\n  c: 3"], overrides: ["a.d=4"])
    let map = try #require(node?["a"])
    #expect(map["b"]?.origin.description == "file0.yaml:2:6")
    #expect(map["c"]?.origin.description == "file1.yaml:2:6")
    #expect(map.entry("c")?.keyOrigin.description == "file1.yaml:2:3")
    #expect(map["d"]?.origin.description == "--set a.d=4")
    #expect(map["d"]?.origin.column == 5)
    #expect(node?.origins.map(\.path) == ["a.b", "a.c", "a.d"])
  }

  @Test func `an error in an override quotes the override`() throws {
    var (node, diagnostics) = Self.load([], overrides: ["timeout=5d"])
    let root = try #require(node)
    node = nil
    _ = ConfigDecoder.decode(SampleConfig.self, from: root, path: "", diagnostics: &diagnostics)
    #expect(
      diagnostics.render() == """
        error[wrong-type]: expected a duration such as 300ms or 1h30m, found 5d: days are not supported
         --> --set timeout=5d (timeout)
          |
        1 | timeout=5d
          |         ^^
          = help: write 120h

        """)
  }

  @Test(arguments: ["a", "=1", "a..b=1", ".a=1", "a::=1"])
  func `a malformed override is an error`(override: String) {
    let (node, diagnostics) = Self.load(["x: 1"], overrides: [override])
    #expect(node == nil)
    #expect(diagnostics.all.map(\.code) == ["bad-override"])
  }

  @Test func `URIs name files, variables and text`() throws {
    let environment = ConfigEnvironment(
      variables: ["CONF": "b: 2"], files: ["dir/a.yaml": "a: 1", "plain.yaml": "d: 4", "/abs.yaml": "e: 5"])
    let sources = ["file:dir/a.yaml", "env:CONF", "yaml:c::x::z: 3s", "plain.yaml", "file:///abs.yaml"]
    let (node, diagnostics) = ConfigLoader.load(
      sources: sources.map { ConfigSource($0) }, environment: environment)
    #expect(diagnostics.isEmpty)
    #expect(node?.renderYAML() == "a: 1\nb: 2\nc:\n  x:\n    z: 3s\nd: 4\ne: 5\n")
  }

  @Test(arguments: [
    ("https://example.com/c.yaml", "unsupported-source"), ("http:x", "unsupported-source"),
    ("s3://bucket/c.yaml", "unsupported-source"), ("missing.yaml", "unreadable-file"),
    ("env:MISSING", "unset-variable"), ("yaml:", "empty-config"), ("yaml:[1]", "not-a-map"),
  ])
  func `a source that cannot be used is an error`(source: String, code: String) {
    let (node, diagnostics) = ConfigLoader.load(
      sources: [ConfigSource(source)], environment: ConfigEnvironment())
    #expect(node == nil)
    #expect(diagnostics.all.map(\.code) == [code])
    #expect(diagnostics.hasErrors)
  }

  @Test func `no source at all is an error`() {
    #expect(ConfigLoader.load(sources: []).1.all.map(\.code) == ["no-config"])
  }

  @Test func `an empty file beside others is only a warning`() {
    let (node, diagnostics) = Self.load(["a: 1", "# nothing\n"])
    #expect(node != nil)
    #expect(diagnostics.all.map(\.severity) == [.warning])
  }

  @Test func `errors of every file are reported together`() {
    let (node, diagnostics) = Self.load(["a: [", "b: 'x"])
    #expect(node == nil)
    #expect(diagnostics.all.compactMap(\.location?.file) == ["file0.yaml", "file1.yaml"])
  }

  @Test func `the environment of the process reads files and variables`() {
    let environment = ConfigEnvironment.process
    #expect(environment.variable("PATH")?.isEmpty == false)
    #expect(environment.variable("MILLRACE_SURELY_NOT_SET") == nil)
    #expect(environment.file("/no/such/file") == .failure(.notFound))
    #expect(environment.file("/") == .failure(.isDirectory))
    #expect(environment.file(#filePath).map { $0.contains("ConfigLoaderTests") } == .success(true))
  }
}

/// Hostile YAML.
struct YAMLLimitTests {
  @Test func `aliases that expand to too much are refused`() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "a\(level): &a\(level) [\(aliases)]\n"
    }
    let (node, diagnostics) = ConfigLoaderTests.load([text])
    #expect(node == nil)
    #expect(diagnostics.all.map(\.code) == ["yaml-too-large"])
  }

  @Test(arguments: [101, 999, 5000, 100_000])
  func `deep nesting is refused`(depth: Int) {
    let text = "a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    let (node, diagnostics) = ConfigLoaderTests.load([text])
    #expect(node == nil)
    #expect(diagnostics.all.map(\.code) == ["too-deep"])
  }

  @Test func `nesting up to the limit is read`() {
    let text = "a: " + String(repeating: "[", count: 99) + String(repeating: "]", count: 99)
    #expect(ConfigLoaderTests.load([text]).0 != nil)
  }

  @Test(arguments: [
    "? [a, b]\n: 1", "? {a: 1}\n: 1", "a: !!binary aGk=", "<<: 1", "a: &x [*x]", "a: \u{1}", "a: b: c",
    "- a\nb: 1",
    "a: `x`", "a: @x", "a: 'x", "{a: 1", "a: |\n\tb\n c\n", "\"\\uD800\": 1", "a: \"\\xZZ\"",
    "%YAML 9.9\n--- a",
    "--- !<x y> a", "a:\n- b\n  - c: d\n e", "!!map [a]", "&a", "*a", "? ", ": ", "-", "---\n...\n---",
    "a: 1\na: 2\nb: 1\nb: 2", "{a, b, a}",
  ])
  func `strange YAML gives a diagnostic or a tree`(text: String) {
    let (node, diagnostics) = ConfigLoaderTests.load([text])
    #expect(node != nil || diagnostics.hasErrors)
    #expect(diagnostics.all.allSatisfy { !$0.render().isEmpty })
  }

  @Test func `every cut of a good file gives a diagnostic or a tree`() {
    let text = """
      receivers:
        otlp: {protocols: {grpc: &g {endpoint: "0.0.0.0:4317"}, http: *g}}
      list:
        - 'a'
        - |
          text
        - ${env:X}
      """
    for length in 0...text.count {
      let (node, diagnostics) = ConfigLoaderTests.load([String(text.prefix(length))])
      #expect(node != nil || diagnostics.hasErrors)
      #expect(diagnostics.isEmpty || !diagnostics.render().isEmpty)
    }
  }

  @Test func `tags decide between text and number`() throws {
    let node = try #require(ConfigLoaderTests.load(["a: !!str 1\nb: ! 2\nc: !!int 3\nd: !mode x"]).0)
    #expect(node.literal.json == #"{"a":"1","b":"2","c":3,"d":"x"}"#)
    #expect(ConfigLoaderTests.load(["a: !mode=append [x]"]).1.all.map(\.code) == ["yaml-tag"])
  }
}
