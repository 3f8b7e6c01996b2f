import Testing
import WireFormat

@testable import LogData

@Suite struct URIParserTests {
  @Test(arguments: [
    // The Collector's own cases.
    ("http://", #"{"scheme":"http"}"#),
    ("http://myuser:mypass@", #"{"scheme":"http","user":"myuser"}"#),
    ("http://golang.com", #"{"scheme":"http","host":"golang.com"}"#),
    ("http://golang.com/", #"{"scheme":"http","host":"golang.com","path":"/"}"#),
    ("http://:8080", #"{"scheme":"http","port":"8080"}"#),
    ("/docs", #"{"path":"/docs"}"#),
    ("/x/y%2Fz", #"{"path":"/x/y%2Fz"}"#),
    ("/v1/app?user=golang", #"{"path":"/v1/app","query":{"user":["golang"]}}"#),
    ("http:///v1/app", #"{"scheme":"http","path":"/v1/app"}"#),
    (
      "https://app.com?token=0000&env=prod&env=stage",
      #"{"scheme":"https","host":"app.com","query":{"token":["0000"],"env":["prod","stage"]}}"#
    ),
    (
      "https://dev:pass@google.com:8443/app?user_id=2&token=001",
      #"{"scheme":"https","user":"dev","host":"google.com","port":"8443","path":"/app","query":{"user_id":["2"],"token":["001"]}}"#
    ),
    (
      "magnet:?xt=urn:sha1:HNCKHTQCWBTRNJIV4WNAE52SJUQCZO6C",
      #"{"scheme":"magnet","query":{"xt":["urn:sha1:HNCKHTQCWBTRNJIV4WNAE52SJUQCZO6C"]}}"#
    ),
    (
      "sftp://ftp.com//home/name/employee.csv",
      #"{"scheme":"sftp","host":"ftp.com","path":"//home/name/employee.csv"}"#
    ),
    ("?request=681e&env=stage&env=dev", #"{"query":{"request":["681e"],"env":["stage","dev"]}}"#),
    ("?", "{}"),
    ("?user=", #"{"query":{"user":[""]}}"#),
    // As Go reads the rest.
    ("*", #"{"path":"*"}"#),
    ("HTTP://Host/", #"{"scheme":"http","host":"Host","path":"/"}"#),
    ("mailto:a@b.c", #"{"scheme":"mailto"}"#),
    ("//host/path", #"{"path":"//host/path"}"#),
    ("/a#b", #"{"path":"/a%23b"}"#),
    ("/a b%20c", #"{"path":"/a%20b%20c"}"#),
    ("/[a]!'()*", #"{"path":"/[a]!'()*"}"#),
    ("/é", #"{"path":"/%C3%A9"}"#),
    ("http://[::1]:80/", #"{"scheme":"http","host":"::1","port":"80","path":"/"}"#),
    ("http://[fe80::1%25en0]/", #"{"scheme":"http","host":"fe80::1%en0","path":"/"}"#),
    ("http://us%20er:p%40@h%C3%A9/", #"{"scheme":"http","user":"us er","host":"hé","path":"/"}"#),
    ("http://a@b@c/", #"{"scheme":"http","user":"a@b","host":"c","path":"/"}"#),
    ("http://host:/", #"{"scheme":"http","host":"host","path":"/"}"#),
    ("/?a=1&&b&=2&c=x+y%2B&a=3", #"{"path":"/","query":{"a":["1","3"],"b":[""],"":["2"],"c":["x y+"]}}"#),
    ("/?a=%zz&b=1&c;d=2", #"{"path":"/","query":{"b":["1"]}}"#),
    ("?a=%FF%C3", "{\"query\":{\"a\":[\"\u{FFFD}\u{FFFD}\"]}}"),
    ("/p?", #"{"path":"/p"}"#),
  ])
  func `URIs become maps`(text: String, expected: String) throws {
    #expect(try parse(text) == expected)
  }

  @Test(arguments: [
    ("", "the text is empty at byte 0"),
    ("golang.org", "expected a scheme or a slash at byte 0"),
    ("user=dev", "expected a scheme or a slash at byte 0"),
    (":8080", "expected a scheme at byte 0"),
    ("/a\u{1}b", "a control character at byte 2"),
    ("?q;go", "a semicolon in the query at byte 2"),
    ("?a=1&b=%4", "an invalid escape at byte 7"),
    ("/a%g0", "an invalid escape at byte 2"),
    ("http://h:8a/", "expected a digit of the port at byte 10"),
    ("http://[::1/", "the bracket before the address is not closed at byte 7"),
    ("http://[::1]x/", "expected a port at byte 12"),
    ("http://a b/", "a character that cannot be part of a host at byte 8"),
    ("http://a%20b/", "an invalid escape at byte 8"),
    ("http://us er@h/", "a character that cannot be part of a user at byte 9"),
    ("http://u:%@h/", "an invalid escape at byte 9"),
  ])
  func `what is no URI is refused with its place`(text: String, expected: String) throws {
    let error = try #require(throws: LogOperatorError.self) { try parse(text) }
    #expect(error.description == "not a URI: " + expected)
  }

  @Test func `many parameters take time in proportion, and each has all its values`() throws {
    let text = "?" + (0..<100_000).map { "k\($0 % 50_000)=\($0)" }.joined(separator: "&")
    var entry = LogEntry()
    let range = entry.add(text)
    _ = try URIParser().parse(.string(range), of: &entry)
    let value = try URIParser().parse(.string(range), of: &entry)
    let map = try #require(value.chain)
    let query = try #require(entry.value(of: "query".utf8.span, in: map)?.chain)
    #expect(entry.count(of: query) == 50_000)
    for number in [0, 5, 23, 24, 25, 49_999] {
      let key = "k\(number)"
      let values = entry.value(of: key.utf8.span, in: query) ?? .null
      #expect(entry.json(values) == "[\"\(number)\",\"\(number + 50_000)\"]")
    }
  }

  private func parse(_ text: String) throws -> String {
    var entry = LogEntry()
    _ = entry.add("before")
    let range = entry.add(text)
    _ = entry.add("0/behind")
    let value = try URIParser().parse(.string(range), of: &entry)
    return entry.json(value)
  }
}
