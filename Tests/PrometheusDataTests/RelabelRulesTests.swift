import NativeCodecs
import PrometheusData
import Testing

@Suite struct RelabelRulesTests {
  /// A rule with the labels it is given and those it leaves; nil when it drops.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let rule: @Sendable () throws -> RelabelRule
    let labels: [String: String]
    let expected: [String: String]?
    var testDescription: String { name }
  }

  static func rule(
    _ action: RelabelRule.Action = .replace, from sources: [String] = [], _ regex: String? = nil,
    to target: String = "", replacement: String = "$1", separator: String = ";", modulus: UInt64 = 0
  ) throws -> RelabelRule {
    var rule = RelabelRule()
    rule.action = action
    rule.sourceLabels = sources
    rule.pattern = try regex.map { try RelabelRule.pattern($0) }
    rule.targetLabel = target
    rule.replacement = replacement
    rule.separator = separator
    rule.modulus = modulus
    return rule
  }

  static let cases: [Case] = [
    Case(
      name: "replace copies with the defaults", rule: { try rule(from: ["a"], to: "b") },
      labels: ["a": "x"], expected: ["a": "x", "b": "x"]),
    Case(
      name: "replace joins with the separator",
      rule: { try rule(from: ["a", "none", "b"], "(.+);;(.+)", to: "c", replacement: "$2-${1}") },
      labels: ["a": "x", "b": "y"], expected: ["a": "x", "b": "y", "c": "y-x"]),
    Case(
      name: "replace is anchored at both ends",
      rule: { try rule(from: ["a"], "b", to: "c", replacement: "z") },
      labels: ["a": "abc"], expected: ["a": "abc"]),
    Case(
      name: "alternatives are anchored as one",
      rule: { try rule(from: ["a"], "x|y", to: "c", replacement: "z") },
      labels: ["a": "xz"], expected: ["a": "xz"]),
    Case(
      name: "replace with nothing removes the target", rule: { try rule(from: ["a"], to: "b") },
      labels: ["b": "y"], expected: [:]),
    Case(
      name: "replace without a match leaves the target", rule: { try rule(from: ["a"], "q", to: "b") },
      labels: ["a": "x", "b": "y"], expected: ["a": "x", "b": "y"]),
    Case(
      name: "replace sets a constant without sources", rule: { try rule(to: "b", replacement: "z") },
      labels: [:], expected: ["b": "z"]),
    Case(
      name: "the target may hold groups",
      rule: { try rule(from: ["a"], "(\\w+)=(\\w+)", to: "label_${1}", replacement: "$2") },
      labels: ["a": "k=v"], expected: ["a": "k=v", "label_k": "v"]),
    Case(
      name: "an empty target after expansion is ignored",
      rule: { try rule(from: ["a"], "x(y)?", to: "${1}", replacement: "z") },
      labels: ["a": "x"], expected: ["a": "x"]),
    Case(
      name: "a dot takes line ends", rule: { try rule(from: ["a"], "(x.y)", to: "b") },
      labels: ["a": "x\ny"], expected: ["a": "x\ny", "b": "x\ny"]),
    Case(
      name: "a group that took no part is nothing", rule: { try rule(from: ["a"], "(x)|(y)", to: "b") },
      labels: ["a": "y", "b": "old"], expected: ["a": "y"]),
    Case(
      name: "named groups", rule: { try rule(from: ["a"], "(?P<n>.)(.)", to: "b", replacement: "${n}$$") },
      labels: ["a": "xy"], expected: ["a": "xy", "b": "x$"]),
    Case(
      name: "keep keeps a match", rule: { try rule(.keep, from: ["a"], "x|y") },
      labels: ["a": "y"], expected: ["a": "y"]),
    Case(
      name: "keep drops the rest", rule: { try rule(.keep, from: ["a"], "x") }, labels: ["a": "xx"],
      expected: nil),
    Case(
      name: "keep takes a missing label for empty", rule: { try rule(.keep, from: ["a"], "") },
      labels: ["b": "y"], expected: ["b": "y"]),
    Case(
      name: "drop drops a match", rule: { try rule(.drop, from: ["a"], "x.*") }, labels: ["a": "xx"],
      expected: nil),
    Case(
      name: "drop keeps the rest", rule: { try rule(.drop, from: ["a"], "x") }, labels: ["a": "y"],
      expected: ["a": "y"]),
    Case(
      name: "keepequal", rule: { try rule(.keepEqual, from: ["a"], to: "b") }, labels: ["a": "x", "b": "x"],
      expected: ["a": "x", "b": "x"]),
    Case(
      name: "keepequal drops what differs", rule: { try rule(.keepEqual, from: ["a"], to: "b") },
      labels: ["a": "x"], expected: nil),
    Case(
      name: "dropequal", rule: { try rule(.dropEqual, from: ["a"], to: "b") }, labels: ["a": "x", "b": "x"],
      expected: nil),
    Case(
      name: "dropequal takes two missing labels for equal",
      rule: { try rule(.dropEqual, from: ["a"], to: "b") }, labels: ["c": "x"], expected: nil),
    Case(
      name: "hashmod of one label", rule: { try rule(.hashMod, from: ["a"], to: "d", modulus: 1000) },
      labels: ["a": "abc"], expected: ["a": "abc", "d": "\(0xd696_3f7d_28e1_7f72 as UInt64 % 1000)"]),
    Case(
      name: "labelmap copies names", rule: { try rule(.labelMap, "__meta_(.+)") },
      labels: ["__meta_x": "1", "__meta_y_z": "2", "meta_q": "3"],
      expected: ["__meta_x": "1", "__meta_y_z": "2", "meta_q": "3", "x": "1", "y_z": "2"]),
    Case(
      name: "labelmap does not map what it made", rule: { try rule(.labelMap, "a(.*)", replacement: "a_$1") },
      labels: ["a": "1"], expected: ["a": "1", "a_": "1"]),
    Case(
      name: "labelmap to a fixed name", rule: { try rule(.labelMap, "foo_(.*)", replacement: "bar_${1}") },
      labels: ["foo_x": "1", "bar_x": "old"], expected: ["foo_x": "1", "bar_x": "1"]),
    Case(
      name: "labeldrop", rule: { try rule(.labelDrop, "b.*") }, labels: ["a": "1", "b": "2", "bc": "3"],
      expected: ["a": "1"]),
    Case(
      name: "labelkeep", rule: { try rule(.labelKeep, "b.*") }, labels: ["a": "1", "b": "2", "bc": "3"],
      expected: ["b": "2", "bc": "3"]),
    Case(
      name: "lowercase", rule: { try rule(.lowercase, from: ["a", "b"], to: "c") },
      labels: ["a": "XÄ", "b": "İ"], expected: ["a": "XÄ", "b": "İ", "c": "xä;i"]),
    Case(
      name: "uppercase maps letter by letter", rule: { try rule(.uppercase, from: ["a"], to: "c") },
      labels: ["a": "straße ŉ ᾀ"], expected: ["a": "straße ŉ ᾀ", "c": "STRAßE ŉ ᾈ"]),
    Case(
      name: "uppercase of nothing removes the target", rule: { try rule(.uppercase, from: ["a"], to: "c") },
      labels: ["c": "1"], expected: [:]),
  ]

  @Test(arguments: cases)
  func `a rule does what the documentation says`(_ test: Case) throws {
    var labels = LabelSet(test.labels.map { Label($0.key, $0.value) })
    let isKept = try RelabelRules([test.rule()]).apply(&labels)
    #expect(isKept == (test.expected != nil))
    guard let expected = test.expected else { return }
    #expect(labels == LabelSet(expected.map { Label($0.key, $0.value) }))
  }

  @Test func `rules see what the ones before them made, and a drop ends them`() throws {
    let rules = try RelabelRules([
      Self.rule(from: ["a"], "(.)(.)", to: "b", replacement: "$2"),
      Self.rule(.drop, from: ["b"], "y"),
      Self.rule(to: "c", replacement: "z"),
    ])
    var kept = LabelSet([Label("a", "xx")])
    #expect(rules.apply(&kept))
    #expect(kept == LabelSet([Label("a", "xx"), Label("b", "x"), Label("c", "z")]))
    var dropped = LabelSet([Label("a", "xy")])
    #expect(!rules.apply(&dropped))
  }

  @Test func `legacy names are checked after expansion`() throws {
    let rule = try Self.rule(from: ["a"], to: "$1", replacement: "v")
    var labels = LabelSet([Label("a", "x.y")])
    #expect(RelabelRules([rule], names: .legacy).apply(&labels))
    #expect(labels == LabelSet([Label("a", "x.y")]))
    #expect(RelabelRules([rule], names: .utf8).apply(&labels))
    #expect(labels["x.y"] == "v")
    #expect(!LabelNameScheme.legacy.allows("1a") && LabelNameScheme.legacy.allows("_a1"))
  }
}
