import ConfigSchema
import Testing

/// References in values.
struct SubstitutionTests {
  static let environment = ConfigEnvironment(
    variables: [
      "HOST": "backend", "PORT": "4317", "NAME": "HOST", "OCTAL": "0123", "EXP": "1e3", "YES": "yes",
      "VERSION": "1.10", "TRUE": "true", "LIST": "[a, 1]", "MAP": "{k: \"${env:PORT}\"}", "QUOTED": "'q'",
      "EMPTY": "",
      "NESTED": "<${env:HOST}>", "DOLLARS": "a$$b", "BROKEN": "[", "SELF": "${env:SELF}", "A": "${B}",
      "B": "${A}",
      "COMMENT": "12 # twelve", "CSV": "a,b",
    ],
    files: ["/token": "s3cr3t\n", "/map.yaml": "k: 1\nl: [\"${env:PORT}\"]\n", "relative": "x"])

  static func value(_ text: String) throws -> (literal: ConfigLiteral, codes: [String]) {
    let (node, diagnostics) = ConfigLoaderTests.load(["v: \(text)"], environment: environment)
    return (try #require(node?["v"]).literal, diagnostics.all.map(\.code))
  }

  @Test(arguments: [
    ("${env:HOST}", #""backend""#), ("${HOST}", #""backend""#), ("${env:PORT}", "4317"),
    ("\"${env:PORT}\"", "4317"), ("'${env:HOST}'", #""backend""#), ("${env:TRUE}", "true"),
    ("${env:HOST}:${env:PORT}", #""backend:4317""#), ("${env:PORT}s", #""4317s""#),
    ("${env:LIST}", #"["a",1]"#), ("${env:MAP}", #"{"k":4317}"#), ("x${env:LIST}", #""x[a, 1]""#),
    ("${env:${env:NAME}}", #""backend""#), ("${env:MISSING:-fallback}", #""fallback""#),
    ("${MISSING:-5}", "5"), ("${env:HOST:-fallback}", #""backend""#), ("${env:EMPTY:-fallback}", "null"),
    ("${env:MISSING:-${env:HOST}}", #""backend""#), ("${env:MISSING:-}", "null"),
    ("$$", #""$""#), ("$${HOST}", #""${HOST}""#), ("$$$${HOST}", #""$${HOST}""#),
    ("$$${HOST}", #""$backend""#), ("$HOST", #""$HOST""#), ("a$", #""a$""#), ("^a$|b", #""^a$|b""#),
    ("${file:/token}", #""s3cr3t""#), ("Bearer ${file:/token}", #""Bearer s3cr3t""#),
    ("${file:/map.yaml}", #"{"k":1,"l":[4317]}"#), ("${yaml:[1, 2]}", "[1,2]"), ("${yaml:'x'}", #""'x'""#),
    ("${env:NESTED}", #""<backend>""#), ("-${env:NESTED}", #""-<backend>""#), ("${env:DOLLARS}", #""a$b""#),
    ("${env:BROKEN}", #""[""#), ("${env:QUOTED}", #""'q'""#), ("[\"${env:PORT}\", b]", #"[4317,"b"]"#),
    ("${env:COMMENT}", "12"), ("$${1}", #""${1}""#), ("$$1", #""$1""#),
  ])
  func `a reference is replaced`(text: String, json: String) throws {
    let (literal, codes) = try Self.value(text)
    #expect(literal.json == json)
    #expect(codes.isEmpty)
  }

  @Test(arguments: [
    ("${env:MISSING}", "unset-variable"), ("$1", "dollar-number"), ("${1}", "bad-reference"),
    ("a${1}b", "bad-reference"), ("${env:}", "bad-reference"), ("${}", "bad-reference"),
    ("${env:a b}", "bad-reference"), ("${a.b}", "bad-reference"), ("${https://x}", "bad-reference"),
    ("${vault:x}", "bad-reference"), ("${env:SELF}", "reference-cycle"), ("${A}", "reference-cycle"),
    ("x${A}", "reference-cycle"), ("${file:/none}", "unreadable-file"), ("x ${HOST", "unclosed-reference"),
    ("${env:" + String(repeating: "N", count: 201) + "}", "bad-reference"),
    ("${HOST}" + String(repeating: "-${HOST}", count: 100), "too-many-references"),
  ])
  func `a doubtful reference is reported`(text: String, code: String) throws {
    #expect(try Self.value(text).codes == [code])
  }

  @Test func `a hundred references in one value are allowed`() throws {
    let text = String(repeating: "${HOST}", count: 100)
    #expect(try Self.value(text).codes.isEmpty)
  }

  @Test func `exponential references are bounded`() throws {
    var variables = ["V0": "x"]
    for level in 1...30 { variables["V\(level)"] = "${V\(level - 1)}${V\(level - 1)}" }
    let (_, diagnostics) = ConfigLoaderTests.load(
      ["v: ${V30}"], environment: ConfigEnvironment(variables: variables))
    #expect(diagnostics.all.map(\.code) == ["too-many-references"])
  }

  struct Texts: ConfigGroup {
    var text = "default"
    var list: [String] = []
    var number = 7
    var flag = true
    var optional: String?
    static let fields: [Field<Self>] = [
      Field("text", \.text, ""), Field("list", \.list, ""), Field("number", \.number, ""),
      Field("flag", \.flag, ""), Field("optional", \.optional, ""),
    ]
  }

  static func texts(_ yaml: String) throws -> Texts {
    let (node, _) = ConfigLoaderTests.load([yaml], environment: environment)
    var diagnostics = Diagnostics()
    let texts = ConfigDecoder.decode(
      Texts.self, from: try #require(node), path: "", diagnostics: &diagnostics)
    return try #require(texts, "\(diagnostics.render())")
  }

  @Test(arguments: [
    "0123", "1e3", "yes", "1.10", "true", "0x1F", "1_000", ".5", "2024-01-01", "12:30:45", "+1", "a # b",
  ])
  func `text fields keep what was written`(text: String) throws {
    let expected = text == "a # b" ? "a" : text
    #expect(try Self.texts("text: \(text)").text == expected)
  }

  @Test(arguments: [
    ("OCTAL", "0123"), ("EXP", "1e3"), ("YES", "yes"), ("VERSION", "1.10"), ("TRUE", "true"),
    ("LIST", "[a, 1]"),
    ("QUOTED", "'q'"), ("EMPTY", ""), ("MISSING", ""), ("COMMENT", "12 # twelve"),
    ("MAP", "{k: \"4317\"}"),
  ])
  func `text fields take a variable's text untouched`(name: String, text: String) throws {
    #expect(try Self.texts("text: ${env:\(name)}").text == text)
  }

  @Test func `an unset variable leaves other fields at their defaults`() throws {
    let texts = try Self.texts("number: ${env:MISSING}\nflag: ${env:MISSING}\noptional: ${env:MISSING}")
    #expect(texts.number == 7 && texts.flag)
    #expect(texts.optional == nil)
  }

  @Test func `null keeps the default, or means nil`() throws {
    let texts = try Self.texts("text:\nnumber: ~\noptional: null")
    #expect(texts.text == "default" && texts.number == 7 && texts.optional == nil)
  }

  @Test func `a text with commas is a list of texts`() throws {
    #expect(try Self.texts("list: ${env:CSV}").list == ["a", "b"])
    #expect(try Self.texts("list: one").list == ["one"])
  }

  @Test func `a value from a file points into that file`() throws {
    let (node, _) = ConfigLoaderTests.load(["v: ${file:/map.yaml}"], environment: Self.environment)
    #expect(node?["v"]?.entry("k")?.keyOrigin.description == "/map.yaml:1:1")
  }

  @Test func `a wrong value names the variable it came from, without quoting it`() throws {
    let environment = ConfigEnvironment(variables: ["N": "{number: many}"])
    let (node, _) = ConfigLoaderTests.load(["${N}: 1"], environment: environment)
    #expect(node?.entries.map(\.key) == ["${N}"], "keys are not substituted")
    var diagnostics = Diagnostics()
    let tree = try #require(ConfigLoaderTests.load(["v: ${N}"], environment: environment).0?["v"])
    _ = ConfigDecoder.decode(Texts.self, from: tree, path: "v", diagnostics: &diagnostics)
    #expect(diagnostics.render().contains("--> env:N"))
    #expect(!diagnostics.render().contains("{number"))
  }
}
