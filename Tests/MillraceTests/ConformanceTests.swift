import PipelineKit
import PipelineTestKit
import Testing

@testable import Millrace

/// Runs every entry of the catalog through the conformance kit.
@Suite struct ConformanceTests {
  /// The smallest settings each component works with; a new component adds its line here.
  static let settings: [String: String] = [
    "receiver file_log": "{include: [/tmp/millrace-conformance-*.log]}",
    "receiver jaeger":
      "{protocols: {grpc: {endpoint: \"127.0.0.1:0\"}, thrift_http: {endpoint: \"127.0.0.1:0\"}, thrift_compact: {endpoint: \"127.0.0.1:0\"}, thrift_binary: {endpoint: \"127.0.0.1:0\"}}}",
    "receiver journald": "{journalctl_path: \"true\"}",
    "receiver otlp": "{protocols: {grpc: {endpoint: \"127.0.0.1:0\"}, http: {endpoint: \"127.0.0.1:0\"}}}",
    "receiver prometheus":
      "{config: {scrape_configs: [{job_name: a, static_configs: [{targets: [\"127.0.0.1:9\"]}]}]}}",
    "receiver prometheus_remote_write": "{endpoint: \"127.0.0.1:0\"}",
    "receiver stdin": "{}",
    "receiver syslog":
      "{protocol: rfc5424, tcp: {listen_address: \"127.0.0.1:0\"}, udp: {listen_address: \"127.0.0.1:0\"}}",
    "receiver tcp_log": "{listen_address: \"127.0.0.1:0\"}",
    "receiver udp_log": "{listen_address: \"127.0.0.1:0\"}",
    "receiver zipkin": "{endpoint: \"127.0.0.1:0\"}",
    "processor attributes": "{actions: [{key: env, action: upsert, value: test}]}",
    "processor batch": "{}",
    "processor cumulativetodelta": "{initial_value: keep}",
    "processor deltatocumulative": "{}",
    "processor groupbyattrs": "{keys: [service.name]}",
    "processor interval": "{interval: 10ms}",
    "processor log_dedup": "{interval: 10ms}",
    "processor memory_limiter": "{check_interval: 1s, limit_mib: 4000}",
    "processor metrics_transform": "{transforms: [{include: a, action: update, new_name: b}]}",
    "processor probabilistic_sampler": "{sampling_percentage: 100}",
    "processor resource_detection": "{detectors: [env]}",
    "processor resource": "{attributes: [{key: env, action: upsert, value: test}]}",
    "processor tail_sampling": "{decision_wait: 100ms, policies: [{name: all, type: always_sample}]}",
    "exporter debug": "{output_paths: [/dev/null]}",
    "exporter file": "{path: /dev/null}",
    "exporter jaeger":
      "{endpoint: \"127.0.0.1:9\", tls: {insecure: true}, retry_on_failure: {enabled: false}}",
    "exporter jaeger_thrift":
      "{endpoint: \"http://127.0.0.1:9/api/traces\", retry_on_failure: {enabled: false}}",
    "exporter nop": "{}",
    "exporter otlp_grpc":
      "{endpoint: \"127.0.0.1:9\", tls: {insecure: true}, retry_on_failure: {enabled: false}}",
    "exporter otlp_http": "{endpoint: \"http://127.0.0.1:9\", retry_on_failure: {enabled: false}}",
    "exporter prometheus_remote_write":
      "{endpoint: \"http://127.0.0.1:9/api/v1/write\", retry_on_failure: {enabled: false}}",
    "exporter prometheus": "{endpoint: \"127.0.0.1:0\"}",
    "exporter zipkin":
      "{endpoint: \"http://127.0.0.1:9/api/v2/spans\", retry_on_failure: {enabled: false}}",
    "extension file_storage": "{directory: /tmp/millrace-conformance, create_directory: true}",
    "extension basicauth": "{client_auth: {username: a, password: b}}",
    "extension bearertokenauth": "{token: not-a-secret}",
    "extension headers_setter": "{headers: [{key: x-tenant, value: a}]}",
    "extension health_check": "{endpoint: \"127.0.0.1:0\"}",
    "extension oauth2client":
      "{client_id: a, client_secret: b, token_url: \"http://127.0.0.1:9/token\"}",
  ]

  struct Case: Sendable, CustomTestStringConvertible {
    let entry: Catalog.Entry
    var name: String { "\(entry.kind.rawValue) \(entry.descriptor.type)" }
    var testDescription: String { name }
    var conformance: Conformance {
      Conformance(
        entry, settings: ConformanceTests.settings[name] ?? "{}", catalog: Catalog.standard.adding(.testing())
      )
    }
  }
  static let cases = Catalog.standard.entries.map { Case(entry: $0) }

  @Test(arguments: cases)
  func `its configuration is declared, checked and documented`(component: Case) {
    #expect(component.conformance.configurationProblems() == [])
  }

  @Test(arguments: cases)
  func `it starts, stops and starts again`(component: Case) async {
    #expect(await component.conformance.lifecycleProblems() == [])
  }

  @Test(arguments: cases)
  func `every delivery gets one outcome and every item is accounted for`(component: Case) async {
    #expect(await component.conformance.outcomeProblems() == [])
  }

  @Test func `every component of the catalog has its settings here`() {
    #expect(Set(Self.cases.map(\.name)) == Set(Self.settings.keys))
  }
}
