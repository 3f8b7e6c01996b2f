import SeededRandom
import Testing
import WireFormat

@testable import LogData

@Suite struct CSVParserTests {
  @Test(arguments: [
    // The Collector's examples.
    ("stanza,INFO,started agent", #"{"a":"stanza","b":"INFO","c":"started agent"}"#),
    (",,", #"{"a":"","b":"","c":""}"#),
    (#"stanza,"Evergreen,49508",1"#, #"{"a":"stanza","b":"Evergreen,49508","c":"1"}"#),
    (#""bob ""the man""",Evergreen,1"#, #"{"a":"bob \"the man\"","b":"Evergreen","c":"1"}"#),
    // Spaces belong to the fields.
    (" a , b ,c ", #"{"a":" a ","b":" b ","c":"c "}"#),
    // Lines within quotes, and within fields without quotes.
    ("\"one\ntwo\",b,c", #"{"a":"one\ntwo","b":"b","c":"c"}"#),
    ("\"one\r\ntwo\r\n\r\nthree\",b,c", #"{"a":"one\ntwo\n\nthree","b":"b","c":"c"}"#),
    ("a,b\nmore,c", #"{"a":"a","b":"b\nmore","c":"c"}"#),
    ("aa\nbb,b\n\n\nmore,c\r\n", #"{"a":"aa\nbb","b":"b\nmore","c":"c"}"#),
    ("a,b,\"c\"\n\"d\"", #"{"a":"a","b":"b","c":"c\nd"}"#),
    ("a,b,\nc", #"{"a":"a","b":"b","c":"\nc"}"#),
    ("\n\na,b,c\n", #"{"a":"a","b":"b","c":"c"}"#),
    ("a,b,c\r", #"{"a":"a","b":"b","c":"c"}"#),
    ("\"\",\"\",\"\"", #"{"a":"","b":"","c":""}"#),
    ("é,\u{1F600},ü", "{\"a\":\"é\",\"b\":\"😀\",\"c\":\"ü\"}"),
  ])
  func `rows become maps`(row: String, expected: String) throws {
    #expect(try parse(row) == expected)
  }

  @Test(arguments: [
    ("", "expected fields, found an empty text"),
    ("\n\r\n", "expected fields, found an empty text"),
    ("invalid", "wrong number of fields: expected 3, found 1"),
    ("a,b,c,d", "wrong number of fields: expected 3, found 4"),
    (#"a,b"c,d"#, "not a row of CSV: a quote within a field that does not begin with one at byte 3"),
    (#"a,"b" ,c"#, "not a row of CSV: a quote within a quoted field that is not doubled at byte 4"),
    (#"a,"b,c"#, "not a row of CSV: the quoted field is never closed at byte 2"),
  ])
  func `what is no row is refused with its place`(row: String, expected: String) throws {
    let error = try #require(throws: LogOperatorError.self) { try parse(row) }
    #expect(error.description == expected)
  }

  @Test(arguments: [
    (#"stanza "log parser",1,5"#, #"{"a":"stanza \"log parser\"","b":"1","c":"5"}"#),
    (#""a"b",1,"x"#, #"{"a":"a\"b","b":"1","c":"x"}"#),
    (#""a""b",1,2"#, #"{"a":"a\"b","b":"1","c":"2"}"#),
  ])
  func `lazy quotes may stand anywhere`(row: String, expected: String) throws {
    #expect(try parse(row, quotes: .lazy) == expected)
  }

  @Test func `ignored quotes are characters`() throws {
    #expect(
      try parse("stanza,\"1,\"2\n\"", quotes: .ignored) == #"{"a":"stanza","b":"\"1","c":"\"2\n\""}"#)
    #expect(try parse(",,", quotes: .ignored) == #"{"a":"","b":"","c":""}"#)
  }

  @Test func `a delimiter is any character`() throws {
    #expect(try parse("x\ty\tz", delimiter: "\t") == #"{"a":"x","b":"y","c":"z"}"#)
    #expect(try parse("x→\"y→\"→z", delimiter: "→") == #"{"a":"x","b":"y→","c":"z"}"#)
  }

  @Test func `of fields with one name the last counts`() throws {
    var parser = CSVParser(header: .names(["a", "b", "a"]))
    var entry = LogEntry()
    let text = entry.add("1,2,3")
    let value = try parser.parse(.string(text), of: &entry)
    #expect(entry.json(value) == #"{"a":"3","b":"2"}"#)
  }

  @Test func `names come from an attribute`() throws {
    var parser = CSVParser(header: .attribute("Fields", delimiter: "|"))
    var entry = LogEntry()
    let row = LogValue.string(entry.add("stanza dev,1,555-555"))
    #expect(throws: LogOperatorError("there is no attribute \"Fields\" with the names of the fields")) {
      try parser.parse(row, of: &entry)
    }
    try entry.set(entry.string("name|age"), at: FieldPath(.attributes, ["Fields"]))
    #expect(throws: LogOperatorError("wrong number of fields: expected 2, found 3")) {
      try parser.parse(row, of: &entry)
    }
    try entry.set(entry.string("name|age|number"), at: FieldPath(.attributes, ["Fields"]))
    let value = try parser.parse(row, of: &entry)
    #expect(entry.json(value) == #"{"name":"stanza dev","age":"1","number":"555-555"}"#)
  }

  @Test func `bytes are rows, too, and become valid text`() throws {
    var parser = CSVParser(header: .names(["a", "b"]))
    var entry = LogEntry()
    let bytes = [UInt8]("x".utf8) + [0xFF] + Array(",y".utf8)
    let row = LogValue.bytes(entry.add(bytes.span))
    let value = try parser.parse(row, of: &entry)
    #expect(entry.json(value) == "{\"a\":\"x\u{FFFD}\",\"b\":\"y\"}")
  }

  @Test func `rows as RFC 4180 has them come back`() throws {
    var random = SeededGenerator(4180)
    let characters = ["a", "b", ",", "\"", "\n", "é", " ", ";", "\t"]
    for _ in 0..<2_000 {
      let fields = (0..<3).map { _ in
        (0..<random.below(7)).map { _ in random.pick(characters) }.joined()
      }
      let row = fields.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
      var parser = CSVParser(header: .names(["a", "b", "c"]))
      var entry = LogEntry()
      let text = entry.add(row)
      let value = try parser.parse(.string(text), of: &entry)
      let map = try #require(value.chain)
      var found: [String] = []
      entry.forEach(in: map) { found.append(String(decoding: entry.arena[$1.range.range], as: UTF8.self)) }
      #expect(found == fields)
    }
  }

  private func parse(
    _ row: String, delimiter: String = ",", quotes: CSVParser.Quotes = .strict
  ) throws -> String {
    var parser = CSVParser(header: .names(["a", "b", "c"]), delimiter: delimiter, quotes: quotes)
    var entry = LogEntry()
    _ = entry.add("before\"")
    let text = entry.add(row)
    _ = entry.add("\",behind")
    let value = try parser.parse(.string(text), of: &entry)
    return entry.json(value)
  }
}
