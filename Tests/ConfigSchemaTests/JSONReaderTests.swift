import ConfigSchema
import Testing

@Suite struct JSONReaderTests {
  private func text(_ json: String) -> String? {
    let (node, diagnostics) = ConfigDocument.readJSON(json, name: "x.json")
    #expect((node == nil) == diagnostics.hasErrors)
    return node?.elements.first?.text
  }

  @Test(arguments: [
    (#"["a\"\\\/\b\f\n\r\tz"]"#, "a\"\\/\u{8}\u{c}\n\r\tz"), (#"["\u00e4\ud83d\ude00"]"#, "ä😀"),
    (#"["\ud83d"]"#, "\u{fffd}"), (#"["\ud83dx"]"#, "\u{fffd}x"), ("[-1.5e+3]", "-1.5e+3"),
    (" [ 0 ] \n", "0"),
    ("[true]", "true"), ("[null, 1]", "null"),
  ])
  func `values keep their text`(json: String, expected: String) {
    #expect(text(json) == expected)
  }

  @Test func `quoted words stay texts, and places are those of the text`() throws {
    let (node, _) = ConfigDocument.readJSON("{\"ä\": \"x\",\r\n  \"b\": [\"true\", true]}", name: "x.json")
    let list = try #require(node?["b"])
    #expect(list.elements.map(\.scalar?.meaning) == [.string, .bool(true)])
    #expect(list.elements[1].origin.description == "x.json:2:17")
    #expect(node?.entries.map(\.key) == ["ä", "b"])
  }

  @Test(arguments: [
    ("", "1:1"), ("[", "1:2"), ("[1,]", "1:4"), ("[01]", "1:2"), ("[1.]", "1:2"), ("[+1]", "1:2"),
    ("[1e]", "1:2"),
    ("{a: 1}", "1:2"), ("{\"a\" 1}", "1:6"), ("{\"a\": 1,}", "1:9"), ("[\"a", "1:4"), ("[\"\\x\"]", "1:4"),
    ("[\"\\u12\"]", "1:5"), ("[\"a\tb\"]", "1:4"), ("[1] 2", "1:5"), ("[1 2]", "1:4"), ("\n\n  'a'", "3:3"),
    ("[NaN]", "1:2"), ("// x", "1:1"), ("[\u{feff}]", "1:2"),
  ])
  func `what is no JSON is told of with its place`(json: String, place: String) {
    let (node, diagnostics) = ConfigDocument.readJSON(json, name: "x.json")
    #expect(node == nil)
    #expect(diagnostics.all.first?.location?.description == "x.json:\(place)")
  }

  @Test func `nesting is bounded`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(ConfigDocument.readJSON(deep, name: "x").1.all.first?.message.contains("nested") == true)
    let fine = String(repeating: "[", count: 90) + String(repeating: "]", count: 90)
    #expect(!ConfigDocument.readJSON(fine, name: "x").1.hasErrors)
  }
}
