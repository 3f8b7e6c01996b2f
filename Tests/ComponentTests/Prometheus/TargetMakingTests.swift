import ConfigSchema
import NativeCodecs
import PrometheusData
import Testing

@testable import Receivers

/// From what discovery finds to what is scraped.
@Suite struct TargetMakingTests {
  private func make(_ job: String, _ groups: [TargetGroup]? = nil) throws -> TargetMaking.Result {
    let config = try decoded("config: {scrape_configs: [\(job)]}", as: PrometheusReceiverConfig.self)
    let job = try #require(config.jobs.first)
    return TargetMaking(job).targets(of: groups ?? job.discovery.fixed.map { TargetGroup($0) })
  }

  private func labels(_ pairs: [String: String]) -> LabelSet {
    LabelSet(pairs.map { Label($0.key, $0.value) })
  }

  @Test func `a static target has job and instance, and no internal label`() throws {
    let result = try make(
      "{job_name: a, static_configs: [{targets: ['h:1', g], labels: {env: x, __tmp: y}}]}")
    #expect(result.problems.isEmpty)
    let targets = result.found.targets
    #expect(targets.map(\.url) == ["http://h:1/metrics", "http://g/metrics"])
    #expect(targets[0].labels == labels(["job": "a", "instance": "h:1", "env": "x"]))
    #expect(targets[1].labels["instance"] == "g", "no port is made up")
    #expect(targets[0].interval == .seconds(60) && targets[0].timeout == .seconds(10))
  }

  @Test func `relabeling changes address, scheme, path, parameters and times`() throws {
    let result = try make(
      """
      {job_name: probe, metrics_path: /probe, params: {module: [a, 'b c'], x: [y]},
       static_configs: [{targets: ['https://site/?q=1']}],
       relabel_configs: [
         {source_labels: [__address__], target_label: __param_target},
         {source_labels: [__param_target], target_label: instance},
         {target_label: __address__, replacement: 'exporter:9115'},
         {target_label: __scheme__, replacement: https},
         {target_label: __scrape_interval__, replacement: 1d},
         {target_label: __scrape_timeout__, replacement: 20s},
         {target_label: __param_module, replacement: m},
         {target_label: __metrics_path__, replacement: 'a b?c'}]}
      """, [TargetGroup(addresses: ["https://site/?q=1"], labels: LabelSet())])
    #expect(result.problems.isEmpty)
    let target = try #require(result.found.targets.first)
    #expect(
      target.url
        == "https://exporter:9115/a%20b%3Fc?module=m&module=b+c&target=https%3A%2F%2Fsite%2F%3Fq%3D1&x=y")
    #expect(target.labels == labels(["job": "probe", "instance": "https://site/?q=1"]))
    #expect(target.interval == .seconds(86_400) && target.timeout == .seconds(20))
  }

  @Test func `labels of a target win over those of its group, and these over the job's`() throws {
    let group = TargetGroup(
      targets: [labels(["__address__": "h:1", "a": "target"])],
      labels: labels(["a": "group", "b": "group", "job": "group", "__metrics_path__": "/group"]))
    let target = try #require(try make("{job_name: a}", [group]).found.targets.first)
    #expect(target.url == "http://h:1/group")
    #expect(target.labels == labels(["a": "target", "b": "group", "job": "group", "instance": "h:1"]))
  }

  @Test func `dropped and equal targets are counted once`() throws {
    let result = try make(
      """
      {job_name: a, static_configs: [{targets: [x, y, y, z]}],
       relabel_configs: [{action: drop, source_labels: [__address__], regex: z}]}
      """)
    #expect(result.found.targets.map(\.url) == ["http://x/metrics", "http://y/metrics"])
    #expect(result.found.droppedCount == 1)
    #expect(result.problems.isEmpty)
  }

  @Test func `more targets than the limit fail all of them`() throws {
    let result = try make("{job_name: a, target_limit: 1, static_configs: [{targets: [x, y]}]}")
    #expect(result.found.targets.count == 2)
    #expect(result.found.failure == "target_limit exceeded (number of targets: 2, limit: 1)")
    #expect(
      try make("{job_name: a, target_limit: 2, static_configs: [{targets: [x, y]}]}").found.failure == nil)
  }

  @Test(arguments: [
    ("__address__", "", "no address"), ("__address__", "a/b", "slash"), ("__address__", "a b", "space"),
    ("__scheme__", "ftp", "scheme"), ("__scrape_interval__", "0s", "__scrape_interval__"),
    ("__scrape_interval__", "5x", "__scrape_interval__"), ("__scrape_timeout__", "", "__scrape_timeout__"),
    ("__scrape_timeout__", "2h", "longer than the interval"),
  ])
  func `a target that cannot be scraped is a problem of its own`(label: String, value: String, reason: String)
    throws
  {
    let result = try make(
      """
      {job_name: a, static_configs: [{targets: [good, bad]}],
       relabel_configs: [{source_labels: [__address__], regex: bad, target_label: \(label), replacement: '\(value)'}]}
      """)
    #expect(result.found.targets.map(\.url) == ["http://good/metrics"])
    #expect(result.problems.count == 1)
    #expect(result.problems.first?.contains(reason) == true, "\(result.problems)")
  }

  @Test(arguments: [
    (
      "SRV", DNSLookup.Record.service(target: "one.example", port: 8080),
      [
        "__address__": "one.example:8080", "__meta_dns_srv_record_target": "one.example.",
        "__meta_dns_srv_record_port": "8080",
      ]
    ),
    ("A", .address([10, 0, 0, 1]), ["__address__": "10.0.0.1:9100"]),
    ("AAAA", .address([UInt8](repeating: 0, count: 15) + [1]), ["__address__": "[::1]:9100"]),
    ("MX", .name("mx.a"), ["__address__": "mx.a:9100", "__meta_dns_mx_record_target": "mx.a."]),
    ("ns", .name("ns.a"), ["__address__": "ns.a:9100", "__meta_dns_ns_record_target": "ns.a."]),
  ])
  func `records of DNS are targets`(type: String, record: DNSLookup.Record, expected: [String: String]) throws
  {
    let config = try decoded("{names: [a.b], type: \(type), port: 9100}", as: DNSDiscoveryConfig.self)
    let found = DNSTargets(config).labels(of: record, name: "a.b")
    #expect(found == labels(expected.merging(["__meta_dns_name": "a.b"]) { first, _ in first }))
  }
}
