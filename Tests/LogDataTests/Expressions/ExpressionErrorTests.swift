import Testing

@testable import LogData

/// An expression that is refused: the part that is marked with ‹ and ›, and how the reason begins.
struct ExpressionMistake: CustomTestStringConvertible, Sendable {
  let marked: String
  let reason: String

  init(_ marked: String, _ reason: String) {
    self.marked = marked
    self.reason = reason
  }

  var testDescription: String { marked }
}

@Suite struct ExpressionErrorTests {
  static let mistakes: [ExpressionMistake] = [
    .init("‹›", "the expression is empty"), .init("‹› // nothing", "the expression is empty"),
    .init("1 +‹›", "expected a value, found the end"), .init("1 ‹2›", "`2` cannot stand here"),
    .init("(1‹›", "expected `)`, found the end; the bracket `(` is not closed"),
    .init("[1, 2‹›", "expected `]`, found the end"),
    .init("{a‹}›", "expected `:`, found `}`; a map is written"),
    .init("{‹+›}", "expected a key of the map, found `+`"),
    .init("len(body‹›", "expected `)`, found the end"),
    .init("‹\"›abc", "the string has no \" at its end"),
    .init("‹'›a\nb'", "the string has no ' at its end; one of several lines"),
    .init("‹`›abc", "the string has no ` at its end"),
    .init("‹/*› abc", "the comment has no `*/` at its end"),
    .init(
      "body matches '^‹\\d›+'", "`\\d` is not an escape of strings; in a pattern write the backslash twice"),
    .init(#"'‹\x4›'"#, "`\\x4` is not an escape"), .init(#"'‹\ud800›'"#, "`\\ud800` is not an escape"),
    .init("‹12abc›", "`12abc` is not a number"), .init("‹0b12›", "`0b12` is not a number"),
    .init("‹0x›", "`0x` is not a number"),
    .init("‹9223372036854775808›", "`9223372036854775808` is too large for an int"),
    .init("‹1e999›", "`1e999` is not a number that fits a float"),
    .init("body ‹@› 1", "`@` is not part of the language"),
    .init("true ‹&› false", "`&` is not part of the language; for \"and\" write `&&`"),
    .init("body ‹=› 'a'", "`=` cannot stand here; to compare write `==`"),
    .init("true ‹AND› false", "`AND` cannot stand here; operators are written in small letters"),
    .init("‹bdy› contains 'x'", "there is no `bdy`; did you mean `body`?"),
    .init("‹status› == '500'", "there is no `status`; attributes are written `attributes.status`"),
    .init("attributes.code == ‹ok›", "there is no `ok`; attributes are written"),
    .init("‹null› == body", "there is no `null`; write `nil`"),
    .init("‹$labels›.x", "there is no `$labels`; write `attributes`"),
    .init("‹True›", "there is no `True`; write `true`"), .init("‹len› == 1", "`len` is a function: `len(…)`"),
    .init("‹lowr›(body)", "there is no function `lowr`; did you mean `lower`?"),
    .init("body | ‹lowr›()", "there is no function `lowr`"),
    .init("‹body›()", "there is no function `body`; it is a value"),
    .init("‹len()›", "`len` takes 1 argument, not 0"),
    .init("‹len(1, 2)›", "`len` takes 1 argument, not 2"),
    .init("‹split('a')›", "`split` takes 2 to 3 arguments, not 1"),
    .init("‹now(1, 2)›", "`now` takes 0 to 1 argument, not 2"),
    .init("‹concat()›", "`concat` takes at least 1 argument, not 0"),
    .init("‹filter([1])›", "`filter` takes 2 arguments, not 1"),
    .init("len(‹1›)", "the argument of `len` must be string, array or map"),
    .init("upper(‹1 + 1›)", "the argument of `upper` must be string, and this is int"),
    .init("split('a', ‹1›)", "the second argument of `split` must be string"),
    .init("‹'a' + 1›", "`+` does not take string and int; `string(…)`"),
    .init("‹1 < 'a'›", "`<` does not take int and string"),
    .init("‹1 == 'a'›", "int and string are never equal"),
    .init("‹env('X') == 5›", "string and int are never equal"),
    .init("‹true + body›", "`+` does not take bool and any value"),
    .init(
      "‹'a' in 'abc'›", "`in` does not take string and string; to look for a text in another write `contains`"
    ),
    .init("1 in [‹'a'›, 'b']", "int is never equal to this"),
    .init("not ‹1›", "the operand of `not` must be bool, and this is int"),
    .init("true and ‹'a'›", "an operand of `and` must be bool"),
    .init("‹1› ? 2 : 3", "the condition must be bool"),
    .init("-‹'a'›", "the operand of `-` must be int or float"),
    .init("true ? 1‹›", "expected `:`, found the end; a condition is written"),
    .init("if true { 1 }‹›", "expected `else`, found the end"),
    .init("let x = 1‹›", "expected `;`, found the end; a variable is written"),
    .init("‹let body = 1; 2›", "`body` already has a meaning"),
    .init("let x = 1; ‹let x = 2; x›", "`x` already has a meaning"),
    .init("let ‹1› = 2; 3", "expected the name of the variable"),
    .init("nil ?? 1 ‹+› 2", "`+` and `??` need brackets"),
    .init("‹#› == 1", "`#` cannot stand outside of a predicate"),
    .init("‹.›name", "`.` cannot stand outside of a predicate"),
    .init("map([1], ‹#foo›)", "there is no `#foo`"),
    .init("map([1], ‹#acc›)", "there is an `#acc` in `reduce` only"),
    .init(
      "map([1], {a‹:› #})", "expected `}`, found `:`; a map as the value of a predicate needs braces twice"),
    .init("filter([1], ‹# + 1›)", "the predicate of `filter` must be bool, and this is int or float"),
    .init("filter(‹'abc'›, true)", "the first argument of `filter` must be array"),
    .init("attributes‹.1›", "`.1` cannot stand here; an element of an array is written `[1]`"),
    .init("attributes[‹1›]", "the key of a map must be nil or string"),
    .init("[1][‹'a'›]", "the index of an array must be int or float"),
    .init("‹timestamp›.year", "what has a member must be"),
    .init("now().‹Yer›()", "there is no method `Yer`; did you mean `Year`?"),
    .init("body.‹trim›()", "there is no method `trim`; it is a function"),
    .init("‹now().Year(1)›", "`Year` takes no arguments, not 1"),
    .init("body | ‹1›", "expected the name of a function behind `|`"),
    .init("body | lower‹›", "expected `(`, found the end; behind `|` stands a call"),
    .init("1 ‹not› 2", "expected an operator, found `not`"),
    .init("body matches '‹(›'", "the pattern does not compile: missing )"),
    .init("body matches '^a[‹b-a›]'", "the pattern does not compile:"),
    .init("body matches \"\\\\w‹**›\"", "the pattern does not compile:"),
    .init("body matches `ab‹(?<n›`", "the pattern does not compile:"),
    .init("body matches 'ä‹\\\\8›'", "the pattern does not compile: invalid escape sequence"),
    .init("$env[‹body›]", "`$env` needs a name in quotes"),
    .init("‹$env› == nil", "`$env` stands before a name only"),
    .init("‹$env.boddy›", "there is no `boddy`; did you mean `body`?"),
    .init("date(‹'yesterday'›)", "\"yesterday\" is not a date"),
    .init("date(‹'2023-02-30'›, '2006-01-02')", "\"2023-02-30\" is not a date: "),
    .init("timezone(‹'Mars'›)", "there is no time zone \"Mars\""),
    .init("timezone(‹body›)", "the name of a time zone must be a constant"),
    .init("date('x', ‹body›)", "a layout must be a constant"),
    .init("date('x', 'y', ‹'Mars'›)", "there is no time zone"),
    .init("‹date(timezone('UTC'))›", "`date` needs a text behind the time zone"),
    .init("now(‹'UTC'›)", "the argument of `now` must be zone"),
    .init("duration(‹'1 hour'›)", "\"1 hour\" is not a duration"),
  ]

  @Test(arguments: mistakes.filter { !$0.reason.isEmpty })
  func `a mistake is told with its place`(_ row: ExpressionMistake) throws {
    let start = try #require(row.marked.range(of: "‹"))
    let end = try #require(row.marked.range(of: "›"))
    let text = row.marked.replacing("‹", with: "").replacing("›", with: "")
    let offset = row.marked[..<start.lowerBound].utf8.count
    let length = row.marked[start.upperBound..<end.lowerBound].utf8.count
    let error = try #require(throws: ExpressionError.self) { try Expression(text) }
    #expect(error.offset == offset && error.length == length, "\(error)")
    #expect(error.reason.hasPrefix(row.reason), "\(error.reason)")
  }

  static let failures: [ExpressionCase] = [
    .init("attributes.missing < 5", "error: `<` does not take nil and int in `attributes.missing < 5`"),
    .init("5 >= attributes.status", "error: `>=` does not take int and string in `5 >= attributes.status`"),
    .init("attributes.missing.name", "error: nil has no member `name` in `attributes.missing.name`"),
    .init("body.name", "error: string has no member `name` in `body.name`"),
    .init("attributes.list.name", "error: array has no member `name` in `attributes.list.name`"),
    .init(
      "attributes.list[5]",
      "error: the index 5 is outside of the array, which has 5 elements in `attributes.list[5]`"),
    .init("attributes.status + 1", "error: `+` does not take string and int in `attributes.status + 1`"),
    .init("1 % 0", "error: division by zero in `1 % 0`"),
    .init(
      "body matches attributes.status + '('",
      "error: the pattern does not compile: missing ): `(` at byte 4 in `body matches attributes.status + '('`"
    ),
    .init(
      "attributes.flag and attributes.status",
      "error: `and` does not take string in `attributes.flag and attributes.status`"),
    .init("int(attributes.path)", "error: \"/api/v1/users\" is not an int in `int(attributes.path)`"),
    .init("float('1e999')", "error: \"1e999\" is not a float in `float('1e999')`"),
    .init("int(1e300)", "error: 1e+300 does not fit an int in `int(1e300)`"),
    .init("bitshl(1, -1)", "error: a shift by -1 bits in `bitshl(1, -1)`"),
    .init("fromBase64('%')", "error: the text is not base64 in `fromBase64('%')`"),
    .init("sort([1, 'a'])", "error: `<` does not take int and string in `sort([1, 'a'])`"),
    .init("sort([1], 'up')", "error: the order is \"asc\" or \"desc\", not \"up\" in `sort([1], 'up')`"),
    .init("reduce([], #acc)", "error: `reduce` of an empty array needs a first value in `reduce([], #acc)`"),
    .init("upper(attributes.bytes)", "error: `upper` does not take int in `upper(attributes.bytes)`"),
    .init(
      "attributes.status in attributes.path",
      "error: `in` does not take string and string in `attributes.status in attributes.path`"),
    .init("repeat('a', -1)", "error: a text cannot be repeated -1 times in `repeat('a', -1)`"),
    .init("toJSON(1/0)", "error: inf cannot be written in JSON in `toJSON(1/0)`"),
    .init(
      "map(attributes.status, #)", "error: `map` takes an array, not string in `map(attributes.status, #)`"),
    .init("body.Year()", "error: string has no method `Year` in `body.Year()`"),
    .init(
      "any(attributes.list, attributes.status)",
      "error: the predicate of `any` gives string, not bool in `any(attributes.list, attributes.status)`"),
    .init("-attributes.status", "error: `-` does not take string in `-attributes.status`"),
    .init(
      "attributes.flag ? attributes.missing.x : 1", "error: nil has no member `x` in `attributes.missing.x`"),
    .init("attributes.status.a.b", "error: string has no member `a` in `attributes.status.a.b`"),
    .init(
      "attributes.status == 'x' or attributes.bytes",
      "error: `or` does not take int in `attributes.status == 'x' or attributes.bytes`"),
  ]

  @Test(arguments: failures) func `a failure of an evaluation names the part`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test func `what cannot serve its purpose is refused`() throws {
    let number = try #require(throws: ExpressionError.self) { try Expression(" len(body) ", for: .condition) }
    #expect(number == ExpressionError("a condition must be nil or bool, and this is int", at: 1, length: 9))
    let list = try #require(throws: ExpressionError.self) { try Expression("[1]", for: .string) }
    #expect(list == ExpressionError("the expression must be string, and this is array", at: 0, length: 3))
    _ = try Expression("attributes.flag", for: .condition)
    _ = try Expression("attributes.flag", for: .string)
  }

  @Test func `a condition must be true, false or nil`() throws {
    var entry = try ExpressionTable.entry()
    #expect(try Expression("attributes.flag").isTrue(&entry, ExpressionTable.environment))
    #expect(try !Expression("attributes.missing").isTrue(&entry, ExpressionTable.environment))
    let error = try #require(throws: LogOperatorError.self) {
      try Expression("attributes.status").isTrue(&entry, ExpressionTable.environment)
    }
    #expect(error.description == "the condition gives string, not true or false")
  }
}
