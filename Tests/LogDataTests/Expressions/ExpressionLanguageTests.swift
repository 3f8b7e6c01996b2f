import Testing

@testable import LogData

/// The examples of the language's documentation and what it says besides.
@Suite struct ExpressionLanguageTests {
  static let literals: [ExpressionCase] = [
    .init("nil", "nil"), .init("true", "true"), .init("false", "false"), .init("42", "42"),
    .init("0x2A", "42"),
    .init("0X2a", "42"), .init("0o52", "42"), .init("0b101010", "42"), .init("1_000_000", "1000000"),
    .init("0x_ff", "255"), .init("007", "7"), .init("9223372036854775807", "9223372036854775807"),
    .init("0.5", "0.5"), .init(".5", "0.5"), .init("1e3", "1000.0"), .init("2.", "2.0"),
    .init("1.5E-1", "0.15"),
    .init("1_0.2_5", "10.25"), .init(#""foo""#, #""foo""#), .init("'bar'", #""bar""#),
    .init("`a\\n`", #""a\n""#),
    .init(#""Hello\nWorld""#, "\"Hello\nWorld\""), .init("`Hello\nWorld`", "\"Hello\nWorld\""),
    .init(#"'it\'s'"#, #""it's""#), .init(#""\"""#, "\"\"\""),
    .init(#"'\x41\u0042\U00000043\101'"#, #""ABCA""#),
    .init(#"'\u00e9\t|'"#, "\"\u{e9}\t|\""), .init("[]", "[]"), .init("[1, 2, 3]", "[1, 2, 3]"),
    .init("[1, 'a', nil, [true,],]", #"[1, "a", nil, [true]]"#), .init("{}", "{}"),
    .init("{a: 1, b: 2, c: 3}", "{a: 1, b: 2, c: 3}"), .init("{'a b': 1, 2: 'x',}", #"{a b: 1, 2: "x"}"#),
    .init("{('a' + 'b'): {c: nil}}", "{ab: {c: nil}}"), .init("{in: 1, not: 2}", "{in: 1, not: 2}"),
    .init("{a: 1, a: 2}", "{a: 1}"), .init("1 // one\n+ /* two */ 2", "3"), .init("/**/ 1", "1"),
    .init("\u{a0}1\u{2003}", "1"),
  ]

  static let operators: [ExpressionCase] = [
    .init("1 + 2 * 3", "7"), .init("(1 + 2) * 3", "9"), .init("7 / 2", "3.5"), .init("6 / 3", "2.0"),
    .init("7 % 3", "1"), .init("-7 % 3", "-1"), .init("2 ** 3", "8.0"), .init("2 ^ 10", "1024.0"),
    .init("2 ** 3 ** 2", "512.0"), .init("-2 ** 2", "-4.0"), .init("2 ** -1", "0.5"),
    .init("1 - 2 - 3", "-4"),
    .init("1 + 2.0", "3.0"), .init("2 * 1.5", "3.0"), .init("3 - 0.5", "2.5"), .init("-5", "-5"),
    .init("+5", "5"), .init("--5", "5"), .init("- 1.5", "-1.5"), .init("1 / 0", "inf"),
    .init("9223372036854775807 + 1", "-9223372036854775808"), .init("'a' + \"b\" + `c`", #""abc""#),
    .init("1 == 1.0", "true"), .init("1 != 2", "true"), .init("'a' == 'a'", "true"),
    .init("'a' != 'b'", "true"),
    .init("1 < 2", "true"), .init("2 <= 2", "true"), .init("3 > 4", "false"), .init("3 >= 3.5", "false"),
    .init("'a' < 'b'", "true"), .init("'b' >= 'abc'", "true"), .init("'' < 'a'", "true"),
    .init("nil == nil", "true"), .init("nil == 1", "false"), .init("'a' != nil", "true"),
    .init("[1, 2] == [1.0, 2]", "true"), .init("[1] == [1, 2]", "false"), .init("{a: 1} == {a: 1}", "true"),
    .init("{a: 1, b: 2} == {b: 2, a: 1}", "true"), .init("{a: 1} == {b: 1}", "false"),
    .init("1 < 2 < 3", "true"), .init("1 < 3 < 2", "false"), .init("3 > 2 >= 2 > 1", "true"),
    .init("true and false", "false"), .init("true && true", "true"), .init("false or true", "true"),
    .init("false || false", "false"), .init("not true", "false"), .init("!false", "true"),
    .init("not not true", "true"),
    .init("true or false and false", "true"), .init("(true or false) and false", "false"),
    .init("false and 1 / 0 > 1", "false"), .init("not (1 == 2)", "true"), .init("true ? 1 : 2", "1"),
    .init("false ? 1 : true ? 2 : 3", "2"), .init("nil ?? 1", "1"), .init("false ?? 1", "false"),
    .init("nil ?? nil ?? 3", "3"), .init("(nil ?? 1) + 1", "2"), .init("1 + (nil ?? 1)", "2"),
    .init("1..3 == [1, 2, 3]", "true"), .init("1..3", "[1, 2, 3]"), .init("3..1", "[]"),
    .init("-1..1", "[-1, 0, 1]"),
    .init("1 + 1..2 * 2", "[2, 3, 4]"), .init("'abc' contains 'b'", "true"),
    .init("'abc' not contains 'b'", "false"),
    .init("'abc' startsWith 'ab'", "true"), .init("'abc' endsWith 'bc'", "true"),
    .init("'abc' endsWith ''", "true"),
    .init("'abc' not startsWith 'b'", "true"), .init("'abc' matches '^a.c$'", "true"),
    .init("'abc' matches '(?i)B'", "true"), .init("not ('abc' matches 'd')", "true"),
    .init("'abc' not matches 'd'", "true"), .init("'a.c' matches `a\\.c`", "true"),
    .init("'abc' matches `a\\.c`", "false"),
    .init("'abc' matches 'a' + 'b'", "true"), .init(#""John" in ["John", "Jane"]"#, "true"),
    .init(#""name" in {"name": "John", "age": 30}"#, "true"), .init("1 in [2, 3]", "false"),
    .init("2.0 in [2, 3]", "true"), .init("1 not in [2, 3]", "true"), .init("nil in [nil]", "true"),
    .init("-1 in [-1, 2]", "true"), .init("1 in 1..3", "true"), .init("1 in nil", "false"),
    .init("if 1 < 2 { 'a' } else { 'b' }", #""a""#),
    .init("if false { 1 } else if false { 2 } else { 3 }", "3"),
    .init("let x = 42; x * 2", "84"), .init("let x = 42; \nlet y = 2; \nx * y", "84"),
    .init("let x = [1, 2]; let y = x[1]; y + len(x)", "4"), .init("[let a = 1; a + 1]", "[2]"),
    .init("::len('abc')", "3"),
  ]

  static let members: [ExpressionCase] = [
    .init("attributes.status", #""500""#), .init("attributes['status']", #""500""#),
    .init(#"attributes["http.method"]"#, #""a.b""#), .init("attributes.nested.a.b", #""inner""#),
    .init("attributes['nested']['a'].b", #""inner""#), .init("attributes.missing", "nil"),
    .init("attributes.nothing", "nil"), .init("resource['service.name']", #""checkout""#),
    .init("attributes.list[0]", "3"), .init("attributes.list[-1]", "5"), .init("[1, 2, 3][1]", "2"),
    .init("{a: {b: 1}}.a.b", "1"), .init("{a: 1}['b']", "nil"), .init("attributes['sta' + 'tus']", #""500""#),
    .init("attributes[nil]", "nil"), .init("attributes.list[1.0]", "1"), .init("'abc'[0]", "97"),
    .init("attributes?.status", #""500""#), .init("attributes.missing?.name", "nil"),
    .init("attributes.missing?.name.first", "nil"), .init("attributes.missing?.['name'][0]", "nil"),
    .init("attributes.missing?.name ?? 'Anonymous'", #""Anonymous""#),
    .init("attributes.nested?.a?.b ?? 'none'", #""inner""#), .init("$env['attributes'].status", #""500""#),
    .init("$env.body contains 'disk'", "true"), .init("$ == body", "true"), .init("$body == body", "true"),
    .init("[1, 2, 3, 4, 5][1:4] == [2, 3, 4]", "true"), .init("[1, 2, 3, 4, 5][1:-1] == [2, 3, 4]", "true"),
    .init("[1, 2, 3, 4, 5][:3] == [1, 2, 3]", "true"), .init("[1, 2, 3, 4, 5][3:] == [4, 5]", "true"),
    .init("let array = [1, 2, 3, 4, 5]; array[:] == array", "true"), .init("attributes.list[1:3]", "[1, 4]"),
    .init("attributes.list[4:9]", "[5]"), .init("attributes.list[3:1]", "[]"),
    .init("'Hello'[1:3]", #""el""#),
    .init("'Zürich'[:2]", #""Z""#), .init("body[0:5]", #""ERROR""#), .init("attributes.in", "nil"),
    .init("attributes.matches", "nil"), .init("severity", "17"), .init("severity_text", #""ERROR""#),
    .init("severity >= 17 and severity_number < 21", "true"), .init("attributes.bytes + 1", "1235"),
    .init("attributes.seconds * 4", "1.0"), .init("attributes.flag", "true"),
    .init("attributes.raw", "bytes(\u{1}raw)"),
    .init("attributes.raw contains 'aw'", "true"), .init("attributes.raw matches '^.raw$'", "true"),
    .init("body matches '^ERROR'", "true"), .init("body matches '^WARN'", "false"),
    .init("body matches 'full'", "true"),
    .init("attributes.missing matches 'x'", "false"), .init("attributes.missing contains 'x'", "false"),
    .init("attributes.status in ['500', '503']", "true"),
    .init("attributes.status == '500' ? 'bad' : 'good'", #""bad""#),
    .init("env('STACK')", #""blue""#), .init("env('MISSING')", #""""#), .init("env('EMPTY') == ''", "true"),
    .init("'status' in attributes", "true"), .init("'x' not in attributes", "true"),
    .init("attributes.path | upper() | split('/')", #"["", "API", "V1", "USERS"]"#),
    .init("'Hello, ' + (attributes.method | lower())", #""Hello, get""#),
    .init("let name = attributes.path | lower() | split('/'); 'Hello, ' + name[1] + '!'", #""Hello, api!""#),
    .init("attributes.path | split('/')[1]", #""api""#), .init("1..3 | map(# * 2) | sum()", "12"),
  ]

  @Test(arguments: literals) func `a literal stands for its value`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: operators) func `an operator gives what the language says`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: members) func `a part of the entry is found`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }
}
