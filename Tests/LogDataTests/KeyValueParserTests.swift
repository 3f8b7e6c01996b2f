import Testing
import WireFormat

@testable import LogData

@Suite struct KeyValueParserTests {
  @Test(arguments: [
    ("name=stanza age=2", #"{"name":"stanza","age":"2"}"#),
    (#"name="stanza" age=2"#, #"{"name":"stanza","age":"2"}"#),
    (
      "description='stanza deployment number 5' x=y", #"{"description":"stanza deployment number 5","x":"y"}"#
    ),
    (#"" name "=" stanza " age=2"#, #"{"name":"stanza","age":"2"}"#),
    ("test=text=abc", #"{"test":"text=abc"}"#),
    (#"one=1=i two="2=ii" three=3=iii"#, #"{"one":"1=i","two":"2=ii","three":"3=iii"}"#),
    ("   k1=v1   k2==v2       k3=v3= ", #"{"k1":"v1","k2":"=v2","k3":"v3="}"#),
    (#"a=b c='this is a "co ol" value'"#, #"{"a":"b","c":"this is a \"co ol\" value"}"#),
    (#"a=b c='this is a "co ol"'"#, #"{"a":"b","c":"this is a \"co ol\""}"#),
    ("=a", #"{"":"a"}"#),
    ("a=", #"{"a":""}"#),
    ("a=1 b=2 a=3", #"{"a":"3","b":"2"}"#),
    (#"a="" b='' "" c=d"#, #"{"a":"","b":"","c":"d"}"#),
    (#"a="x"y'z'"#, #"{"a":"xyz"}"#),
    (#""a=b"=c"#, #"{"a":"b=c"}"#),
    (
      #"a="say \"hi\"" b='it\'s' c=\\ d="\n" e='\"' f=\""#,
      #"{"a":"say \"hi\"","b":"it's","c":"\\","d":"\\n","e":"\\\"","f":"\\\""}"#
    ),
    (#"a=x\ b=c"#, #"{"a":"x","\\b":"c"}"#),
    ("a=\u{2003}x\u{A0} b=\u{85}\u{3000}é", "{\"a\":\"x\",\"b\":\"é\"}"),
    ("ключ=значение", "{\"ключ\":\"значение\"}"),
    ("a=1\tb=2", #"{"a":"1\tb=2"}"#),
  ])
  func `pairs become a map`(text: String, expected: String) throws {
    #expect(try parse(text) == expected)
  }

  @Test(arguments: [
    ("|", " ", #"name|" stanza " age|2     key|value"#, #"{"name":"stanza","age":"2","key":"value"}"#),
    ("==", " ", #"name==" stanza " age==2     key==value"#, #"{"name":"stanza","age":"2","key":"value"}"#),
    ("==", " ", #"a=="=b" c="="d"#, #"{"a":"=b","c":"d"}"#),
    ("=", "|", "name=stanza|age=2     | key=value", #"{"name":"stanza","age":"2","key":"value"}"#),
    ("=", "!", "name=stanza ! org=otel      ! group=dev", #"{"name":"stanza","org":"otel","group":"dev"}"#),
    ("=", "^\n", "name=stanza^\nage=2^\nkey=va^lue", #"{"name":"stanza","age":"2","key":"va^lue"}"#),
    ("=", "_", #"a=b_c="d_e""#, #"{"a":"b","c":"d_e"}"#),
    ("@*", "_!_", "k1@*v1_!_k2@**v2_!__k3@@*v3__", #"{"k1":"v1","k2":"*v2","_k3@":"v3__"}"#),
  ])
  func `delimiters are any texts`(delimiter: String, pair: String, text: String, expected: String) throws {
    #expect(try parse(text, delimiter, pair) == expected)
  }

  @Test(arguments: [
    ("", "expected pairs, found an empty text"),
    ("a=b text", "expected \"=\" between a key and its value, found none in the part at byte 4"),
    ("k1='v1' k2='v2", "the quote at byte 11 is never closed"),
    (#"a="b'"#, "the quote at byte 2 is never closed"),
    (#"a=b\"#, "the text ends behind a backslash"),
  ])
  func `what are no pairs is refused with its place`(text: String, expected: String) throws {
    let error = try #require(throws: LogOperatorError.self) { try parse(text) }
    #expect(error.description == expected)
  }

  @Test func `a long line of pairs is read as a firewall writes it`() throws {
    let text =
      #"id=LVM sn=22255555 time="2021-09-22 16:30:31" fw=14.165.177.10 msg="Web site hit" src=192.168.50.2:52006:X0 "#
      + #"proto=tcp/https rule="6 (LAN->WAN)" arg=/ note="Policy: a0, Info: 888 " n=3412158"#
    #expect(
      try parse(text)
        == #"{"id":"LVM","sn":"22255555","time":"2021-09-22 16:30:31","fw":"14.165.177.10","msg":"Web site hit","#
        + #""src":"192.168.50.2:52006:X0","proto":"tcp/https","rule":"6 (LAN->WAN)","arg":"/","#
        + #""note":"Policy: a0, Info: 888","n":"3412158"}"#)
  }

  @Test func `many pairs take time in proportion`() throws {
    let text = (0..<30_000).map { "key\($0 % 20_000)=\($0)" }.joined(separator: " ")
    var entry = LogEntry()
    let range = entry.add(text)
    let map = try #require(try KeyValueParser().parse(.string(range), of: &entry).chain)
    #expect(entry.count(of: map) == 20_000)
  }

  private func parse(_ text: String, _ delimiter: String = "=", _ pair: String = " ") throws -> String {
    let parser = KeyValueParser(delimiter: delimiter, pairDelimiter: pair)
    var entry = LogEntry()
    _ = entry.add("before=\"")
    let range = entry.add(text)
    _ = entry.add(" behind")
    let value = try parser.parse(.string(range), of: &entry)
    return entry.json(value)
  }
}
