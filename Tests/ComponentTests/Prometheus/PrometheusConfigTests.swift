import ConfigSchema
import Foundation
import PrometheusData
import Testing

@testable import Receivers

/// The `prometheus` receiver's YAML: what Prometheus' users write, and what is told of mistakes.
@Suite struct PrometheusConfigTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Golden/prometheus")

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()

  /// Where the jobs in files are while tests run, whatever the folder of the repository.
  static let jobs: Bool = {
    for name in ["jobs", "broken-jobs"] {
      let place = "/tmp/millrace-golden"
      try? FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      try? FileManager.default.removeItem(atPath: "\(place)/\(name)")
      try? FileManager.default.copyItem(
        atPath: folder.appendingPathComponent(name).path, toPath: "\(place)/\(name)")
    }
    return true
  }()

  /// The findings, then the decoded values when there are no errors.
  static func outcome(_ name: String) throws -> String {
    let text = try String(contentsOfFile: folder.appendingPathComponent(name).path, encoding: .utf8)
    var (node, diagnostics) = ConfigLoader.load(
      sources: [.text(text, name: name)], environment: ConfigEnvironment())
    var config: PrometheusReceiverConfig?
    if let node {
      config = ConfigDecoder.decode(
        PrometheusReceiverConfig.self, from: node, path: "receivers.prometheus", diagnostics: &diagnostics)
    }
    var found = diagnostics.render()
    if !found.isEmpty { found += "\n\(diagnostics.summary)\n" }
    if let config, !diagnostics.hasErrors { found += "=== decoded\n\(config.literal.renderYAML())" }
    return found
  }

  /// With `RECORD=1` the expectations are rewritten, and the tests fail so that nobody takes that for a pass.
  @Test(arguments: names)
  func `a golden file gives what is recorded`(name: String) throws {
    #expect(Self.jobs)
    let actual = try Self.outcome("\(name).yaml")
    let expectation = Self.folder.appendingPathComponent("\(name).expected")
    if ProcessInfo.processInfo.environment["RECORD"] == "1" {
      try actual.write(to: expectation, atomically: true, encoding: .utf8)
      Issue.record("recorded \(expectation.lastPathComponent)")
      return
    }
    #expect(actual == (try String(contentsOf: expectation, encoding: .utf8)))
    #expect(name.hasPrefix("bad-") == actual.contains("error["))
    #expect(!actual.contains("hunter2"), "a secret was printed")
  }

  private func jobs(_ yaml: String) throws -> [ScrapeJob] {
    try decoded("config: {\(yaml)}", as: PrometheusReceiverConfig.self).jobs
  }

  @Test func `a job goes by Prometheus' defaults`() throws {
    let job = try #require(try jobs("scrape_configs: [{job_name: a}]").first)
    #expect(job.interval.duration == .seconds(60))
    #expect(job.timeout.duration == .seconds(10))
    #expect(job.metricsPath == "/metrics")
    #expect(job.honorTimestamps && !job.honorLabels && job.enableCompression)
    #expect(job.protocols == [.openMetrics100, .openMetrics001, .text100, .text004])
    #expect(job.fallbackProtocol == .text004)
    #expect(job.http.followRedirects && job.http.enableHTTP2)
    #expect(job.nameValidation == .utf8 && job.nameEscaping == .allowUTF8)
    #expect(job.sampleLimit == 0 && job.bodySizeLimit == 0 && job.targetLimit == 0)
  }

  @Test func `a job takes what global says where it says nothing itself`() throws {
    let jobs = try jobs(
      """
      global: {scrape_interval: 20s, scrape_timeout: 15s, sample_limit: 7, scrape_native_histograms: true,
               metric_name_validation_scheme: legacy, external_labels: {a: b}, extra_scrape_metrics: true},
      scrape_configs: [{job_name: a}, {job_name: b, scrape_interval: 5s, sample_limit: 0,
        scrape_native_histograms: false, extra_scrape_metrics: false, metric_name_validation_scheme: utf8}]
      """)
    #expect(jobs.map(\.interval.duration) == [.seconds(20), .seconds(5)])
    #expect(jobs.map(\.timeout.duration) == [.seconds(15), .seconds(5)])
    #expect(jobs.map(\.sampleLimit) == [7, 0])
    #expect(jobs.map { $0.protocols.first } == [.prometheusProto, .openMetrics100])
    #expect(jobs.map(\.extraScrapeMetrics) == [true, false])
    #expect(jobs.map(\.nameEscaping) == [.underscores, .allowUTF8])
    #expect(jobs[0].externalLabels["a"] == "b")
  }

  @Test func `a dollar is written twice or once in the collector's YAML`() throws {
    let jobs = try jobs(
      """
      scrape_configs: [{job_name: a, relabel_configs: [
        {source_labels: [a], regex: '(.)(.)', target_label: b, replacement: '$$2'},
        {source_labels: [a], regex: '(.)(.)', target_label: c, replacement: '$1'}]}]
      """)
    var labels = LabelSet([Label("a", "xy")])
    #expect(jobs[0].targetRelabeling.apply(&labels))
    #expect(labels["b"] == "y" && labels["c"] == "x")
  }

  @Test func `scrape configurations of files are jobs too`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "a.yml", "scrape_configs: [{job_name: x, relabel_configs: [{target_label: a, replacement: $$1}]}]")
    try folder.write("b.yml", "")
    let jobs = try jobs(
      "global: {scrape_interval: 9s}, scrape_configs: [{job_name: a}], scrape_config_files: ['\(folder.path)/*.yml']"
    )
    #expect(jobs.map(\.name) == ["a", "x"])
    #expect(jobs[1].interval.duration == .seconds(9))
    var labels = LabelSet([Label("q", "1")])
    #expect(jobs[1].targetRelabeling.apply(&labels))
    #expect(labels["a"] == "$1", "references and dollars of such files are data")
  }

  @Test func `a reload sees what changed in files of scrape configurations`() throws {
    let folder = try ScratchFolder()
    let yaml = "config: {scrape_config_files: ['\(folder.path)/a.yml']}"
    func inputs(_ text: String) throws -> [String] {
      try folder.write("a.yml", text)
      return PrometheusReceiver.traits(of: try decoded(yaml, as: PrometheusReceiverConfig.self)).inputs
    }
    #expect(try inputs("scrape_configs: [{job_name: a}]") == ["scrape_configs: [{job_name: a}]"])
    #expect(try inputs("scrape_configs: [{job_name: b}]") == ["scrape_configs: [{job_name: b}]"])
  }

  @Test(arguments: [
    ("1m30s", 90_000), ("0", 0), ("1d", 86_400_000), ("1y", 31_536_000_000), ("2w3d", 1_468_800_000),
    ("500ms", 500), ("1h0m1s", 3_601_000), ("15s", 15_000),
  ])
  func `durations are Prometheus' own`(text: String, milliseconds: Int64) {
    #expect(PrometheusDuration(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    "", "1", "s", "1s1m", "1m1m", "-1s", "1.5s", "1 s", "1S", "1us", "999999999999y", "300y", "m1",
  ])
  func `what is no duration of Prometheus is refused`(text: String) {
    #expect(PrometheusDuration(text) == nil)
  }

  @Test(arguments: [
    (15_000, "15s"), (60_000, "1m"), (90_000, "1m30s"), (86_400_000, "1d"), (90_000_000, "25h"), (0, "0s"),
    (1_500, "1s500ms"), (604_800_000, "1w"), (31_536_000_000, "1y"),
  ])
  func `durations print as Prometheus prints them`(milliseconds: Int64, text: String) {
    #expect(PrometheusDuration(milliseconds: milliseconds).description == text)
    #expect(PrometheusDuration(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: [
    ("10MB", 10_485_760 as Int?), ("1KiB", 1024), ("0", 0), ("1.5MB", 1_572_864), ("512B", 512),
    ("2gb", 2 << 30),
    ("10", nil), ("MB", nil), ("-1MB", nil), ("99999999999EB", nil), ("1.1.1MB", nil), ("", nil),
  ])
  func `sizes are powers of 1024`(text: String, bytes: Int?) {
    #expect(PrometheusByteCount(text)?.bytes == bytes)
  }

  @Test func `TLS settings map to those of the client`() throws {
    let config = try decoded(
      "{ca_file: a, cert: b, key: c, server_name: d, insecure_skip_verify: true, max_version: TLS11}",
      as: PrometheusTLSConfig.self)
    let tls = config.client
    #expect(tls.caFile == "a" && tls.settings.certPEM == "b" && tls.settings.keyPEM.reveal() == "c")
    #expect(tls.serverNameOverride == "d" && tls.insecureSkipVerify)
    #expect(tls.settings.minVersion == .tls11 && tls.settings.maxVersion == .tls11)
    #expect(tls.settings.reloadInterval == .seconds(10))
  }
}
