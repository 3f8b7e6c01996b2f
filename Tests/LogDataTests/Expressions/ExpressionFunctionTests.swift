import Testing

@testable import LogData

/// The examples of functions in the language's documentation and what it says besides.
@Suite struct ExpressionFunctionTests {
  static let texts: [ExpressionCase] = [
    .init(#"trim("  Hello  ") == "Hello""#, "true"), .init(#"trim("__Hello__", "_") == "Hello""#, "true"),
    .init("trim(attributes.spaces)", #""a b""#), .init("trim('\\t\u{a0}x\u{2003}\\n')", #""x""#),
    .init("trim('äxöä', 'äö')", #""x""#), .init("trim('   ')", #""""#),
    .init(#"trimPrefix("HelloWorld", "Hello") == "World""#, "true"),
    .init("trimPrefix('abc', 'b')", #""abc""#),
    .init("trimPrefix('  a')", #"" a""#), .init("trimSuffix('a  ')", #""a ""#),
    .init(#"trimSuffix("HelloWorld", "World") == "Hello""#, "true"),
    .init(#"upper("hello") == "HELLO""#, "true"),
    .init(#"lower("HELLO") == "hello""#, "true"), .init("upper(attributes.unicode)", #""ZÜRICH ß""#),
    .init("lower('ÄÖ')", #""äö""#),
    .init(#"split("apple,orange,grape", ",") == ["apple", "orange", "grape"]"#, "true"),
    .init(#"split("apple,orange,grape", ",", 2) == ["apple", "orange,grape"]"#, "true"),
    .init("split('aäb', '')", #"["a", "ä", "b"]"#), .init("split('', ',')", #"[""]"#),
    .init("split('', '')", "[]"),
    .init("split('a', ',', 0)", "[]"), .init("split('a,', ',')", #"["a", ""]"#),
    .init(#"splitAfter("apple,orange,grape", ",") == ["apple,", "orange,", "grape"]"#, "true"),
    .init(#"splitAfter("apple,orange,grape", ",", 2) == ["apple,", "orange,grape"]"#, "true"),
    .init(#"replace("Hello World", "World", "Universe") == "Hello Universe""#, "true"),
    .init("replace('aaaa', 'a', 'b', 2)", #""bbaa""#), .init("replace('ab', '', '-')", #""-a-b-""#),
    .init("replace('abc', 'x', 'y')", #""abc""#), .init("replace('aXbX', 'X', '')", #""ab""#),
    .init(#"repeat("Hi", 3) == "HiHiHi""#, "true"), .init("repeat('a', 0)", #""""#),
    .init(#"indexOf("apple pie", "pie") == 6"#, "true"), .init("indexOf('abc', 'x')", "-1"),
    .init("indexOf('abc', '')", "0"),
    .init(#"lastIndexOf("apple pie apple", "apple") == 10"#, "true"), .init("lastIndexOf('aaa', 'aa')", "1"),
    .init("lastIndexOf('abc', '')", "3"), .init("lastIndexOf('abc', 'abcd')", "-1"),
    .init(#"hasPrefix("HelloWorld", "Hello") == true"#, "true"),
    .init(#"hasSuffix("HelloWorld", "World") == true"#, "true"),
    .init(#"join(["apple", "orange", "grape"], ",") == "apple,orange,grape""#, "true"),
    .init(#"join(["apple", "orange", "grape"]) == "appleorangegrape""#, "true"),
    .init("join([], ',')", #""""#),
    .init(#"toBase64("Hello World") == "SGVsbG8gV29ybGQ=""#, "true"),
    .init(#"fromBase64("SGVsbG8gV29ybGQ=") == "Hello World""#, "true"),
    .init("fromBase64(attributes.base64)", #""Hello World""#),
    .init("len('Zürich')", "6"), .init("len(attributes.raw)", "4"),
  ]

  static let numbers: [ExpressionCase] = [
    .init("max(5, 7) == 7", "true"), .init("min(5, 7) == 5", "true"), .init("max([1, 5, 3])", "5"),
    .init("max(1, [2.5, [0]])", "2.5"), .init("min(attributes.list)", "1"), .init("max([])", "nil"),
    .init("abs(-5) == 5", "true"), .init("abs(-1.5)", "1.5"), .init("ceil(1.5) == 2.0", "true"),
    .init("floor(1.5) == 1.0", "true"), .init("round(1.5) == 2.0", "true"), .init("round(-2.5)", "-3.0"),
    .init("ceil(2)", "2.0"),
    .init("sum([1, 2, 3]) == 6", "true"), .init("sum([1, 2.5])", "3.5"), .init("sum([])", "0"),
    .init("sum(attributes.users, .age)", "96"), .init("mean([1, 2, 3]) == 2.0", "true"),
    .init("mean([])", "0.0"),
    .init("median([1, 2, 3]) == 2.0", "true"), .init("median([4, 1, 3, 2])", "2.5"),
    .init("median(5)", "5.0"),
    .init("bitand(0b1010, 0b1100) == 0b1000", "true"), .init("bitor(0b1010, 0b1100) == 0b1110", "true"),
    .init("bitxor(0b1010, 0b1100) == 0b110", "true"), .init("bitnand(0b1010, 0b1100) == 0b10", "true"),
    .init("bitnot(0b1010) == -0b1011", "true"), .init("bitshl(0b101101, 2) == 0b10110100", "true"),
    .init("bitshr(0b101101, 2) == 0b1011", "true"),
    .init("bitushr(-0b101, 2) == 4611686018427387902", "true"),
    .init("bitshl(1, 64)", "0"), .init("bitshr(-1, 100)", "-1"),
  ]

  static let arrays: [ExpressionCase] = [
    .init("filter(0..9, {# % 2 == 0})", "[0, 2, 4, 6, 8]"),
    .init("filter(attributes.users, {len(.name) > 3})[1].name", #""Jane""#),
    .init("filter(attributes.users, len(.name) > 3) | len()", "2"),
    .init("all(attributes.users, {.age > 20})", "true"),
    .init("all([], false)", "true"), .init("any(attributes.users, {.age > 40})", "true"),
    .init("any([], true)", "false"),
    .init("one(attributes.users, {.name == 'Bob'})", "true"), .init("one([1, 1], # == 1)", "false"),
    .init("none(attributes.users, {.age > 50})", "true"),
    .init("map(attributes.users, {.age})", "[30, 25, 41]"),
    .init("map(1..3, # * #index)", "[0, 2, 6]"), .init("map([1], {{a: #}})", "[{a: 1}]"),
    .init(#"filter(attributes.users, .name startsWith "J") | map(.name)"#, #"["John", "Jane"]"#),
    .init("find([1, 2, 3, 4], # > 2) == 3", "true"), .init("findIndex([1, 2, 3, 4], # > 2) == 2", "true"),
    .init("findLast([1, 2, 3, 4], # > 2) == 4", "true"),
    .init("findLastIndex([1, 2, 3, 4], # > 2) == 3", "true"),
    .init("find([1], # > 2)", "nil"), .init("findIndex([1], # > 2)", "nil"),
    .init("groupBy(1..4, # % 2 == 0 ? 'even' : 'odd')", "{odd: [1, 3], even: [2, 4]}"),
    .init("groupBy([1, 2, 1], #)", "{1: [1, 1], 2: [2]}"),
    .init("count([1, 2, 3], # > 1) == len(filter([1, 2, 3], # > 1))", "true"),
    .init("count([true, false, true])", "2"),
    .init("reduce(1..9, #acc + #)", "45"), .init("reduce(1..9, #acc + #, 0)", "45"),
    .init("reduce([], #acc + #, 7)", "7"),
    .init("reduce(['a', 'b'], #acc + string(#index) + #, '>')", #"">0a1b""#),
    .init("reduce(1..3, #acc + #index)", "4"),
    .init("first([1, 2, 3]) == 1", "true"), .init("last([1, 2, 3]) == 3", "true"), .init("first([])", "nil"),
    .init("last(attributes.list)", "5"),
    .init("take([1, 2, 3, 4], 2) == [1, 2]", "true"), .init("take([1], 5)", "[1]"),
    .init("take(attributes.list, 2)", "[3, 1]"),
    .init("sort([3, 1, 4]) == [1, 3, 4]", "true"), .init(#"sort([3, 1, 4], "desc") == [4, 3, 1]"#, "true"),
    .init("sort(['b', 'a', 'B'])", #"["B", "a", "b"]"#),
    .init("sort(attributes.list, 'asc')", "[1, 1, 3, 4, 5]"), .init("sort([2.5, 1])", "[1, 2.5]"),
    .init(#"sortBy(attributes.users, "age") | map(.name)"#, #"["Jane", "John", "Bob"]"#),
    .init(#"sortBy(attributes.users, .age, "desc") | map(.name)"#, #"["Bob", "John", "Jane"]"#),
    .init("sortBy([[1, 'b'], [0, 'b'], [2, 'a']], #[1])", #"[[2, "a"], [1, "b"], [0, "b"]]"#),
    .init("sortBy([2, 1])", "[1, 2]"),
    .init("reverse([1, 2, 3])", "[3, 2, 1]"), .init("concat([1], attributes.list, [])", "[1, 3, 1, 4, 1, 5]"),
    .init("flatten([1, [2, [3, []]], 4])", "[1, 2, 3, 4]"),
    .init("uniq([1, 2, 1, 1.0, '1'])", #"[1, 2, "1"]"#),
    .init("keys({name: 'John', age: 30}) == ['name', 'age']", "true"),
    .init("values({name: 'John', age: 30}) == ['John', 30]", "true"),
    .init("keys(resource)", #"["service.name"]"#),
    .init(#"toPairs({"name": "John", "age": 30}) == [["name", "John"], ["age", 30]]"#, "true"),
    .init(#"fromPairs([["name", "John"], ["age", 30]]) == {"name": "John", "age": 30}"#, "true"),
    .init("fromPairs([['a', 1], ['b', 2], ['a', 3]])", "{a: 3, b: 2}"),
    .init("len([1, 2, 3]) == 3", "true"), .init("len({name: 'John', age: 30}) == 2", "true"),
    .init(#"len("Hello") == 5"#, "true"), .init("len(attributes.list)", "5"),
    .init("get([1, 2, 3], 1) == 2", "true"), .init("get({name: 'John', age: 30}, 'name') == 'John'", "true"),
    .init("get([1], 5)", "nil"),
    .init("get([1], -1)", "1"), .init("get(nil, 'a')", "nil"), .init("get(attributes.missing, 'a')", "nil"),
    .init("get(attributes, 'status')", #""500""#),
    .init("any(1..3, let x = #; any(2..2, # == x))", "true"),
    .init("map(1..2, map(1..2, # * 10))", "[[10, 20], [10, 20]]"),
  ]

  static let conversions: [ExpressionCase] = [
    .init(#"type(42) == "int""#, "true"), .init(#"type("hello") == "string""#, "true"),
    .init("type(now()) == 'time.Time'", "true"),
    .init(
      "map([nil, true, 1, 1.0, '', [], {}, duration('1s')], type(#))",
      #"["nil", "bool", "int", "float", "string", "array", "map", "time.Duration"]"#),
    .init(#"int("123") == 123"#, "true"), .init("int(1.9)", "1"), .init("int(-1.9)", "-1"),
    .init("int(attributes.number) + 1", "43"),
    .init(#"float("123.45") == 123.45"#, "true"), .init("float(2)", "2.0"),
    .init(#"string(123) == "123""#, "true"), .init("string(nil)", #""<nil>""#),
    .init("string([1, 'a', [true]])", #""[1 a [true]]""#),
    .init("string({b: 1, a: nil})", #""map[a:<nil> b:1]""#), .init("string('x')", #""x""#),
    .init(
      "map([0.5, 1.0, 1e6, 1e-5, 123456.0, 1234567.0, 0.0001, 1e100, -0.25, 1/0], string(#))",
      #"["0.5", "1", "1e+06", "1e-05", "123456", "1.234567e+06", "0.0001", "1e+100", "-0.25", "+Inf"]"#),
    .init("toJSON({name: 'John', age: 30})", "\"{\n  \"age\": 30,\n  \"name\": \"John\"\n}\""),
    .init("toJSON([1, [], {}])", "\"[\n  1,\n  [],\n  {}\n]\""),
    .init("toJSON('a\"\\\\\\n<\\u0001\u{2028}')", #""""# + #"a\"\\\n\u003c\u0001\u2028"# + #""""#),
    .init(
      "map([1.0, 0.1, 1e21, 1e-7, 1e20, 100.5], toJSON(#))",
      #"["1", "0.1", "1e+21", "1e-7", "100000000000000000000", "100.5"]"#),
    .init("toJSON(nil)", #""null""#),
    .init("toJSON(attributes.nested)", "\"{\n  \"a\": {\n    \"b\": \"inner\"\n  }\n}\""),
  ]

  static let times: [ExpressionCase] = [
    .init("now().Year() == 2023", "true"), .init("now()", #""2023-11-14T22:13:20.123456789Z""#),
    .init("timestamp", #""2023-08-14T08:00:00.5Z""#),
    .init(#"duration("1h").Seconds() == 3600"#, "true"), .init("duration('1h30m')", #""1h30m0s""#),
    .init("duration('-1.5ms')", #""-1.5ms""#),
    .init("timestamp > now() - duration('1h')", "false"),
    .init("timestamp + duration('1h')", #""2023-08-14T09:00:00.5Z""#),
    .init("duration('1h') + timestamp == timestamp + duration('1h')", "true"),
    .init("now() - timestamp > duration('24h')", "true"),
    .init("duration('1h') * 2", #""2h0m0s""#), .init("0.5 * duration('1h')", #""30m0s""#),
    .init("duration('2h') - duration('1h') == duration('1h')", "true"),
    .init("(now() - timestamp).Hours() > 24", "true"),
    .init("[timestamp.Year(), timestamp.Month(), timestamp.Day()]", "[2023, 8, 14]"),
    .init(
      "[timestamp.Hour(), timestamp.Minute(), timestamp.Second(), timestamp.Nanosecond()]",
      "[8, 0, 0, 500000000]"),
    .init("[timestamp.Weekday(), timestamp.YearDay()]", "[1, 226]"), .init("timestamp.Unix()", "1692000000"),
    .init("timestamp.UnixMilli()", "1692000000500"),
    .init("timestamp.Before(now()) and now().After(timestamp)", "true"),
    .init("timestamp.Equal(timestamp)", "true"), .init("timestamp.Sub(timestamp)", #""0s""#),
    .init("timestamp.Add(duration('1s')).Second()", "1"), .init("timestamp.IsZero()", "false"),
    .init("timestamp.Truncate(duration('24h'))", #""2023-08-14T00:00:00Z""#),
    .init("timestamp.Truncate(duration('168h'))", #""2023-08-14T00:00:00Z""#),
    .init("duration('90s').Truncate(duration('1m'))", #""1m0s""#),
    .init("string(timestamp)", #""2023-08-14 08:00:00.5 +0000 UTC""#),
    .init("string(duration('90s'))", #""1m30s""#),
    .init("timestamp.String()", #""2023-08-14 08:00:00.5 +0000 UTC""#),
    .init("sort([duration('2s'), duration('1s')])", #"["1s", "2s"]"#),
    .init("attributes.missing?.Year()", "nil"), .init("int(duration('1us'))", "1000"),
    .init("duration('1h').Minutes()", "60.0"), .init("duration('1s').Milliseconds()", "1000"),
    .init("duration('-1s').Abs()", #""1s""#),
  ]

  static let dates: [ExpressionCase] = [
    .init(#"date("2023-08-14")"#, #""2023-08-14T00:00:00Z""#),
    .init(#"date("15:04:05").Hour()"#, "15"),
    .init(#"date("2023-08-14T00:00:00Z") == date("2023-08-14")"#, "true"),
    .init(
      #"date("2023-08-14 00:00:00", "2006-01-02 15:04:05", "Europe/Zurich")"#, #""2023-08-14T00:00:00+02:00""#
    ),
    .init("date('2023-08-14 12:00:00').Unix()", "1692014400"),
    .init("date('14 Aug 23 10:00 UTC') == date('2023-08-14 10:00:00')", "true"),
    .init("date('Mon, 14 Aug 2023 10:00:00 UTC').Day()", "14"),
    .init("date('Monday, 14-Aug-23 10:00:00 UTC').Hour()", "10"),
    .init("date('14/Aug/2023:10:00:00 +0200', '02/Jan/2006:15:04:05 -0700')", #""2023-08-14T08:00:00Z""#),
    .init("date(timezone('Europe/Zurich'), '2023-01-14')", #""2023-01-14T00:00:00+01:00""#),
    .init("date(timezone('UTC'), '14.8.2023', '2.1.2006').Month()", "8"),
    .init("date('2023-08-14') < timestamp", "true"),
    .init("date(attributes.missing ?? '2023-08-14').Year()", "2023"),
    .init("timestamp.In(timezone('Asia/Tokyo')).Hour()", "17"),
    .init("timestamp.In(timezone('Asia/Tokyo')).UTC().Hour()", "8"),
    .init("now(timezone('America/New_York'))", #""2023-11-14T17:13:20.123456789-05:00""#),
    .init("string(timestamp.In(timezone('Asia/Tokyo')))", #""2023-08-14 17:00:00.5 +0900 +0900""#),
    .init("timestamp.Format('Mon Jan _2 15:04:05 2006')", #""Mon Aug 14 08:00:00 2023""#),
    .init("timestamp.In(timezone('Asia/Tokyo')).Format('15:04 -07:00')", #""17:00 +09:00""#),
    .init("attributes.missing?.Format('15:04')", "nil"), .init("string(timezone('UTC'))", #""UTC""#),
    .init(
      "date(attributes.method)", #"error: "GET" is not a date in `date(attributes.method)`"#),
    .init("body.Format('15')", "error: string has no method `Format` in `body.Format('15')`"),
  ]

  static let json: [ExpressionCase] = [
    .init(#"fromJSON('{"name": "John", "age": 30}')"#, #"{name: "John", age: 30}"#),
    .init(#"fromJSON('{"name": "John", "age": 30}').age + 1"#, "31"),
    .init("fromJSON(' [1, 2.5, null, true] ')", "[1, 2.5, nil, true]"),
    .init("fromJSON('\"a\\\\nb\"')", "\"a\nb\""), .init("fromJSON('12')", "12"),
    .init("fromJSON(attributes.status) == 500", "true"),
    .init("fromJSON(toJSON(attributes.users)) == attributes.users", "true"),
    .init("'a' in fromJSON('{\"a\": nul}')", "error: not a JSON text"),
    .init("fromJSON('1 2')", "error: not a JSON text"), .init("fromJSON('')", "error: not a JSON text"),
    .init(
      "fromJSON(attributes.bytes)", "error: `fromJSON` does not take int in `fromJSON(attributes.bytes)`"),
  ]

  @Test(arguments: texts) func `a function of text gives what the documentation says`(_ row: ExpressionCase)
    throws
  {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: numbers) func `a function of numbers gives what the documentation says`(
    _ row: ExpressionCase
  ) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: arrays) func `a function of arrays and maps gives what the documentation says`(
    _ row: ExpressionCase
  ) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: conversions) func `a conversion gives what the documentation says`(_ row: ExpressionCase)
    throws
  {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: times) func `times and durations are counted with`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: dates) func `dates are read and written with layouts`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(result == row.result)
  }

  @Test(arguments: json) func `JSON becomes values`(_ row: ExpressionCase) throws {
    let result = try ExpressionTable.result(row.text)
    #expect(row.result.hasPrefix("error") ? result.hasPrefix(row.result) : result == row.result, "\(result)")
  }
}
