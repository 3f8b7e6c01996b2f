import PrometheusData
import Testing

/// Rules of OpenMetrics 1.0, each with what it allows and what it does not.
struct OpenMetricsReaderTests {
  static func said(_ text: String) throws(ExpositionError) -> [Said] {
    try Said.all(in: Array(text.utf8), format: .openMetrics)
  }

  static let lines: [(text: String, said: [Said])] = [
    ("", []), ("a 1\n", [.sample(SaidSample(["__name__": "a"], 1))]),
    ("a{} 1\n", [.sample(SaidSample(["__name__": "a"], 1))]),
    ("a{b=\"c\",d=\"e\"} 1\n", [.sample(SaidSample(["__name__": "a", "b": "c", "d": "e"], 1))]),
    ("a{b=\"\\\"\\\\\\n\\x\"} 1\n", [.sample(SaidSample(["__name__": "a", "b": "\"\\\n\\x"], 1))]),
    ("{\"a.b\",\"c d\"=\"e\"} 1\n", [.sample(SaidSample(["__name__": "a.b", "c d": "e"], 1))]),
    ("{c=\"e\",\"a.b\"} 1\n", [.sample(SaidSample(["__name__": "a.b", "c": "e"], 1))]),
    ("a{b=\"Grüße\"} 1\n", [.sample(SaidSample(["__name__": "a", "b": "Grüße"], 1))]),
    ("a +Inf\n", [.sample(SaidSample(["__name__": "a"], .infinity))]),
    ("a NaN\n", [.sample(SaidSample(["__name__": "a"], Double(bitPattern: 0x7ff8_0000_0000_0001)))]),
    ("a 1 2\n", [.sample(SaidSample(["__name__": "a"], 1, timestamp: 2000))]),
    ("a 1 1520879607.789\n", [.sample(SaidSample(["__name__": "a"], 1, timestamp: 1_520_879_607_789))]),
    ("a 1 -1.5\n", [.sample(SaidSample(["__name__": "a"], 1, timestamp: -1500))]),
    ("a 1 1.5e3\n", [.sample(SaidSample(["__name__": "a"], 1, timestamp: 1_500_000))]),
    ("# HELP a \n", [.help("a", "")]), ("# HELP a  b \n", [.help("a", " b ")]),
    (#"# HELP a \\ \n \" \x"# + "\n", [.help("a", "\\ \n \" \\x")]),
    ("# HELP \"a.b\" c\n", [.help("a.b", "c")]), ("# UNIT a \n", [.unit("a", "")]),
    ("# UNIT a_seconds seconds\n", [.unit("a_seconds", "seconds")]),
    ("# UNIT \"a.b_bytes\" bytes\n", [.unit("a.b_bytes", "bytes")]),
    ("# TYPE a counter\n", [.type("a", .counter)]), ("# TYPE a gauge\n", [.type("a", .gauge)]),
    ("# TYPE a histogram\n", [.type("a", .histogram)]), ("# TYPE a summary\n", [.type("a", .summary)]),
    ("# TYPE a gaugehistogram\n", [.type("a", .gaugeHistogram)]), ("# TYPE a info\n", [.type("a", .info)]),
    ("# TYPE a stateset\n", [.type("a", .stateSet)]), ("# TYPE a unknown\n", [.type("a", .unknown)]),
    (
      "# HELP a_s x\n# TYPE a_s gauge\n# UNIT a_s s\na_s 1\n# TYPE b_s gauge\n",
      [
        .help("a_s", "x"), .type("a_s", .gauge), .unit("a_s", "s"),
        .sample(SaidSample(["__name__": "a_s"], 1)),
        .type("b_s", .gauge),
      ]
    ),
  ]

  @Test(arguments: lines)
  func `lines are read`(text: String, said: [Said]) throws {
    #expect(try Self.said(text + "# EOF\n") == said)
    #expect(try Self.said(text + "# EOF") == said)
  }

  static let exemplars: [(text: String, exemplar: ExpositionExemplar)] = [
    ("# TYPE a counter\na_total 1 # {} 2\n", ExpositionExemplar(labels: LabelSet(), value: 2)),
    (
      "# TYPE a counter\na_total{x=\"#\"} 1 3 # {trace_id=\"abc\",\"span id\"=\"d\\\"e\"} 0.5 4.25\n",
      ExpositionExemplar(
        labels: LabelSet([Label("trace_id", "abc"), Label("span id", "d\"e")]), value: 0.5, timestamp: 4250)
    ),
    (
      "# TYPE a histogram\na_bucket{le=\"1\"} 1 # {a=\"b\"} 2 -1\n",
      ExpositionExemplar(labels: LabelSet([Label("a", "b")]), value: 2, timestamp: -1000)
    ),
    (
      "# TYPE a gaugehistogram\na_bucket{le=\"1\"} 1 # {a=\"b\"} NaN\n",
      ExpositionExemplar(
        labels: LabelSet([Label("a", "b")]), value: Double(bitPattern: 0x7ff8_0000_0000_0001))
    ),
    (
      "# TYPE \"a.b\" counter\n{\"a.b_total\",x=\"y\"} 1 # {a=\"b\"} 2\n",
      ExpositionExemplar(labels: LabelSet([Label("a", "b")]), value: 2)
    ),
    (
      "# TYPE a counter\na_total 1 # {ab=\"\(String(repeating: "é", count: 126))\"} 2\n",
      ExpositionExemplar(labels: LabelSet([Label("ab", String(repeating: "é", count: 126))]), value: 2)
    ),
  ]

  @Test(arguments: exemplars)
  func `an exemplar is read`(text: String, exemplar: ExpositionExemplar) throws {
    guard case .sample(let sample) = try Self.said(text + "# EOF\n").last else {
      Issue.record("no sample")
      return
    }
    #expect(sample.exemplars.map(\.labels) == [exemplar.labels])
    #expect(sample.exemplars.map(\.value.bitPattern) == [exemplar.value.bitPattern])
    #expect(sample.exemplars.map(\.timestamp) == [exemplar.timestamp])
  }

  @Test func `an exemplar belongs to one sample only`() throws {
    let said = try Self.said("# TYPE a counter\na_total 1 # {a=\"b\"} 2\na_total{x=\"y\"} 1\n# EOF")
    #expect(said.last == .sample(SaidSample(["__name__": "a_total", "x": "y"], 1)))
  }

  static let noExemplar = "an exemplar of what is neither a counter's total nor a histogram's bucket"
  static let noEnd = "expected # EOF before the end"

  static let faults: [(text: String, line: Int, column: Int, reason: String)] = [
    ("", 1, 1, noEnd), ("a 1\n", 2, 1, noEnd), ("a 1", 1, 4, noEnd), ("# HELP a b", 1, 11, noEnd),
    ("# EOF\n\n", 2, 1, "something behind # EOF"), ("# EOFx\n", 1, 6, "something behind # EOF"),
    ("# EOF\r\n", 1, 6, "something behind # EOF"), ("# EOF\na 1\n", 2, 1, "something behind # EOF"),
    ("\n# EOF\n", 1, 1, "an empty line"), ("a 1\n\n# EOF\n", 2, 1, "an empty line"),
    ("# comment\n# EOF\n", 1, 3, "expected HELP, TYPE, UNIT or EOF: OpenMetrics has no comments"),
    ("#HELP a b\n# EOF\n", 1, 2, "expected a space"), ("#\n# EOF\n", 1, 2, "expected a space"),
    ("#  HELP a b\n# EOF\n", 1, 3, "expected HELP, TYPE, UNIT or EOF: OpenMetrics has no comments"),
    ("# HELP\ta b\n# EOF\n", 1, 3, "expected HELP, TYPE, UNIT or EOF: OpenMetrics has no comments"),
    ("# HELP  a b\n# EOF\n", 1, 8, "expected the name of a metric"),
    ("# HELP a\n# EOF\n", 1, 9, "expected a space"), ("# HELP a\tb\n# EOF\n", 1, 9, "expected a space"),
    ("# TYPE a untyped\n# EOF\n", 1, 10, "not a type of OpenMetrics"),
    ("# TYPE a  gauge\n# EOF\n", 1, 10, "not a type of OpenMetrics"),
    ("# TYPE a gauge\r\n# EOF\n", 1, 10, "not a type of OpenMetrics"),
    ("# UNIT a_seconds bytes\n# EOF\n", 1, 18, "the name of the family does not end in its unit"),
    ("# UNIT seconds seconds\n# EOF\n", 1, 16, "the name of the family does not end in its unit"),
    ("# UNIT _seconds seconds\n# EOF\n", 1, 17, "the name of the family does not end in its unit"),
    ("# UNIT aseconds seconds\n# EOF\n", 1, 17, "the name of the family does not end in its unit"),
    ("# TYPE a gauge\n# TYPE a gauge\n# EOF\n", 2, 1, "metadata of one kind twice for a family"),
    ("# HELP a b\n# TYPE a gauge\n# HELP a c\n# EOF\n", 3, 1, "metadata of one kind twice for a family"),
    ("# TYPE a gauge\na 1\n# HELP a b\n# EOF\n", 3, 1, "metadata behind the samples of its family"),
    (" a 1\n# EOF\n", 1, 1, "expected the name of a metric"), ("a  1\n# EOF\n", 1, 3, "expected the value"),
    ("a\t1\n# EOF\n", 1, 2, "expected a space"),
    ("a {} 1\n# EOF\n", 1, 3, "the value is not a number, or too large a one"),
    ("a{}1\n# EOF\n", 1, 4, "expected a space"), ("a 1 \n# EOF\n", 1, 5, "expected the timestamp"),
    ("a 1 1 \n# EOF\n", 1, 7, "expected an exemplar or the end of the line"),
    ("a 1 1 1\n# EOF\n", 1, 7, "expected an exemplar or the end of the line"),
    ("a 1\r\n# EOF\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1 x\n# EOF\n", 1, 5, "the timestamp is not a number, or too large a one"),
    ("a 1 NaN\n# EOF\n", 1, 5, "not a point in time"), ("a 1 +Inf\n# EOF\n", 1, 5, "not a point in time"),
    ("a 1 1e30\n# EOF\n", 1, 5, "not a point in time"),
    ("a{ b=\"c\"} 1\n# EOF\n", 1, 3, "expected the name of a label"),
    ("a{b =\"c\"} 1\n# EOF\n", 1, 4, "expected = behind the label's name"),
    ("a{b= \"c\"} 1\n# EOF\n", 1, 5, "expected a label value in quotes"),
    ("a{b=\"c\" } 1\n# EOF\n", 1, 8, "expected , or } behind the label"),
    ("a{b=\"c\",} 1\n# EOF\n", 1, 9, "expected a label behind the comma"),
    ("a{b=\"c\" d=\"e\"} 1\n# EOF\n", 1, 8, "expected , or } behind the label"),
    ("a{b=\"c\"d=\"e\"} 1\n# EOF\n", 1, 8, "expected , or } behind the label"),
    ("a{b=\"c\nd\"} 1\n# EOF\n", 1, 5, "the label value is not closed"),
    ("a{b=\"c\",b=\"d\"} 1\n# EOF\n", 1, 1, "the label b is there twice"),
    ("{b=\"c\"} 1\n# EOF\n", 1, 1, "the metric has no name"),
    ("a 0x1p3\n# EOF\n", 1, 3, "the value is not a number, or too large a one"),
    ("a 1_000\n# EOF\n", 1, 3, "the value is not a number, or too large a one"),
    // Exemplars.
    ("a 1 # {} 2\n# EOF\n", 1, 5, noExemplar), ("# TYPE a gauge\na 1 # {} 2\n# EOF\n", 2, 5, noExemplar),
    ("# TYPE a counter\na 1 # {} 2\n# EOF\n", 2, 5, noExemplar),
    ("# TYPE a counter\nb_total 1 # {} 2\n# EOF\n", 2, 11, noExemplar),
    ("# TYPE a counter\na_created 1 # {} 2\n# EOF\n", 2, 13, noExemplar),
    ("# TYPE a histogram\na_count 1 # {} 2\n# EOF\n", 2, 11, noExemplar),
    ("# TYPE a summary\na_sum 1 # {} 2\n# EOF\n", 2, 9, noExemplar),
    ("# TYPE a histogram\n# HELP b x\nb_bucket 1 # {} 2\n# EOF\n", 3, 12, noExemplar),
    ("# TYPE a counter\na_total 1 #{} 2\n# EOF\n", 2, 12, "expected a space"),
    ("# TYPE a counter\na_total 1 # 2\n# EOF\n", 2, 13, "expected the labels of an exemplar"),
    ("# TYPE a counter\na_total 1 # {}\n# EOF\n", 2, 15, "expected a space"),
    ("# TYPE a counter\na_total 1 # {} \n# EOF\n", 2, 16, "expected the exemplar's value"),
    (
      "# TYPE a counter\na_total 1 # {} x\n# EOF\n", 2, 16,
      "the exemplar's value is not a number, or too large a one"
    ),
    ("# TYPE a counter\na_total 1 # {} 1 NaN\n# EOF\n", 2, 18, "not a point in time"),
    ("# TYPE a counter\na_total 1 # {} 1 1 1\n# EOF\n", 2, 19, "expected the end of the line"),
    ("# TYPE a counter\na_total 1 # {\"a\"} 1\n# EOF\n", 2, 17, "expected = behind the label's name"),
    ("# TYPE a counter\na_total 1 # {\"\"=\"b\"} 1\n# EOF\n", 2, 14, "the label's name is empty"),
    ("# TYPE a counter\na_total 1 # {a=\"b\",a=\"c\"} 1\n# EOF\n", 2, 13, "the label a is there twice"),
    ("# TYPE a counter\na_total 1 # {} 1", 2, 17, noEnd),
    ("# TYPE a counter\na_total 1 # {", 2, 14, "the labels are not closed"),
    (
      "# TYPE a counter\na_total 1 # {ab=\"\(String(repeating: "é", count: 127))\"} 2\n# EOF\n", 2, 13,
      "the labels of an exemplar are longer than 128 characters"
    ),
  ]

  @Test(arguments: faults)
  func `a bad line is refused with its place`(text: String, line: Int, column: Int, reason: String) {
    #expect(throws: ExpositionError(line: line, column: column, reason: reason)) { try Self.said(text) }
  }

  @Test func `the end is said as often as it is asked for`() throws {
    for text in ["a 1\n# EOF\n", "a 1\n# EOF"] {
      let bytes = Array(text.utf8)
      var reader = OpenMetricsReader(bytes.span)
      _ = try reader.next()
      for _ in 0..<3 {
        guard case .end = try reader.next() else {
          Issue.record("no end")
          return
        }
      }
    }
  }
}
