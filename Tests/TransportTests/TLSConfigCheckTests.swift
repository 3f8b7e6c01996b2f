import ConfigSchema
import Testing

@testable import Transport

/// What `check` says about `tls` blocks and about servers without one. It opens no file.
@Suite struct TLSConfigCheckTests {
  struct Case: Sendable {
    var yaml: String
    /// Parts of the one finding; none when the configuration is fine.
    var finding: [String]
  }

  private func findings<Group: ConfigGroup>(_ type: Group.Type, _ yaml: String) throws -> [String] {
    var diagnostics = Diagnostics()
    let source = ConfigSource.text(yaml, name: "test.yaml")
    let root = try #require(ConfigLoader.load(sources: [source], environment: ConfigEnvironment()).0)
    _ = ConfigDecoder.decode(type, from: root, path: "it", diagnostics: &diagnostics)
    return diagnostics.all.map { "\($0.severity.rawValue) \($0.path) \($0.message) \($0.help ?? "")" }
  }

  private func expect(_ findings: [String], _ parts: [String]) {
    #expect(findings.count == (parts.isEmpty ? 0 : 1), "\(findings)")
    for part in parts { #expect(findings.first?.contains(part) == true, "\(findings)") }
  }

  static let clients: [Case] = [
    Case(yaml: "{}", finding: []),
    Case(yaml: "{ca_file: /nowhere, cert_file: /nowhere, key_file: /nowhere}", finding: []),
    Case(yaml: "{min_version: 1.2, max_version: '1.3', reload_interval: 1h}", finding: []),
    Case(yaml: "{cert_file: x}", finding: ["error it.cert_file", "private key"]),
    Case(yaml: "{cert_pem: x}", finding: ["error it.cert_pem", "private key"]),
    Case(yaml: "{key_file: x}", finding: ["error it.key_file", "certificate"]),
    Case(yaml: "{key_pem: x}", finding: ["error it.key_pem", "certificate"]),
    Case(yaml: "{ca_file: x, ca_pem: y}", finding: ["error it.ca_pem", "ca_file is set too"]),
    Case(yaml: "{cert_file: x, cert_pem: y, key_file: z}", finding: ["error it.cert_pem", "cert_file"]),
    Case(yaml: "{cert_file: x, key_pem: y, key_file: z}", finding: ["error it.key_pem", "key_file"]),
    Case(yaml: "{min_version: 1.3, max_version: 1.2}", finding: ["error it.max_version", "older than"]),
    Case(yaml: "{max_version: 1.1}", finding: ["error it.max_version", "1.2"]),
    Case(yaml: "{min_version: 1.4}", finding: ["error it.min_version", "1.0, 1.1, 1.2, 1.3"]),
    Case(yaml: "{min_version: 1.0}", finding: ["warning it.min_version", "insecure"]),
    Case(yaml: "{insecure_skip_verify: true}", finding: ["warning it.insecure_skip_verify", "not verified"]),
    Case(
      yaml: "{cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA255]}",
      finding: ["error it.cipher_suites", "did you mean \"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"?"]),
    Case(
      yaml: "{cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}",
      finding: ["error it.cipher_suites", "include_insecure_cipher_suites"]),
    Case(
      yaml: "{cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA], include_insecure_cipher_suites: true}",
      finding: []),
    Case(
      yaml: "{cipher_suites: [TLS_RSA_WITH_RC4_128_SHA], include_insecure_cipher_suites: true}",
      finding: ["error it.cipher_suites", "not supported"]),
    Case(
      yaml: "{cipher_suites: [TLS_AES_128_GCM_SHA256], max_version: 1.2}",
      finding: ["error it.cipher_suites", "TLS 1.3"]),
    Case(yaml: "{curve_preferences: [X25519, P256]}", finding: []),
    Case(yaml: "{curve_preferences: [P255]}", finding: ["error it.curve_preferences", "P256"]),
    Case(yaml: "{server_name_override: 10.0.0.1}", finding: ["error it.server_name_override", "DNS name"]),
    Case(yaml: "{reload_interval: -1s}", finding: ["error it.reload_interval"]),
    Case(yaml: "{tpm: {enabled: true}}", finding: ["error it.tpm", "key_file"]),
  ]

  @Test(arguments: clients) func `tls of clients is checked`(_ sample: Case) throws {
    expect(try findings(ClientTLSConfig.self, sample.yaml), sample.finding)
  }

  static let servers: [Case] = [
    Case(yaml: "{cert_file: x, key_file: y, client_ca_file: z, client_ca_file_reload: true}", finding: []),
    Case(yaml: "{}", finding: ["error it ", "certificate and its private key"]),
    Case(yaml: "{client_ca_file: z}", finding: ["error it ", "certificate and its private key"]),
    Case(
      yaml: "{cert_file: x, key_file: y, ca_file: z}", finding: ["warning it.ca_file", "client_ca_file"]),
    Case(
      yaml: "{cert_file: x, key_file: y, client_ca_file_reload: true}",
      finding: ["warning it.client_ca_file_reload"]),
    Case(yaml: "{cert_file: x, key_file: y, insecure: true}", finding: ["error it.insecure", "unknown key"]),
  ]

  @Test(arguments: servers) func `tls of servers is checked`(_ sample: Case) throws {
    expect(try findings(ServerTLSConfig.self, sample.yaml), sample.finding)
  }

  static let exposed = ["0.0.0.0:4317", "':4317'", "'[::]:4317'", "10.1.2.3:4317", "collector:4317"]

  @Test(arguments: exposed) func `a listener that others reach in plaintext is warned of`(_ address: String)
    throws
  {
    let bare = address.filter { $0 != "'" }
    let parts = ["warning it.endpoint", "\(bare) is reachable from other machines in plaintext", "`tls`"]
    expect(try findings(GRPCServerConfig.self, "{endpoint: \(address)}"), parts)
    expect(try findings(HTTPServerConfig.self, "{endpoint: \(address)}"), parts)
    let tls = "tls: {cert_file: x, key_file: y}"
    expect(try findings(HTTPServerConfig.self, "{endpoint: \(address), \(tls)}"), [])
    expect(try findings(GRPCServerConfig.self, "{endpoint: \(address), \(tls)}"), [])
  }

  static let local = ["localhost:4317", "127.0.0.1:0", "'127.9.9.9:1'", "'[::1]:4317'", "a.localhost:1"]

  @Test(arguments: local) func `a listener on loopback is not`(_ address: String) throws {
    expect(try findings(GRPCServerConfig.self, "{endpoint: \(address)}"), [])
    expect(try findings(HTTPServerConfig.self, "{endpoint: \(address)}"), [])
    expect(try findings(HTTPServerConfig.self, "{endpoint: /run/a.sock, transport: unix}"), [])
  }
}
