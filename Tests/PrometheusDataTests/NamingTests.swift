import TelemetryData
import Testing

@testable import PrometheusData

@Suite struct NamingTests {
  struct NameCase: Sendable, CustomTestStringConvertible {
    let name: String
    let unit: String
    let kind: MetricNameKind
    let expected: String?
    init(_ name: String, _ unit: String = "", _ kind: MetricNameKind = .other, _ expected: String?) {
      (self.name, self.unit, self.kind, self.expected) = (name, unit, kind, expected)
    }
    var testDescription: String { "\(name) [\(unit)] \(kind)" }
  }

  static let suffixed = [
    NameCase("http.server.duration", "ms", .other, "http_server_duration_milliseconds"),
    NameCase("http.server.request.duration", "s", .other, "http_server_request_duration_seconds"),
    NameCase("duration_seconds", "s", .other, "duration_seconds"),
    NameCase("system.io", "By", .counter, "system_io_bytes_total"),
    NameCase("bytes.sent", "By", .counter, "bytes_sent_total"),
    NameCase("requests_total", "", .counter, "requests_total"),
    NameCase("total.requests", "", .counter, "requests_total"),
    NameCase("total", "", .counter, "total"),
    NameCase("system.cpu.utilization", "1", .gauge, "system_cpu_utilization_ratio"),
    NameCase("cache.ratio", "1", .gauge, "cache_ratio"),
    NameCase("ratio.of.hits", "1", .gauge, "of_hits_ratio"),
    NameCase("objects", "1", .counter, "objects_total"),
    NameCase("queue.size", "{packets}", .gauge, "queue_size"),
    NameCase("packets", "{packet}/s", .gauge, "packets_per_second"),
    NameCase("speed", "m/s", .gauge, "speed_meters_per_second"),
    NameCase("speed", "km/h", .gauge, "speed_km_per_hour"),
    NameCase("rate.per_second", "By/s", .gauge, "rate_per_second_bytes"),
    NameCase("growth", "By/m", .gauge, "growth_bytes_per_minute"),
    NameCase("payload", "By{compressed}", .gauge, "payload_bytes"),
    NameCase("usage", "%", .gauge, "usage_percent"),
    NameCase("temperature", "Cel", .gauge, "temperature_celsius"),
    NameCase("memory", "MiBy", .gauge, "memory_mebibytes"),
    NameCase("odd", "[x]-y", .gauge, "odd_x_y"),
    NameCase("a..b--c", "", .gauge, "a_b_c"),
    NameCase("a__b", "", .gauge, "a_b"),
    NameCase("_leading_", "", .gauge, "leading"),
    NameCase("9lives", "", .gauge, "_9lives"),
    NameCase("rule:name", "", .gauge, "rule:name"),
    NameCase("größe", "", .gauge, "gr_e"),
    NameCase("...", "", .gauge, nil),
    NameCase("", "", .gauge, nil),
  ]

  @Test(arguments: suffixed)
  func `names get units and types`(sample: NameCase) {
    #expect(MetricNaming.name(sample.name, unit: sample.unit, kind: sample.kind) == sample.expected)
  }

  static let bare = [
    NameCase("http.server.duration", "ms", .other, "http_server_duration"),
    NameCase("requests", "", .counter, "requests"),
    NameCase("a__b", "", .gauge, "a__b"),
    NameCase("a..b", "", .gauge, "a_b"),
    NameCase(".a.", "", .gauge, "a"),
    NameCase("9lives", "", .gauge, "_9lives"),
  ]

  @Test(arguments: bare)
  func `without suffixes only characters are replaced`(sample: NameCase) {
    let name = MetricNaming.name(
      sample.name, unit: sample.unit, kind: sample.kind, strategy: .underscoreEscapingWithoutSuffixes)
    #expect(name == sample.expected)
  }

  @Test func `names with every character keep them`() {
    func name(_ strategy: TranslationStrategy) -> String? {
      MetricNaming.name("http.größe", unit: "By", kind: .counter, strategy: strategy)
    }
    #expect(name(.noTranslation) == "http.größe")
    #expect(name(.noUTF8EscapingWithSuffixes) == "http.größe_bytes_total")
  }

  @Test func `a namespace goes in front`() {
    #expect(MetricNaming.name("up.time", unit: "s", namespace: "my-app") == "my_app_up_time_seconds")
    #expect(MetricNaming.name("9lives", namespace: "cat") == "cat_9lives")
  }

  @Test func `a name that comes from Prometheus stays as it is`() {
    for name in ["a__b", "_x", "foo_count_total_x", "node_vmstat_pgfault"] {
      #expect(MetricNaming.name(name, unit: "s", kind: .counter, isOriginal: true) == name)
    }
    #expect(MetricNaming.name("with.dot", kind: .counter, isOriginal: true) == "with_dot")
  }

  @Test(arguments: [
    ("http.method", "http_method"), ("a", "a"), ("_a", "_a"), ("__a__", "__a__"), ("a__b", "a__b"),
    ("1st", "key_1st"), (".a", "key_a"), ("a..b", "a_b"), ("a-b.c", "a_b_c"), ("__a.b__", "__a_b_"),
    ("ключ", "key_"), ("a:b", "a_b"), ("_a.b", "key_a_b"),
  ])
  func `keys become label names`(key: String, expected: String) {
    #expect(LabelNaming.name(key) == expected)
  }

  @Test func `names of labels keep every character where that is asked for`() {
    #expect(LabelNaming.name("ключ.a", escapes: false) == "ключ.a")
    #expect(LabelNaming.name("") == nil)
  }

  @Test(arguments: [
    (0.5, "0.5"), (1, "1.0"), (0, "0.0"), (-1, "-1.0"), (10, "10.0"), (100_000, "100000.0"),
    (1_000_000, "1e+06"),
    (2_500_000, "2.5e+06"), (0.0001, "0.0001"), (0.00001, "1e-05"), (0.005, "0.005"), (1e21, "1e+21"),
    (1e100, "1e+100"), (0.99, "0.99"), (123_456.789, "123456.789"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
  ])
  func `bounds are written as Prometheus 3 writes them`(value: Double, expected: String) {
    var text: [UInt8] = []
    ExpositionFloat.append(value, to: &text)
    #expect(String(decoding: text, as: UTF8.self) == expected)
  }

  @Test(arguments: [
    (0.5, "0.5"), (1, "1"), (1_000_000, "1000000"), (1e21, "1e+21"), (0.000001, "0.000001"), (1e-7, "1e-7"),
    (-2.25, "-2.25"), (1e20, "100000000000000000000"),
  ])
  func `attributes of type double are written without much ado`(value: Double, expected: String) {
    var text: [UInt8] = []
    AttributeFloat.append(value, to: &text)
    #expect(String(decoding: text, as: UTF8.self) == expected)
  }
}
