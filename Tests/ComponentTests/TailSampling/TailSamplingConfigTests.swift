import ConfigSchema
import Testing

@testable import Processors

@Suite struct TailSamplingConfigTests {
  private static let policies = "policies: [{name: a, type: always_sample}]"

  @Test func `the defaults are the Collector's`() throws {
    let config = try #require(SamplingRun.decode(Self.policies).0)
    #expect(config.decisionWait == .seconds(30))
    #expect(config.waitAfterRoot == .zero)
    #expect(config.traces == 50_000)
    #expect(config.decisionCache.sampled == 0 && config.decisionCache.notSampled == 0)
    #expect(!config.samplesOnFirstMatch && !config.dropsPendingOnShutdown)
    #expect(config.maximumTraceBytes == 0)
  }

  /// Settings that are refused, and what the message says.
  static let mistakes: [(String, String)] = [
    ("decision_wait: 5s", "policies"),
    ("policies: []", "must not be empty"),
    ("policies: [{name: a, type: latncy}]", "did you mean \"latency\"?"),
    ("policies: [{name: \"\", type: always_sample}]", "must not be empty"),
    ("policies: [{name: a, type: latency}]", "the section latency is missing"),
    ("policies: [{name: a, type: always_sample, latency: {threshold_ms: 5}}]", "belongs to another type"),
    (
      "policies: [{name: a, type: always_sample}, {name: a, type: trace_flags}]",
      "two policies are called \"a\""
    ),
    ("policies: [{name: a, type: ottl_condition, ottl_condition: {span: [\"true\"]}}]", "not supported"),
    ("policies: [{name: a, type: ottl_condition}]", "ottl_condition is not supported"),
    (policies + ", block_on_overflow: true", "\"block_on_overflow\" is not supported"),
    (policies + ", tail_storage: file", "\"tail_storage\" is not supported"),
    (policies + ", sampling_strategy: span-ingest", "span-ingest is not supported"),
    (policies + ", num_traces: 0", "must be from 1"),
    (policies + ", decision_wait: -1s", "must be at least 0s"),
    (
      "policies: [{name: a, type: latency, latency: {threshold_ms: 5, upper_threshold_ms: 5}}]",
      "above threshold_ms"
    ),
    (
      "policies: [{name: a, type: numeric_attribute, numeric_attribute: {key: k}}]",
      "min_value or max_value is needed"
    ),
    (
      "policies: [{name: a, type: numeric_attribute, numeric_attribute: {key: k, min_value: 5, max_value: 4}}]",
      "must be at least min_value"
    ),
    (
      "policies: [{name: a, type: status_code, status_code: {status_codes: [FAILED]}}]",
      "one of OK, ERROR, UNSET"
    ),
    (
      "policies: [{name: a, type: string_attribute, string_attribute: {key: k, values: [\"a(\"], "
        + "enabled_regex_matching: true}}]", "is not a regular expression of RE2"
    ),
    ("policies: [{name: a, type: and, and: {and_sub_policy: [{name: b, type: drop}]}}]", "cannot stand here"),
    (
      "policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 5, policy_order: [x], "
        + "composite_sub_policy: [{name: b, type: always_sample}]}}]", "there is no policy \"x\""
    ),
    (
      "policies: [{name: a, type: composite, composite: {max_total_spans_per_second: 5, "
        + "rate_allocation: [{policy: b, percent: 60}, {policy: c, percent: 50}], "
        + "composite_sub_policy: [{name: b, type: always_sample}, {name: c, type: always_sample}]}}]",
      "add up to 110 percent"
    ),
  ]

  @Test(arguments: mistakes)
  func `a mistake is refused with its place and what to do`(settings: String, message: String) {
    let (config, diagnostics) = SamplingRun.decode(settings)
    #expect(config == nil)
    #expect(diagnostics.render().contains(message), "\(diagnostics.render())")
    #expect(diagnostics.all.contains { $0.severity == .error && $0.location != nil })
  }

  @Test func `the Collector's example is accepted`() throws {
    let (config, diagnostics) = SamplingRun.decode(
      """
      decision_wait: 10s, num_traces: 100, expected_new_traces_per_sec: 10,
      decision_cache: {sampled_cache_size: 100_000, non_sampled_cache_size: 100_000}, policies: [
      {name: p1, type: always_sample}, {name: p2, type: latency, latency: {threshold_ms: 5000, upper_threshold_ms: 10000}},
      {name: p3, type: numeric_attribute, numeric_attribute: {key: key1, min_value: 50, max_value: 100}},
      {name: p4, type: probabilistic, probabilistic: {sampling_percentage: 10}},
      {name: p5, type: status_code, status_code: {status_codes: [ERROR, UNSET]}},
      {name: p6, type: string_attribute, string_attribute: {key: key2, values: [value1, value2]}},
      {name: p7, type: string_attribute, string_attribute: {key: key2, values: [value1, val*],
        enabled_regex_matching: true, cache_max_size: 10}},
      {name: p8, type: rate_limiting, rate_limiting: {spans_per_second: 35}},
      {name: p9, type: bytes_limiting, bytes_limiting: {bytes_per_second: 1024000, burst_capacity: 2048000}},
      {name: p10, type: span_count, span_count: {min_spans: 2, max_spans: 20}},
      {name: p11, type: trace_state, trace_state: {key: key3, values: [value1, value2]}},
      {name: p12, type: boolean_attribute, boolean_attribute: {key: key4, value: true}},
      {name: p13, type: trace_flags},
      {name: and1, type: and, and: {and_sub_policy: [
        {name: a1, type: numeric_attribute, numeric_attribute: {key: key1, min_value: 50, max_value: 100}},
        {name: a2, type: string_attribute, string_attribute: {key: key2, values: [value1, value2]}}]}},
      {name: not1, type: not, not: {not_sub_policy: {name: n1, type: always_sample}}},
      {name: drop1, type: drop, drop: {drop_sub_policy: [{name: d1, type: string_attribute,
        string_attribute: {key: url.path, values: [\\/health, \\/metrics], enabled_regex_matching: true}}]}},
      {name: composite1, type: composite, composite: {max_total_spans_per_second: 1000, policy_order: [c1, c2, c3],
        composite_sub_policy: [
          {name: c1, type: numeric_attribute, numeric_attribute: {key: key1, min_value: 50}},
          {name: c2, type: string_attribute, string_attribute: {key: key2, values: [value1, value2]}},
          {name: c3, type: always_sample}],
        rate_allocation: [{policy: c1, percent: 50}, {policy: c2, percent: 25}]}}]
      """)
    #expect(config?.policies.count == 17, "\(diagnostics.render())")
    #expect(!diagnostics.hasErrors)
  }

  @Test func `more conditions than a trace can note are refused`() throws {
    let policies = (0...SpanConditions.most).map {
      "{name: p\($0), type: boolean_attribute, boolean_attribute: {key: k\($0)}}"
    }
    let config = try #require(SamplingRun.decode("policies: [\(policies.joined(separator: ", "))]").0)
    let problem = TailSamplingProcessor.problem(of: config, carrying: [.traces])
    #expect(problem?.contains("more than \(SpanConditions.most) different things") == true)
  }
}
