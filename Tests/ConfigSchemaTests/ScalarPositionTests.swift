import ConfigSchema
import NativeCodecs
import Testing

/// Positions inside a scalar.
struct ScalarPositionTests {
  struct Config: ConfigGroup {
    var regex: RegexText?
    static let fields: [Field<Self>] = [Field("regex", \.regex, "A pattern.")]
  }

  /// The place of `!` in the value of `a`, as `line:column+length`.
  static func place(_ yaml: String, length: Int = 1) throws -> String {
    let (root, _) = ConfigLoader.load(
      sources: [.text(yaml, name: "t")],
      environment: ConfigEnvironment(variable: { _ in "x!y" }, file: { _ in .failure(.notFound) }))
    let node = try #require(root?["a"])
    let text = try #require(node.text)
    let offset = try #require(text.utf8.firstIndex(of: 0x21))
    let start = text.utf8.distance(from: text.startIndex, to: offset)
    let origin = node.origin(ofBytes: start..<(start + length))
    return "\(origin.line):\(origin.column)+\(origin.length)"
  }

  @Test(arguments: [
    ("a: xy!z", "1:6+1"), ("a: üx!z # !", "1:6+1"), ("{a: x!y, b: !!str z}", "1:6+1"), ("a: x$$!", "1:7+1"),
    ("a: 'x''y!'", "1:9+1"), ("a: \"x\\\"\\u00fc\\t!\"", "1:16+1"),
    ("a: \"\\U0001F600!\"", "1:15+1"), ("a: |\n\n  x\n   y!\n", "4:5+1"), ("a: |-\n  x!", "2:4+1"),
    ("b: 1\na: |+\n    !\n\n", "3:5+1"), ("a: '$${x}!'", "1:10+1"),
    // What is not followed: the place of the whole.
    ("a: >\n  x!\n", "1:4+1"), ("a: |2\n  x!\n", "1:4+1"), ("a: 'x\n  y!'", "1:4+2"),
    ("a: ${env:X}", "1:4+8"),
    ("a: b ${env:X}", "1:4+10"), ("a: !!str x!", "1:4+8"), ("b: &n x!\na: *n", "1:4+5"),
  ])
  func `a byte is found again in the source`(yaml: String, place: String) throws {
    #expect(try Self.place(yaml) == place, "\(yaml)")
  }

  @Test func `a part is as long as it was written, and the end lies behind the last character`() throws {
    #expect(try Self.place("a: \"!\\tb\"", length: 2) == "1:5+3")
    #expect(try Self.place("a: |\n  !a\n  b\n", length: 4) == "2:3+1")
    let node = try #require(ConfigLoaderTests.load(["a: 'b'"]).0?["a"])
    #expect(node.origin(ofBytes: 1..<1).column == 6)
    #expect(node.origin(ofBytes: 99..<120).column == 6)
  }

  @Test(arguments: [
    (
      "regex: '^(\\d+) [z-a] x'",
      """
      error[invalid-regex]: not a regular expression of RE2: invalid character class range: `z-a`
       --> file0.yaml:1:17 (p.regex)
        |
      1 | regex: '^(\\d+) [z-a] x'
        |                 ^^^
        = help: the syntax is Go's: no backreferences and no look-around

      """
    ),
    (
      "regex: |\n  a(b\n  c\n",
      """
      error[invalid-regex]: not a regular expression of RE2: missing )
       --> file0.yaml:2:4 (p.regex)
        |
      2 |   a(b
        |    ^
        = help: the syntax is Go's: no backreferences and no look-around

      """
    ),
  ])
  func `a mistake in a pattern is underlined`(yaml: String, expected: String) throws {
    let node = try #require(ConfigLoaderTests.load([yaml]).0)
    var diagnostics = Diagnostics()
    _ = ConfigDecoder.decode(Config.self, from: node, path: "p", diagnostics: &diagnostics)
    #expect(diagnostics.render() == expected)
  }
}
