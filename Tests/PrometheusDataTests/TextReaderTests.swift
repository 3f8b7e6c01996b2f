import PrometheusData
import Testing

/// Rules of the text format 0.0.4 and 1.0.0, each with what it allows and what it does not.
struct TextReaderTests {
  static func said(_ text: String) throws(ExpositionError) -> [Said] {
    try Said.all(in: Array(text.utf8), format: .text)
  }

  static let series: [(text: String, labels: [String: String])] = [
    ("a 1", ["__name__": "a"]),
    ("some:aggregate:rate5m 1\n", ["__name__": "some:aggregate:rate5m"]),
    ("_9:A 1", ["__name__": "_9:A"]),
    ("a{} 1", ["__name__": "a"]),
    ("a{b=\"c\"} 1", ["__name__": "a", "b": "c"]),
    ("a{b=\"c\",} 1", ["__name__": "a", "b": "c"]),
    ("a{b=\"c\"}1", ["__name__": "a", "b": "c"]),
    ("a{b=\"\"} 1", ["__name__": "a"]),
    ("a{_b1=\"c\",A=\"d\"} 1", ["__name__": "a", "_b1": "c", "A": "d"]),
    ("\t a \t { b = \"c\" , d\t=\t\"e\" , } \t 1 \t ", ["__name__": "a", "b": "c", "d": "e"]),
    ("a { b=\"c\" d=\"e\" } 1", ["__name__": "a", "b": "c", "d": "e"]),
    (#"a{b="\"\\\n\x"} 1"#, ["__name__": "a", "b": "\"\\\n\\x"]),
    (#"a{b="c:\\d\\"} 1"#, ["__name__": "a", "b": #"c:\d\"#]),
    ("a{b=\"x{},= #\"} 1", ["__name__": "a", "b": "x{},= #"]),
    ("a{b=\"two\nlines\"} 1", ["__name__": "a", "b": "two\nlines"]),
    ("a{b=\"nul\0\"} 1", ["__name__": "a", "b": "nul\0"]),
    ("a{b=\"Grüße 🌍 and some more text\"} 1", ["__name__": "a", "b": "Grüße 🌍 and some more text"]),
    (#"{"my.metric"} 1"#, ["__name__": "my.metric"]),
    (#"{"my.metric","label.x"="v",y="z"} 1"#, ["__name__": "my.metric", "label.x": "v", "y": "z"]),
    (#" { y = "z" , "my metric" , } 1"#, ["__name__": "my metric", "y": "z"]),
    (#"{"a \"b\" {c\n}","d\\"="e"} 1"#, ["__name__": "a \"b\" {c\n}", #"d\"#: "e"]),
    (#"a{"l b"="v"} 1"#, ["__name__": "a", "l b": "v"]),
  ]

  @Test(arguments: series)
  func `a series is read`(text: String, labels: [String: String]) throws {
    #expect(try Self.said(text) == [.sample(SaidSample(labels, 1))])
  }

  static let values: [(text: String, value: Double)] = [
    ("0", 0), ("-0", -0.0), ("1", 1), ("+1", 1), ("-1.5", -1.5), (".5", 0.5), ("5.", 5), ("1e3", 1000),
    ("1E+3", 1000), ("12.5e-1", 1.25), ("4.9351e-05", 4.9351e-05),
    ("7.424100000000001e-05", 7.424100000000001e-05),
    ("1.7953377546488237e+09", 1.7953377546488237e+09), ("3.8000000000000003", 3.8000000000000003),
    ("18446744073709551615", 18446744073709551616), ("18446744073709551616", 18446744073709551616),
    ("123456789012345678901234567890", 123456789012345677877719597056),
    ("0.1000000000000000055511151231257827", 0.1),
    ("1.7976931348623157e+308", .greatestFiniteMagnitude), ("5e-324", .leastNonzeroMagnitude), ("1e-400", 0),
    ("000000000000000000000000000000012", 12), ("9007199254740993", 9007199254740992), ("1e22", 1e22),
    ("1e23", 1e23),
    ("Inf", .infinity), ("+Inf", .infinity), ("-Inf", -.infinity), ("inf", .infinity),
    ("Infinity", .infinity),
    ("-INFINITY", -.infinity),
  ]

  @Test(arguments: values)
  func `a value is read to the nearest double`(text: String, value: Double) throws {
    #expect(try Self.said("a \(text)\n") == [.sample(SaidSample(["__name__": "a"], value))])
  }

  @Test(arguments: ["NaN", "nan", "NAN"])
  func `NaN has the bits that Prometheus gives it`(text: String) throws {
    let nan = Double(bitPattern: 0x7ff8_0000_0000_0001)
    #expect(try Self.said("a \(text)\n") == [.sample(SaidSample(["__name__": "a"], nan))])
  }

  static let timestamps: [(text: String, timestamp: Int64)] = [
    ("a 1 2", 2), ("a 1 1795337896332\n", 1_795_337_896_332), ("a 1 \t-5 \n", -5),
    ("a 1 9223372036854775807", .max), ("a 1 -9223372036854775808", .min),
  ]

  @Test(arguments: timestamps)
  func `a timestamp is read in milliseconds`(text: String, timestamp: Int64) throws {
    #expect(try Self.said(text) == [.sample(SaidSample(["__name__": "a"], 1, timestamp: timestamp))])
  }

  static let lines: [(text: String, said: [Said])] = [
    ("", []), ("\n\n \t\n", []), ("#", []), ("# \n#a\n#HELP a b\n#\tcomment\r\n# HELPx a\n# EOF", []),
    ("# HELP a", [.help("a", "")]), ("# HELP a \n", [.help("a", "")]),
    ("# HELP a b c ", [.help("a", "b c ")]),
    ("# HELP a  b", [.help("a", " b")]), ("#  HELP \ta\tb", [.help("a", "b")]),
    (#"# HELP a \\ \n \" \x"#, [.help("a", "\\ \n \\\" \\x")]), ("# HELP a x\0y\n", [.help("a", "x\0y")]),
    (#"# HELP "my.metric" text"#, [.help("my.metric", "text")]),
    ("# TYPE a counter", [.type("a", .counter)]), ("#\tTYPE\ta \tgauge \n", [.type("a", .gauge)]),
    ("# TYPE a histogram", [.type("a", .histogram)]), ("# TYPE a summary", [.type("a", .summary)]),
    ("# TYPE a untyped", [.type("a", .unknown)]), (#"# TYPE "a \"b\"" gauge"#, [.type("a \"b\"", .gauge)]),
    ("# UNIT a seconds\n", []),
    ("# HELP a Grüße, quite a long text\n", [.help("a", "Grüße, quite a long text")]),
    ("# HELP", []), ("# TYPE\n", []),
  ]

  @Test(arguments: lines)
  func `lines other than samples are read`(text: String, said: [Said]) throws {
    #expect(try Self.said(text) == said)
  }

  static let bounds: [(text: String, labels: [String: String])] = [
    ("# TYPE a histogram\na_bucket{le=\"1\"} 1", ["__name__": "a_bucket", "le": "1.0"]),
    ("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1", ["__name__": "a_bucket", "le": "+Inf"]),
    ("# TYPE a histogram\na_bucket{le=\"1e6\"} 1", ["__name__": "a_bucket", "le": "1e+06"]),
    (
      "# TYPE a histogram\na_bucket{le=\"x\",quantile=\"1\"} 1",
      ["__name__": "a_bucket", "le": "x", "quantile": "1"]
    ),
    ("# TYPE a summary\na{quantile=\"1\"} 1", ["__name__": "a", "quantile": "1.0"]),
    ("# TYPE a summary\na{quantile=\"0.50\",le=\"1\"} 1", ["__name__": "a", "quantile": "0.5", "le": "1"]),
    ("# TYPE a gauge\na{le=\"1\"} 1", ["__name__": "a", "le": "1"]),
  ]

  @Test(arguments: bounds)
  func `bounds and quantiles are written as Prometheus 3 does`(text: String, labels: [String: String]) throws
  {
    #expect(try Self.said(text).last == .sample(SaidSample(labels, 1)))
  }

  static let faults: [(text: String, line: Int, column: Int, reason: String)] = [
    ("a", 1, 2, "expected a blank and a value behind the metric"),
    ("a \n", 1, 3, "expected the value"),
    ("ok 1\na", 2, 2, "expected a blank and a value behind the metric"),
    ("a true\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1_2\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 0x1p-3\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1e999\n", 1, 3, "the value is not a number, or too large a one"),
    ("a +NaN\n", 1, 3, "the value is not a number, or too large a one"),
    ("a --1\n", 1, 3, "the value is not a number, or too large a one"),
    ("a .\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1e\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1\r\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1 2\r\n", 1, 5, "the timestamp is not a whole number"),
    ("a 1 1.5\n", 1, 5, "the timestamp is not a whole number"),
    ("a 1 9223372036854775808\n", 1, 5, "the timestamp does not fit into 64 bits"),
    ("a 1 2 3\n", 1, 7, "expected the end of the line"),
    ("a 1 # {x=\"y\"} 1\n", 1, 5, "the timestamp is not a whole number"),
    ("a-b 1\n", 1, 2, "expected a blank and a value behind the metric"),
    ("1a 1\n", 1, 1, "expected the name of a metric"),
    ("-a 1\n", 1, 1, "expected the name of a metric"),
    ("é 1\n", 1, 1, "expected the name of a metric"),
    ("\0\n", 1, 1, "expected the name of a metric"),
    ("ok 1\r\n", 1, 4, "the value is not a number, or too large a one"),
    ("\r\n", 1, 1, "expected the name of a metric"),
    ("a{b='c'} 1\n", 1, 5, "expected a label value in quotes"),
    ("a{b=\n", 1, 5, "expected a label value in quotes"),
    ("a{b} 1\n", 1, 4, "expected = behind the label's name"),
    ("a{=\"c\"} 1\n", 1, 3, "expected the name of a label"),
    ("a{,} 1\n", 1, 3, "expected the name of a label"),
    ("a{b=\"c\",,d=\"e\"} 1\n", 1, 9, "expected the name of a label"),
    ("a{1b=\"c\"} 1\n", 1, 3, "expected the name of a label"),
    ("a{b:c=\"d\"} 1\n", 1, 4, "expected = behind the label's name"),
    ("a{b=\"c\" 1\n", 1, 9, "expected the name of a label"),
    ("a{b=\"c\"", 1, 8, "the labels are not closed"),
    ("a{", 1, 3, "the labels are not closed"),
    ("a{b=\"c", 1, 5, "the label value is not closed"),
    ("a{b=\"c\\", 1, 5, "the label value is not closed"),
    ("a{b=\"c\\\n\"} 1", 1, 5, "the label value is not closed"),
    ("a{b=\"c\",b=\"d\"} 1\n", 1, 1, "the label b is there twice"),
    ("a{b=\"c\",__name__=\"d\"} 1\n", 1, 1, "the label __name__ is there twice"),
    ("a 1\nb{b=\"\",b=\"\"} 1\n", 2, 1, "the label b is there twice"),
    ("{b=\"c\"} 1\n", 1, 1, "the metric has no name"),
    ("{} 1\n", 1, 1, "the metric has no name"),
    ("{\"\"} 1\n", 1, 2, "the metric's name is empty"),
    ("a{\"b\"} 1\n", 1, 3, "the metric already has a name"),
    ("{\"a\",\"b\"} 1\n", 1, 6, "the metric already has a name"),
    ("{\"a\",\"\"=\"b\"} 1\n", 1, 6, "the label's name is empty"),
    ("# HELP \n", 1, 8, "expected the name of a metric"),
    ("# HELP # x\n", 1, 8, "expected the name of a metric"),
    ("# TYPE 1a counter\n", 1, 8, "expected the name of a metric"),
    ("# TYPE \"\" counter\n", 1, 8, "the metric's name is empty"),
    ("# TYPE \"a counter\n", 1, 8, "the label name is not closed"),
    ("# TYPE a\n", 1, 9, "not a type: counter, gauge, histogram, summary or untyped"),
    ("# TYPE a info\n", 1, 10, "not a type: counter, gauge, histogram, summary or untyped"),
    ("\n\n# TYPE a Counter\n", 3, 10, "not a type: counter, gauge, histogram, summary or untyped"),
    ("# TYPE a counter\r\n", 1, 10, "not a type: counter, gauge, histogram, summary or untyped"),
  ]

  @Test(arguments: faults)
  func `a bad line is refused with its place`(text: String, line: Int, column: Int, reason: String) {
    #expect(throws: ExpositionError(line: line, column: column, reason: reason)) { try Self.said(text) }
  }

  static let notUTF8: [(text: [UInt8], column: Int, reason: String)] = [
    (Array("a{b=\"".utf8) + [0xFF] + Array("\"} 1".utf8), 6, "the label value is not UTF-8"),
    (
      Array("a{b=\"long enough for a vector".utf8) + [0xC0, 0x80] + Array("\"} 1".utf8), 30,
      "the label value is not UTF-8"
    ),
    (Array("{\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"} 1".utf8), 3, "the label name is not UTF-8"),
    (Array("# HELP a ".utf8) + [0x80], 10, "the help is not UTF-8"),
  ]

  @Test(arguments: notUTF8)
  func `bytes that are not UTF-8 are refused`(text: [UInt8], column: Int, reason: String) {
    #expect(throws: ExpositionError(line: 1, column: column, reason: reason)) {
      try Said.all(in: text, format: .text)
    }
  }

  @Test func `a name of a label that is not ASCII needs quotes`() {
    #expect(throws: ExpositionError(line: 1, column: 3, reason: "expected the name of a label")) {
      try Self.said("a{é=\"b\"} 1")
    }
  }
}
