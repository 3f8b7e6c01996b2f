import Testing
import WireFormat

@testable import LogData

@Suite struct JSONArrayParserTests {
  @Test(arguments: [
    (#"[1,"debug","Debug Message", true]"#, #"[1,"debug","Debug Message",true]"#),
    (#"["Foo", "Bar", "Charlie"]"#, #"["Foo","Bar","Charlie"]"#),
    (
      #"["Hello", 42, {"name": "Alice", "age": 25}, [1, 2, 3], true, null]"#,
      #"["Hello",42,"{\"name\": \"Alice\", \"age\": 25}","[1, 2, 3]",true,null]"#
    ),
    (" [ ] ", "[]"),
    (#"[-1.5,"é"]"#, #"[-1.5,"é"]"#),
  ])
  func `arrays become lists and nested values stay text`(text: String, expected: String) throws {
    #expect(try parse(text) == expected)
  }

  @Test func `with a header arrays become maps`() throws {
    let header = ["origin", "sev", "message", "isBool"]
    #expect(
      try parse(#"[1,"debug","Debug Message", true]"#, header)
        == #"{"origin":1,"sev":"debug","message":"Debug Message","isBool":true}"#)
    #expect(try parse("[1,2,3]", ["a", "b", "a"]) == #"{"a":3,"b":2}"#)
    #expect(throws: LogOperatorError("wrong number of fields: expected 4, found 1")) {
      try parse("[1]", header)
    }
  }

  @Test(arguments: [
    ("", "the text ends too early at byte 0"),
    (#"{"a":1}"#, "expected an array, found '{' at byte 0"),
    ("[1,]", "expected a value, found ']' at byte 3"),
    ("[1 2]", "expected ',' or ']', found '2' at byte 3"),
    (#"[{"a"}]"#, "expected ':', found '}' at byte 5"),
    ("[1]]", "text after the end of the message at byte 3"),
  ])
  func `what is no array is refused with its place`(text: String, expected: String) throws {
    let error = try #require(throws: LogOperatorError.self) { try parse(text) }
    #expect(error.description == "not a JSON array: " + expected)
  }

  private func parse(_ text: String, _ header: [String]? = nil) throws -> String {
    let parser = JSONArrayParser(header: header)
    var entry = LogEntry()
    _ = entry.add("before")
    let range = entry.add(text)
    _ = entry.add("] behind")
    let value = try parser.parse(.string(range), of: &entry)
    return entry.json(value)
  }
}
