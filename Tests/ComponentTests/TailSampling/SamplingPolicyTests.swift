import PipelineKit
import PipelineTestKit
import TelemetryData
import Testing

@testable import Processors

@Suite struct SamplingPolicyTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let policies: String
    let spans: [TestSpan]
    let isKept: Bool

    init(_ name: String, _ policies: String, _ isKept: Bool, _ spans: TestSpan...) {
      (testDescription, self.policies, self.isKept, self.spans) = (name, policies, isKept, spans)
    }

    /// A policy of a type with its section.
    static func one(_ type: String, _ section: String) -> String {
      "{name: a, type: \(type), \(type): {\(section)}}"
    }
  }

  private static func attribute(_ value: AnyValue, key: String = "k") -> TestSpan {
    TestSpan(1, attributes: [Attribute(key, value)])
  }
  private static func state(_ header: String) -> TestSpan {
    var span = TestSpan(1)
    span.value.traceState = header
    return span
  }
  private static func flags(_ flags: UInt32) -> TestSpan {
    var span = TestSpan(1)
    span.value.flags = flags
    return span
  }
  private static let range = Case.one("numeric_attribute", "key: k, min_value: 400, max_value: 599")
  private static let notRange = Case.one("numeric_attribute", "key: k, min_value: 400, invert_match: true")
  private static let text = Case.one("string_attribute", "key: k, values: [x, \"\"]")
  private static let regex = Case.one(
    "string_attribute",
    "key: k, values: [\"^/health\", \"s$\"], enabled_regex_matching: true, cache_max_size: 10")
  private static let upper = Case.one("latency", "threshold_ms: 100, upper_threshold_ms: 200")
  private static let member = Case.one("trace_state", "key: k1, values: [v1, v2]")

  static let cases: [Case] = [
    Case(
      "a length at the threshold", Case.one("latency", "threshold_ms: 100"), true, TestSpan(1, length: 100)),
    Case(
      "a length below the threshold", Case.one("latency", "threshold_ms: 100"), false, TestSpan(1, length: 99)
    ),
    Case(
      "the length from the first start to the last end", Case.one("latency", "threshold_ms: 100"), true,
      TestSpan(1, start: 50, length: 1), TestSpan(1, start: 0, length: 1), TestSpan(1, start: 99, length: 1)),
    Case("a length at the lower of two thresholds", upper, false, TestSpan(1, length: 100)),
    Case("a length at the upper threshold", upper, true, TestSpan(1, length: 200)),
    Case(
      "a trace that grew beyond the upper threshold", upper, false, TestSpan(1, length: 150),
      TestSpan(1, length: 201)),
    Case(
      "a span that ends before it starts", Case.one("latency", "threshold_ms: 1"), false,
      TestSpan(1, length: -5)),
    Case("a number in the range", range, true, attribute(.int(599))),
    Case("a number above the range", range, false, attribute(.int(600))),
    Case("a number below the range", range, false, attribute(.int(399))),
    Case("a number as text", range, false, attribute("500")),
    Case("a number with a fraction", range, false, attribute(.double(500))),
    Case("an array of numbers", range, false, attribute(.array([.int(500)]))),
    Case("a number of the resource", range, true, TestSpan(1, resource: ["k": 500])),
    Case(
      "the first of two attributes with a key", range, false, TestSpan(1, attributes: ["k": 1, "k": 500])),
    Case("no such number, inverted", notRange, true, attribute(.int(200))),
    Case("no attribute, inverted", notRange, true, TestSpan(1)),
    Case("such a number, inverted", notRange, false, attribute(.int(400))),
    Case("a text", text, true, attribute("x")),
    Case("another text", text, false, attribute("xy")),
    Case("an empty text is never one of the values", text, false, attribute("")),
    Case("a text of the resource", text, true, TestSpan(1, resource: ["k": "x"])),
    Case("a pattern matches anywhere", regex, true, attribute("/healthz")),
    Case("one of several patterns", regex, true, attribute("/a/s")),
    Case("no pattern", regex, false, attribute("/a")),
    Case(
      "a text, inverted", Case.one("string_attribute", "key: k, values: [x], invert_match: true"), false,
      attribute("x")),
    Case("a boolean", Case.one("boolean_attribute", "key: k, value: true"), true, attribute(true)),
    Case("the other boolean", Case.one("boolean_attribute", "key: k, value: true"), false, attribute(false)),
    Case(
      "a boolean as text", Case.one("boolean_attribute", "key: k, value: false"), false, attribute("false")),
    Case(
      "an error", Case.one("status_code", "status_codes: [OK, ERROR]"), true, TestSpan(1),
      TestSpan(1, status: 2)),
    Case("no status", Case.one("status_code", "status_codes: [UNSET]"), true, TestSpan(1)),
    Case("another status", Case.one("status_code", "status_codes: [UNSET]"), false, TestSpan(1, status: 1)),
    Case(
      "a status nobody knows", Case.one("status_code", "status_codes: [OK]"), false, TestSpan(1, status: 9)),
    Case("few spans", Case.one("span_count", "min_spans: 2"), false, TestSpan(1)),
    Case(
      "enough spans", Case.one("span_count", "min_spans: 2, max_spans: 2"), true, TestSpan(1), TestSpan(1)),
    Case("too many spans", Case.one("span_count", "max_spans: 1"), false, TestSpan(1), TestSpan(1)),
    Case("a member of the trace state", member, true, state("a=b, k1=v2 ,c=d")),
    Case("another value of the member", member, false, state("k1=v3")),
    Case("a trace state with a malformed member", member, false, state("k1=v1,=,")),
    Case("a trace state without equals sign", member, false, state("k1=v1,k2")),
    Case("the sampled flag", "{name: a, type: trace_flags}", true, flags(0x101)),
    Case("other flags", "{name: a, type: trace_flags}", false, flags(0x102)),
    Case("no share at all", Case.one("probabilistic", "sampling_percentage: 0"), false, TestSpan(1)),
    Case("all of a share", Case.one("probabilistic", "sampling_percentage: 100"), true, TestSpan(1)),
    Case(
      "as many spans as the budget holds", Case.one("rate_limiting", "spans_per_second: 1"), true,
      TestSpan(1), TestSpan(1)),
    Case(
      "more spans than the budget holds", Case.one("rate_limiting", "spans_per_second: 5, burst_capacity: 1"),
      false,
      TestSpan(1), TestSpan(1)),
    Case(
      "more bytes than the budget holds", Case.one("bytes_limiting", "bytes_per_second: 20"), false,
      TestSpan(1)),
    Case(
      "few enough bytes", Case.one("bytes_limiting", "bytes_per_second: 1, burst_capacity: 5000"), true,
      TestSpan(1)),
    Case(
      "all of an and",
      "{name: a, type: and, and: {and_sub_policy: [\(text), {name: b, type: always_sample}]}}", true,
      attribute("x")),
    Case(
      "one of an and is missing",
      "{name: a, type: and, and: {and_sub_policy: [{name: b, type: always_sample}, \(text)]}}",
      false, attribute("y")),
    Case(
      "the opposite of a policy", "{name: a, type: not, not: {not_sub_policy: \(text)}}", true, attribute("y")
    ),
    Case(
      "an inverted policy is not turned round", "{name: a, type: not, not: {not_sub_policy: \(notRange)}}",
      true, TestSpan(1)),
    Case(
      "a drop comes before what would keep",
      "{name: b, type: always_sample}, {name: a, type: drop, drop: {drop_sub_policy: [\(text)]}}",
      false, attribute("x")),
    Case(
      "a drop that finds nothing",
      "{name: b, type: always_sample}, {name: a, type: drop, drop: {drop_sub_policy: [\(text)]}}",
      true, attribute("y")),
    Case(
      "an inverted match outweighs what would keep", "{name: b, type: always_sample}, \(notRange)", false,
      attribute(.int(500))),
    Case(
      "an inverted policy does not keep what another refuses", "\(notRange), {name: b, type: trace_flags}",
      false, TestSpan(1)),
  ]

  @Test(arguments: cases)
  func `a policy keeps or drops a trace`(test: Case) async throws {
    let run = SamplingRun("decision_wait: 1s, policies: [\(test.policies)]")
    try await run([.batch(.of(test.spans)), .pause(.seconds(2))])
    #expect(run.kept.count == (test.isKept ? test.spans.count : 0))
    #expect(run.booked(.sampled) == (test.isKept ? 0 : test.spans.count))
  }

  // Hashes and thresholds were computed with Python from the FNV specification and exact fractions.
  @Test(
    arguments: [
      ("", TraceID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10), 0xdbcf_64d5_420f_4cad),
      ("", TraceID(high: 0, low: 1), 0xe195_35ee_d1bb_aa8a),
      ("", TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736), 0xa545_33ba_2e49_70b5),
      ("test-salt", TraceID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10), 0x08ee_52de_da92_3930),
      ("test-salt", TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736), 0xabb7_bd9f_983c_d93c),
    ] as [(String, TraceID, UInt64)])
  func `a trace id is hashed behind the salt`(salt: String, id: TraceID, hash: UInt64) {
    #expect(TraceIDThreshold(percentage: 10, salt: salt).hash(of: id) == hash)
  }

  @Test(
    arguments: [
      (0, 0), (1e-18, 0), (0.1, 0x41_8937_4bc6_a7ef), (1, 0x28f_5c28_f5c2_8f5f), (10, 0x1999_9999_9999_99ff),
      (12.5, 0x1fff_ffff_ffff_ffff), (33.3, 0x553f_7ced_9168_6fff), (50, 0x7fff_ffff_ffff_ffff),
      (66.6, 0xaa7e_f9db_22d0_dfff), (99.9, 0xffbe_76c8_b439_5fff),
      (99.99999999999999, 0xffff_ffff_ffff_f7ff), (100, .max), (150, .max),
    ] as [(Double, UInt64)])
  func `a percentage is a threshold as the Collector rounds it`(percentage: Double, threshold: UInt64) {
    #expect(TraceIDThreshold(percentage: percentage, salt: "").threshold == threshold)
  }

  @Test func `a budget of spans fills up while time goes by`() async throws {
    let run = SamplingRun(
      "decision_wait: 1s, policies: [{name: a, type: rate_limiting, rate_limiting: {spans_per_second: 2}}]")
    // Full with 4: one trace of 3 fits, and 2 s later, with 4 again, the next.
    try await run([
      .batch(.of(TestSpan(1, "a"), TestSpan(1, "a"), TestSpan(1, "a"), TestSpan(2, "b"), TestSpan(2, "b"))),
      .pause(.seconds(2)),
      .batch(.of(TestSpan(3, "c"), TestSpan(3, "c"), TestSpan(3, "c"), TestSpan(3, "c"), TestSpan(4, "d"))),
      .pause(.seconds(2)),
    ])
    #expect(run.kept == ["a", "a", "a", "c", "c", "c", "c"])
  }

  @Test func `the policies of a composite spend from their own parts of the budget in their order`()
    async throws
  {
    let run = SamplingRun(
      """
      decision_wait: 1s, policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 10,
        policy_order: [errors, rest], composite_sub_policy: [{name: rest, type: always_sample},
        {name: errors, type: status_code, status_code: {status_codes: [ERROR]}}],
        rate_allocation: [{policy: errors, percent: 50}, {policy: rest, percent: 20}]}}]
      """)
    let errors = (1...7).map { TestSpan($0, "error", status: 2) }
    let others = (11...14).map { TestSpan($0, "other") }
    try await run([
      .batch(.of(others + errors)), .pause(.seconds(1)), .batch(.of(TestSpan(20, "later"))),
      .pause(.seconds(2)),
    ])
    #expect(run.kept.filter { $0 == "error" }.count == 5)
    #expect(run.kept.filter { $0 == "other" }.count == 2)
    #expect(run.kept.filter { $0 == "later" }.count == 1)
  }

  @Test
  func `a policy without a part of the budget has an equal one and all together no more than the whole`()
    async throws
  {
    let run = SamplingRun(
      """
      decision_wait: 1s, policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 10,
        composite_sub_policy: [{name: errors, type: status_code, status_code: {status_codes: [ERROR]}},
        {name: rest, type: always_sample}], rate_allocation: [{policy: errors, percent: 80}]}}]
      """)
    let errors = (1...9).map { TestSpan($0, "error", status: 2) }
    try await run([.batch(.of(errors + (11...16).map { TestSpan($0, "other") })), .pause(.seconds(1))])
    #expect(run.kept.filter { $0 == "error" }.count == 8)
    #expect(run.kept.filter { $0 == "other" }.count == 2)
  }

  @Test func `attributes of unexpected types are counted for the policy that asks`() async throws {
    let run = SamplingRun("decision_wait: 1s, policies: [\(Self.range)]")
    try await run([
      .batch(.of(Self.attribute("500"), Self.attribute(.empty), Self.attribute(true, key: "other"))),
      .batch(.of(TestSpan(2, resource: ["k": .bytes([5])]))), .pause(.seconds(2)),
    ])
    #expect(run.metric("sampling_policy_evaluation_error", ["policy": "a"]) == 3)
    #expect(run.kept.isEmpty)
  }

  @Test func `the first policy that wants a trace is the last that is asked where that is set`() async throws
  {
    let settings = """
      decision_wait: 1s, policies: [{name: a, type: always_sample}, {name: b, type: rate_limiting,
        rate_limiting: {spans_per_second: 1}}]
      """
    for (isSet, asked) in [(true, 0), (false, 1)] {
      let run = SamplingRun("sample_on_first_match: \(isSet), " + settings)
      try await run([.batch(.of(TestSpan(1))), .pause(.seconds(2))])
      #expect(run.kept.count == 1)
      #expect(run.metric("count_traces_sampled", ["policy": "b"]) == asked)
    }
  }
}
