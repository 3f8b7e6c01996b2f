import NativeCodecs
import Testing

@Suite struct PatternTests {
  @Test func `a pattern is found anywhere, at the start or as the whole`() throws {
    #expect(try Pattern("b+").matches("abbc"))
    #expect(try !Pattern("b+", anchoring: .start).matches("abbc"))
    #expect(try Pattern("a|ab", anchoring: .whole).matches("ab"))
    #expect(try !Pattern("a|b", anchoring: .whole).matches("ab"))
    #expect(try Pattern("", anchoring: .whole).matches(""))
  }

  @Test func `a dot takes a line end only when asked`() throws {
    #expect(try !Pattern("a.b").matches("a\nb"))
    #expect(try Pattern("a.b", dotMatchesNewline: true).matches("a\nb"))
    #expect(try Pattern("GRÜN", ignoresCase: true).matches("grün"))
  }

  @Test func `captures are byte ranges`() throws {
    let pattern = try Pattern("(?P<first>ü)(x)?(?P<last>.)")
    #expect(pattern.groupCount == 3)
    #expect(pattern.groupNames == ["", "first", "", "last"])
    let captures = try #require(pattern.captures(in: "aü€"))
    #expect(captures == [1..<6, 1..<3, nil, 3..<6])
    let bytes = Array("aü€".utf8)
    #expect(pattern.captures(in: bytes.span) == captures)
    #expect(pattern.captures(in: bytes.span, from: 3) == nil)
    #expect(pattern.captures(in: "aü€", from: 99) == nil)
  }

  @Test func `named groups may be written as Go has them since 1.22`() throws {
    let pattern = try Pattern(#"(?<first>[(?<]+)(?P<second>\(\?<)\Q(?<\E(?<third>x)"#)
    #expect(pattern.groupNames == ["", "first", "second", "third"])
    #expect(try #require(pattern.captures(in: "(?<(?<(?<x"))[2] == 3..<6)
    let error = #expect(throws: PatternError.self) { try Pattern("a(?<b>c)(?<d e>f)") }
    #expect(error?.part == "(?<d e>" && error?.offset == 8)
    #expect(throws: PatternError.self) { try Pattern("(?<=a)b") }
  }

  @Test func `more groups than fit on the stack are captured`() throws {
    let pattern = try Pattern(String(repeating: "(.)", count: 40))
    let captures = try #require(pattern.captures(in: String(repeating: "x", count: 40)))
    #expect(captures.count == 41)
    #expect(captures[40] == 39..<40)
  }

  @Test(arguments: [
    ("a(b", "missing )", "(", 1), ("ab[z-a]", "invalid character class range", "z-a", 3),
    ("x**", "bad repetition operator", "**", 1), ("ü\\8", "invalid escape sequence", "\\8", 2),
    ("(?=x)", "invalid perl operator", "(?=", 0), ("a{2000}", "invalid repetition size", "{2000}", 1),
    ("(a)\\1", "invalid escape sequence", "\\1", 3),
    // The same letters earlier, where they are right.
    ("\\\\q\\q", "invalid escape sequence", "\\q", 3), ("[*]a|*", "no argument for repetition", "*", 5),
    ("a)b", "unexpected )", ")", 1), ("(a)|b)", "unexpected )", ")", 5), ("ab[cd", "missing ]", "[cd", 2),
    ("[(]x\\((a)(b", "missing )", "(", 9), ("\\Q(\\E(", "missing )", "(", 5), ("[]()](", "missing )", "(", 5),
    ("[[:alpha:](](", "missing )", "(", 12), ("ab\\", "trailing \\", "\\", 2),
    ("(?P<a-b>x)", "invalid named capture group", "(?P<a-b>", 0),
    ("x{2}y(?z)", "invalid perl operator", "(?z", 5),
  ])
  func `a wrong pattern says what and where`(text: String, reason: String, part: String, offset: Int) {
    let error = #expect(throws: PatternError.self) { try Pattern(text) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    #expect(error?.part == part)
    #expect(error?.offset == offset)
  }

  @Test func `patterns that would grow without bound are refused, and hostile ones stay fast`() throws {
    #expect(throws: PatternError.self) { try Pattern("((a{100}){100}){100}") }
    #expect(throws: PatternError.self) { try Pattern(String(repeating: "a", count: 2 << 20)) }
    #expect(throws: PatternError.self) { try Pattern(String(repeating: "(", count: 100_000)) }
    let pattern = try Pattern("(a*)*b")
    #expect(!pattern.matches(String(repeating: "a", count: 100_000)))
  }

  @Test func `bytes that are no UTF-8 are no match for a dot`() throws {
    let bytes: [UInt8] = [0x61, 0xff, 0x62]
    #expect(try !Pattern("a.b").matches(bytes.span))
    #expect(try Pattern("b").matches(bytes.span))
  }

  @Test(arguments: [
    ("$1-$2", "ab-c"), ("${1}x$2", "abxc"), ("$1x", ""), ("$name", "c"), ("${name}!", "c!"), ("$$1", "$1"),
    ("$", "$"), ("a$-", "a$-"), ("${1", "${1"), ("${}", "${}"), ("$01", ""), ("$9", ""), ("$0", "abc"),
    ("$ü", ""), ("cost: 5$", "cost: 5$"), ("$$$1", "$ab"), ("", ""), ("${name", "${name"), ("$nameless", ""),
  ])
  func `templates expand as in Go`(template: String, expected: String) throws {
    let pattern = try Pattern("(.*)(?P<name>.)", anchoring: .whole)
    let captures = try #require(pattern.captures(in: "abc"))
    let expanded = PatternTemplate(template).expanded(captures, names: pattern.groupNames, in: "abc")
    #expect(expanded == expected)
  }

  @Test func `a template without references is constant`() {
    #expect(PatternTemplate("a$$b").constant == "a$b")
    #expect(PatternTemplate("").constant == "")
    #expect(PatternTemplate("a$1").constant == nil)
  }

  @Test(arguments: [
    ("a+", "<$0>", "baaac", "b<aaa>c"), ("a*", "-", "baac", "-b-c-"), ("", "-", "äö", "-ä-ö-"),
    ("x", "y", "abc", "abc"), ("(.)(.)", "$2$1", "abcde", "badce"),
  ])
  func `every match is replaced`(pattern: String, template: String, text: String, expected: String) throws {
    #expect(try Pattern(pattern).replacingAll(in: text, with: PatternTemplate(template)) == expected)
  }

  @Test func `the digest is that of RFC 1321`() {
    // MD5("abc") = 900150983cd24fb0d6963f7d28e17f72
    #expect(MessageDigest.lastEightBytesOfMD5(of: "abc") == 0xd696_3f7d_28e1_7f72)
    #expect(MessageDigest.lastEightBytesOfMD5(of: "") == 0xe980_0998_ecf8_427e)
  }
}
