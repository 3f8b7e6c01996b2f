import Testing

@testable import Receivers

/// Which paths a pattern stands for, without a look at any disk.
@Suite struct GlobPatternTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let matching: [String]
    let others: [String]
    init(_ pattern: String, _ matching: [String], not others: [String] = []) {
      self.pattern = pattern
      self.matching = matching
      self.others = others
    }
    var testDescription: String { pattern }
  }

  static let cases: [Case] = [
    Case(
      "/var/log/app.log", ["/var/log/app.log", "//var//log/app.log"],
      not: ["/var/log/app.log.1", "var/log/app.log"]),
    Case(
      "/log/*.log", ["/log/a.log", "/log/.log", "/log/.hidden.log", "/log/a.b.log"],
      not: ["/log/a/b.log", "/log/a.log1", "/a.log"]),
    Case("/log/*", ["/log/a", "/log/.a"], not: ["/log", "/log/a/b"]),
    Case("*.log", ["a.log"], not: ["/a.log", "log/a.log"]),
    Case("/log/a*b*c", ["/log/abc", "/log/a-b-b-c", "/log/abcbc"], not: ["/log/ab", "/log/acb"]),
    Case("/log/?.log", ["/log/a.log", "/log/ä.log", "/log/😀.log"], not: ["/log/.log", "/log/ab.log"]),
    Case("/log/[a-c].log", ["/log/a.log", "/log/c.log"], not: ["/log/d.log", "/log/ab.log", "/log/-.log"]),
    Case("/log/[^a-c0].log", ["/log/d.log", "/log/ä.log"], not: ["/log/a.log", "/log/0.log", "/log/.log"]),
    Case("/log/[!a].log", ["/log/b.log", "/log/!.log"], not: ["/log/a.log"]),
    Case("/log/[]a].log", ["/log/].log", "/log/a.log"], not: ["/log/[.log"]),
    Case("/log/[a-].log", ["/log/a.log", "/log/-.log"], not: ["/log/b.log"]),
    Case("/log/[\\]x].log", ["/log/].log", "/log/x.log"], not: ["/log/\\.log"]),
    Case(
      "/log/{a,b}.log", ["/log/a.log", "/log/b.log"], not: ["/log/c.log", "/log/a,b.log", "/log/{a,b}.log"]),
    Case("/log/{a,b{1,2}}.log", ["/log/a.log", "/log/b1.log", "/log/b2.log"], not: ["/log/b.log"]),
    Case("/log/a{,.1}", ["/log/a", "/log/a.1"], not: ["/log/a."]),
    Case("/{var,srv/*}/log", ["/var/log", "/srv/x/log"], not: ["/srv/log"]),
    Case("/log/{*.log,x?}", ["/log/a.log", "/log/xy"], not: ["/log/x"]),
    Case("/log/[{]a,b}", ["/log/{a,b}"], not: ["/log/a"]),
    Case("/log/\\*\\{a\\}\\?", ["/log/*{a}?"], not: ["/log/xay", "/log/a"]),
    Case(
      "/log/**/*.log", ["/log/a.log", "/log/x/a.log", "/log/x/.y/z/a.log"],
      not: ["/log/x/a.txt", "/a.log", "/logs/a.log"]),
    Case("/log/**", ["/log/a", "/log/x/y/z"], not: ["/log", "/other"]),
    Case("**/a", ["a", "x/a", "x/y/a"], not: ["/a", "x/b"]),
    Case("/**/**/a", ["/a", "/x/y/a"], not: ["a"]),
    Case("/a/**/b/**/c", ["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c"], not: ["/a/c", "/a/b", "/a/x/c"]),
    // Two stars are that only as a whole name.
    Case("/log/a**b", ["/log/ab", "/log/axxb"], not: ["/log/a/b"]),
  ]

  @Test(arguments: cases) func `a pattern matches what it should and nothing else`(test: Case) throws {
    let pattern = try GlobPattern(test.pattern)
    for path in test.matching { #expect(pattern.matches(path), "\(path)") }
    for path in test.others { #expect(!pattern.matches(path), "\(path)") }
  }

  @Test(arguments: [
    ("/log/[a", "has a [ without a ]"), ("/log/[", "has a [ without a ]"), ("/log/[]", "has a [ without a ]"),
    ("/log/{a,b", "has a { without a }"), ("/log/a\\", "ends in a backslash"),
    ("/log/[\\", "ends in a backslash"),
    ("/log/[z-a]", "has a range [z-a] that is empty"), ("", "names no file"), ("/", "names no file"),
    ("{,a}", "names no file"), ("/" + String(repeating: "{a,b}", count: 11), "has too many alternatives"),
  ])
  func `what is no pattern is told`(text: String, problem: String) {
    #expect(throws: GlobPattern.Problem(description: problem)) { try GlobPattern(text) }
  }

  @Test func `many stars do not take forever`() throws {
    let pattern = try GlobPattern("/" + String(repeating: "a*", count: 30) + "b")
    #expect(!pattern.matches("/" + String(repeating: "a", count: 20_000)))
  }
}
