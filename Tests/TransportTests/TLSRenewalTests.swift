import Foundation
import Testing

@testable import Transport

/// Certificates that change while servers and clients run, and files that cannot be used.
@Suite struct TLSRenewalTests {
  let certificates: TLSTestCertificates

  init() throws { certificates = try #require(TLSTestCertificates.shared, "the openssl command is needed") }

  @Test(arguments: TLSTestKind.allCases)
  func `a renewed certificate is shown to new connections while open ones go on`(
    _ kind: TLSTestKind
  ) async throws {
    let name = "changing-\(kind.rawValue)"
    try certificates.install("server", as: name)
    let log = TLSTestLog()
    let tls = try serverTLS(name) { $0.settings.reloadInterval = .milliseconds(50) }
    let server = try await TLSTestServer(kind, tls, logger: log.logger)
    let client = try TLSTestClient(kind, port: server.port)
    #expect(await client.call() == "ok")
    #expect(server.openConnections == 1)
    let shown = { try certificates.serial(shownBy: server.port, protocol: kind.applicationProtocol) }
    #expect(try shown() == "10")

    // A key that does not fit: what was there stays, and the log says so once.
    try certificates.install("stranger", as: "unfit-\(name)")
    let key = try Data(contentsOf: URL(fileURLWithPath: certificates.path("unfit-\(name).key")))
    try key.write(to: URL(fileURLWithPath: certificates.path("\(name).key")), options: .atomic)
    func complaints() -> Int { log.lines.count { $0.contains("the key does not belong") } }
    try await eventually { complaints() > 0 }
    try await Task.sleep(for: .milliseconds(300))
    #expect(complaints() == 1)
    #expect(try shown() == "10")

    try certificates.install("renewed", as: name)
    try await eventually { try shown() == "11" }
    #expect(await client.call() == "ok")
    // The client's own connection is the one from the start.
    try await eventually { server.openConnections == 1 }
    #expect(log.lines.contains("info TLS certificates were renewed"))
    await client.shutdown()
    await server.stop()
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a client takes up a renewed authority and certificate`(_ kind: TLSTestKind) async throws {
    let name = "client-\(kind.rawValue)"
    try certificates.install("stranger", as: name)
    let tls = try serverTLS("server") { $0.clientCAFile = certificates.path("ca.pem") }
    let server = try await TLSTestServer(kind, tls)
    let client = try TLSTestClient(kind, port: server.port) {
      $0.settings.certFile = certificates.path("\(name).pem")
      $0.settings.keyFile = certificates.path("\(name).key")
      $0.settings.reloadInterval = .milliseconds(50)
    }
    #expect(await client.call().contains("does not trust our certificate"))
    try certificates.install("client", as: name)
    try await eventually { await client.call() == "ok" }
    await client.shutdown()
    await server.stop()
  }

  @Test(arguments: TLSTestKind.allCases)
  func `without an interval the files are read once`(_ kind: TLSTestKind) async throws {
    let name = "fixed-\(kind.rawValue)"
    try certificates.install("server", as: name)
    let server = try await TLSTestServer(kind, serverTLS(name))
    try certificates.install("renewed", as: name)
    try await Task.sleep(for: .milliseconds(200))
    #expect(try certificates.serial(shownBy: server.port, protocol: kind.applicationProtocol) == "10")
    await server.stop()
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a server with files that cannot be used says which and why`(_ kind: TLSTestKind) async throws {
    try "nonsense".write(toFile: certificates.path("nonsense.pem"), atomically: true, encoding: .utf8)
    try certificates.openssl(
      "pkey", "-in", certificates.path("server.key"), "-aes256", "-passout", "pass:x", "-out",
      certificates.path("encrypted-\(kind.rawValue).key"))
    func start(_ configure: (inout ServerTLSConfig) -> Void) async throws -> String {
      do {
        let server = try await TLSTestServer(kind, serverTLS("server", configure))
        await server.stop()
        return "started"
      } catch let error as TLSFileError {
        return error.description
      }
    }
    let missing = try await start { $0.settings.certFile = "/nowhere/x.pem" }
    #expect(missing == "tls.cert_file /nowhere/x.pem: no such file or directory")
    let nonsense = try await start { $0.settings.certFile = certificates.path("nonsense.pem") }
    #expect(nonsense.contains("cert_file") && nonsense.contains("not a certificate in PEM"), "\(nonsense)")
    let noKey = try await start { $0.settings.keyFile = certificates.path("nonsense.pem") }
    #expect(noKey.contains("key_file") && noKey.contains("not a private key in PEM"), "\(noKey)")
    let other = try await start { $0.settings.keyFile = certificates.path("client.key") }
    #expect(other.contains("key_file") && other.contains("does not belong to the certificate"), "\(other)")
    let encrypted = try await start {
      $0.settings.keyFile = certificates.path("encrypted-\(kind.rawValue).key")
    }
    #expect(encrypted.contains("the key is encrypted"), "\(encrypted)")
    let authority = try await start { $0.clientCAFile = certificates.path("server.key") }
    #expect(authority.contains("client_ca_file") && authority.contains("not a certificate"), "\(authority)")
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a client with files that cannot be used says so before and at its calls`(
    _ kind: TLSTestKind
  ) async throws {
    let client = try TLSTestClient(kind, port: 1) { $0.caFile = "/nowhere/ca.pem" }
    await #expect(
      throws: TLSFileError(key: "ca_file", path: "/nowhere/ca.pem", reason: "no such file or directory")
    ) {
      try await client.prepare()
    }
    let answer = await client.call()
    #expect(answer.contains("tls.ca_file /nowhere/ca.pem: no such file"), "\(answer)")
    await client.shutdown()
    let mixed = try TLSTestClient(kind, port: 1) {
      $0.settings.certFile = certificates.path("client.pem")
      $0.settings.keyFile = certificates.path("server.key")
    }
    await #expect(throws: TLSFileError.self) { try await mixed.prepare() }
    await mixed.shutdown()
  }
}
