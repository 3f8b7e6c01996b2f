import SeededRandom
import Testing
import WireFormat

@testable import LogData

@Suite struct JSONParserTests {
  @Test(arguments: [
    (#"{"key": "val"}"#, #"{"key":"val"}"#),
    (#" { } "#, "{}"),
    ("null", "{}"),
    (
      #"{"a":1,"b":-7,"c":0,"d":-0,"e":9223372036854775807,"f":-9223372036854775808}"#,
      #"{"a":1,"b":-7,"c":0,"d":0,"e":9223372036854775807,"f":-9223372036854775808}"#
    ),
    (
      #"{"a":1.0,"b":1e3,"c":0.25,"d":9223372036854775808,"e":-1.5E-3}"#,
      #"{"a":1.0,"b":1000.0,"c":0.25,"d":9.223372036854776e+18,"e":-0.0015}"#
    ),
    (#"{"a":true,"b":false,"c":null}"#, #"{"a":true,"b":false,"c":null}"#),
    (#"{"a":{"b":[1,"two",[],{}]},"c":{}}"#, #"{"a":{"b":[1,"two",[],{}]},"c":{}}"#),
    (#"{"a":"q\"b\\s\/n\nu\u00e9\ud83d\ude00"}"#, "{\"a\":\"q\\\"b\\\\s/n\\nué😀\"}"),
    (#"{"\u0061":1,"b":2}"#, #"{"a":1,"b":2}"#),
    ("{\"tab\":\"a\tb\"}", #"{"tab":"a\tb"}"#),
    (#"{"a":1,"b":2,"a":{"c":3}}"#, #"{"a":{"c":3},"b":2}"#),
    (#"{"a":1,"\u0061":2}"#, #"{"a":2}"#),
    (#"{"\u0061":1,"a":2}"#, #"{"a":2}"#),
    (
      #"{"a":"\ud83d","b":"\ude00x","c":"\ud83d\u0041"}"#,
      "{\"a\":\"\u{FFFD}\",\"b\":\"\u{FFFD}x\",\"c\":\"\u{FFFD}A\"}"
    ),
    (#"{"a":1e999,"b":123456789012345678901234567890}"#, #"{"a":"1e999","b":1.2345678901234568e+29}"#),
    (#"{"":"","a":""}"#, #"{"":"","a":""}"#),
  ])
  func `objects become maps`(text: String, expected: String) throws {
    #expect(try parse(text) == expected)
  }

  @Test func `malformed UTF-8 and NUL bytes leave valid UTF-8`() throws {
    let text =
      Array(#"{"k"#.utf8) + [0xFF] + Array(#"":"a"#.utf8) + [0xC3, 0x28, 0x00] + Array(#"","n":1}"#.utf8)
    #expect(try parse(bytes: text) == "{\"k\u{FFFD}\":\"a\u{FFFD}(\\u0000\",\"n\":1}")
  }

  @Test(arguments: [
    ("", "the text ends too early at byte 0"),
    ("  ", "the text ends too early at byte 2"),
    ("notjson", "expected an object, found 'n' at byte 0"),
    ("[1]", "expected an object, found '[' at byte 0"),
    ("\"a\"", "expected an object, found '\"' at byte 0"),
    (#"{"a" 1}"#, "expected ':', found '1' at byte 5"),
    (#"{"a":}"#, "expected a value, found '}' at byte 5"),
    (#"{"a":1,}"#, "expected a field name in quotes, found '}' at byte 7"),
    (#"{"a":1 "b":2}"#, "expected ',' or '}', found '\"' at byte 7"),
    (#"{a:1}"#, "expected a field name in quotes, found 'a' at byte 1"),
    (#"{"a":01}"#, "not a valid number at byte 5"),
    (#"{"a":-}"#, "not a valid number at byte 5"),
    (#"{"a":1.}"#, "not a valid number at byte 5"),
    (#"{"a":+1}"#, "expected a value, found '+' at byte 5"),
    (#"{"a":tru}"#, "expected a value, found 't' at byte 5"),
    (#"{"a":"\x"}"#, "invalid escape sequence in a string at byte 6"),
    (#"{"a":"\u12"}"#, "invalid escape sequence in a string at byte 6"),
    (#"{"a":"b"#, "the text ends too early at byte 7"),
    (#"{"a":1"#, "the text ends too early at byte 6"),
    (#"{"a":1} x"#, "text after the end of the message at byte 8"),
    (#"{"a":[1,]}"#, "expected a value, found ']' at byte 8"),
  ])
  func `what is no object is refused with its place`(text: String, expected: String) throws {
    let error = try #require(throws: LogOperatorError.self) { try parse(text) }
    #expect(error.description == "not a JSON object: " + expected)
  }

  @Test func `what is no text is refused by name`() throws {
    var entry = LogEntry()
    let error = try #require(throws: LogOperatorError.self) { try JSONParser().parse(.int(1), of: &entry) }
    #expect(error.description == "expected a string, found an integer")
  }

  @Test func `without integers all numbers are doubles and must fit`() throws {
    #expect(try parse(#"{"a":1,"b":-2.5}"#, keepsIntegers: false) == #"{"a":1.0,"b":-2.5}"#)
    #expect(throws: LogOperatorError.self) { try parse(#"{"a":1e999}"#, keepsIntegers: false) }
  }

  @Test func `nesting is bounded`() throws {
    let deepest = String(repeating: #"{"a":"#, count: 63) + "[]" + String(repeating: "}", count: 63)
    #expect(try parse(deepest) == deepest)
    for (open, close) in [("{\"a\":", "}"), ("{\"a\":[", "]}")] {
      let bomb = String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
      let error = try #require(throws: LogOperatorError.self) { try parse(bomb) }
      #expect(error.description.contains("nested too deeply"))
    }
  }

  @Test func `equal keys are found at every distance from the end`() throws {
    for length in 0...20 {
      let key = String(repeating: "k", count: length)
      for behind in 0...20 {
        let text = "{\"\(key)\":1,\"\(key)\":2}" + String(repeating: " ", count: behind)
        var entry = LogEntry()
        let range = entry.add(text)
        let value = try JSONParser().parse(.string(range), of: &entry)
        #expect(entry.json(value) == "{\"\(key)\":2}")
      }
    }
  }

  @Test func `many keys are looked up in time that grows with their number`() throws {
    let members = (0..<50_000).map { "\"key\($0 % 40_000)\":\($0)" }.joined(separator: ",")
    var entry = LogEntry()
    let text = entry.add("{\(members)}")
    let map = try #require(try JSONParser().parse(.string(text), of: &entry).chain)
    #expect(entry.count(of: map) == 40_000)
    #expect(entry.value(of: "key7".utf8.span, in: map) == .int(40_007))
    #expect(entry.value(of: "key39999".utf8.span, in: map) == .int(39_999))
  }

  @Test func `a long string stays where it is`() throws {
    let long = String(repeating: "abcdefghij", count: 100_000)
    var entry = LogEntry()
    let text = entry.add("{\"a\":\"\(long)\"}")
    let count = entry.arena.count
    let map = try #require(try JSONParser().parse(.string(text), of: &entry).chain)
    #expect(entry.value(of: "a".utf8.span, in: map)?.range.count == 1_000_000)
    #expect(entry.arena.count == count)
  }

  private func parse(_ text: String, keepsIntegers: Bool = true) throws -> String {
    try parse(bytes: Array(text.utf8), keepsIntegers: keepsIntegers)
  }

  private func parse(bytes: [UInt8], keepsIntegers: Bool = true) throws -> String {
    var entry = LogEntry()
    // The text is not at the beginning of the arena, and something follows it.
    _ = entry.add("before")
    let text = entry.add(bytes.span)
    _ = entry.add("\" behind")
    let value = try JSONParser(keepsIntegers: keepsIntegers).parse(.string(text), of: &entry)
    return entry.json(value)
  }
}
