import ConfigSchema
import Testing

@testable import Transport

struct ClientConfigCheckTests {
  private func read<Group: ConfigGroup>(_ type: Group.Type, _ yaml: String) -> (Group?, [String]) {
    var diagnostics = Diagnostics()
    let source = ConfigSource.text(yaml, name: "test.yaml")
    guard let root = ConfigLoader.load(sources: [source], environment: ConfigEnvironment()).0 else {
      return (nil, ["not readable"])
    }
    let group = ConfigDecoder.decode(type, from: root, path: "it", diagnostics: &diagnostics)
    return (
      group, diagnostics.all.map { "\($0.severity.rawValue) \($0.path) \($0.message) \($0.help ?? "")" }
    )
  }

  struct Case: Sendable {
    var yaml: String
    /// Parts of the one finding; none when the configuration is fine.
    var finding: [String]
  }

  static let grpc: [Case] = [
    Case(yaml: "{endpoint: 'a:1', tls: {insecure: true}}", finding: []),
    Case(yaml: "{endpoint: 'unix:///run/a.sock', tls: {insecure: true}}", finding: []),
    Case(yaml: "{endpoint: 'a:1'}", finding: []),
    Case(yaml: "{endpoint: 'https://a:1'}", finding: []),
    Case(yaml: "{endpoint: 'http://a:1', tls: {insecure: true}}", finding: []),
    Case(yaml: "{endpoint: 'http://a:1'}", finding: ["note it.endpoint", "insecure: true"]),
    Case(yaml: "{endpoint: 'http://a:1', tls: {ca_file: x}}", finding: ["error it.endpoint", "plaintext"]),
    Case(
      yaml: "{endpoint: 'https://a:1', tls: {insecure: true}}",
      finding: ["warning it.tls.insecure", "https"]),
    Case(yaml: "{endpoint: a, tls: {insecure: true}}", finding: ["error it.endpoint", "host:port"]),
    Case(yaml: "{tls: {insecure: true}}", finding: ["error it.endpoint", "must be set"]),
    Case(
      yaml: "{endpoint: 'a:1', tls: {insecure: true, ca_file: x}}",
      finding: ["warning it.tls.insecure", "ca_file"]),
    Case(
      yaml: "{endpoint: 'a:1', tls: {insecure: true}, compression: lz4}", finding: ["error it.compression"]),
    Case(
      yaml: "{endpoint: 'a:1', tls: {insecure: true}, headers: {grpc-status: x}}",
      finding: ["error it.headers", "reserved"]),
    Case(
      yaml: "{endpoint: 'a:1', tls: {insecure: true}, balancer_name: round_robin}",
      finding: ["note it.balancer_name", "one connection"]),
    Case(
      yaml: "{endpoint: 'a:1', tls: {insecure: true}, read_buffer_size: 1}",
      finding: ["note it.read_buffer_size"]),
    Case(
      yaml: "{endpoint: 'a:1', tls: {insecure: true}, auth: {authenticator: x}}",
      finding: ["warning it.auth", "in plaintext"]),
    Case(yaml: "{endpoint: 'a:1', auth: {authenticator: x}}", finding: []),
    Case(yaml: "{endpoint: 'localhost:1', tls: {insecure: true}, auth: {authenticator: x}}", finding: []),
  ]

  @Test(arguments: grpc) func `gRPC settings are checked`(_ sample: Case) {
    let (config, findings) = read(GRPCClientConfig.self, sample.yaml)
    expect(findings, sample)
    #expect((config == nil) == (sample.finding.first?.hasPrefix("error") ?? false))
  }

  static let http: [Case] = [
    Case(yaml: "{endpoint: 'https://a/b', compression: zstd, compression_params: {level: 11}}", finding: []),
    Case(yaml: "{compression: ''}", finding: []),
    Case(yaml: "{compression: gzip, compression_params: {level: -1}}", finding: []),
    Case(yaml: "{endpoint: 'a:4318'}", finding: ["error it.endpoint", "scheme"]),
    Case(
      yaml: "{compression: gzip, compression_params: {level: 11}}",
      finding: ["error it.compression_params.level", "gzip"]),
    Case(
      yaml: "{compression: snappy, compression_params: {level: 1}}",
      finding: ["error it.compression_params.level", "no levels"]),
    Case(
      yaml: "{endpoint: 'http://a/b', tls: {ca_file: x}}", finding: ["warning it.tls", "begins with http://"]),
    Case(yaml: "{endpoint: 'http://a/b', tls: {insecure: true}}", finding: []),
    Case(
      yaml: "{endpoint: 'https://a/b', tls: {insecure: true}}",
      finding: ["warning it.tls.insecure", "begins with https://"]),
    Case(
      yaml: "{endpoint: 'http://a/b', auth: {authenticator: x}}",
      finding: ["warning it.auth", "in plaintext"]),
    Case(yaml: "{endpoint: 'https://a/b', auth: {authenticator: x}}", finding: []),
    Case(yaml: "{endpoint: 'http://127.0.0.1:1/b', auth: {authenticator: x}}", finding: []),
    Case(yaml: "{compression: lz4}", finding: ["error it.compression"]),
    Case(yaml: "{proxy_url: 'socks5://a:1'}", finding: ["error it.proxy_url"]),
    Case(yaml: "{headers: {'a b': x}}", finding: ["error it.headers", "header name"]),
    Case(yaml: "{cookies: {enabled: true}}", finding: ["error it.cookies"]),
    Case(yaml: "{max_idle_conns: 10}", finding: ["note it.max_idle_conns"]),
    Case(yaml: "{timeout: -1s}", finding: ["error it.timeout"]),
  ]

  @Test(arguments: http) func `HTTP settings are checked`(_ sample: Case) {
    let (config, findings) = read(HTTPClientConfig.self, sample.yaml)
    expect(findings, sample)
    #expect((config == nil) == (sample.finding.first?.hasPrefix("error") ?? false))
  }

  @Test func `defaults are the Collector's, and null keepalive keeps them`() {
    let (config, _) = read(GRPCClientConfig.self, "{endpoint: 'a:1', tls: {insecure: true}, keepalive: }")
    #expect(config?.keepalive?.time == .seconds(10))
    #expect(config?.keepalive?.timeout == .seconds(10))
    #expect(config?.keepalive?.permitWithoutStream == false)
    #expect(HTTPClientConfig().idleConnectionTimeout == .seconds(90))
  }

  private func expect(_ findings: [String], _ sample: Case) {
    #expect(findings.count == (sample.finding.isEmpty ? 0 : 1), "\(findings)")
    for part in sample.finding { #expect(findings.first?.contains(part) == true, "\(findings)") }
  }
}
