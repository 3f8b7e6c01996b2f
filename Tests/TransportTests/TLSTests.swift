import Testing

@testable import Transport

/// TLS between our servers and our clients, with certificates of an authority of our own.
@Suite struct TLSTests {
  let certificates: TLSTestCertificates

  init() throws { certificates = try #require(TLSTestCertificates.shared, "the openssl command is needed") }

  private func withServer(
    _ kind: TLSTestKind, _ tls: ServerTLSConfig?, _ body: (TLSTestServer) async throws -> Void
  ) async throws {
    let server = try await TLSTestServer(kind, tls)
    do {
      try await body(server)
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a client that trusts the authority is served`(_ kind: TLSTestKind) async throws {
    try await withServer(kind, serverTLS("server")) { server in
      let client = try TLSTestClient(kind, port: server.port)
      try await client.prepare()
      #expect(await client.call() == "ok")
      #expect(await client.call([UInt8](repeating: 7, count: 3_000_000)) == "ok")
      await client.shutdown()
      #expect(try await callOnce(kind, port: server.port, host: "127.0.0.1") == "ok")
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `certificates may stand in the configuration itself`(_ kind: TLSTestKind) async throws {
    var tls = ServerTLSConfig()
    tls.settings.certPEM = try certificates.text("server.pem")
    tls.settings.keyPEM = .init(try certificates.text("server.key"))
    try await withServer(kind, tls) { server in
      let authority = try certificates.text("ca.pem")
      let answer = try await callOnce(kind, port: server.port) {
        $0.caFile = ""
        $0.caPEM = authority
      }
      #expect(answer == "ok")
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a certificate of an unknown authority is refused`(_ kind: TLSTestKind) async throws {
    try await withServer(kind, serverTLS("server")) { server in
      let answer = try await callOnce(kind, port: server.port) {
        $0.caFile = certificates.path("other.pem")
      }
      #expect(answer.contains("unknown authority") && answer.contains("tls.ca_file"), "\(answer)")
      #expect(answer.contains("cannot connect to"), "\(answer)")
      let system = try await callOnce(kind, port: server.port) { $0.caFile = "" }
      #expect(system.contains("authority") || system.contains("CA certificates"), "\(system)")
      let both = try await callOnce(kind, port: server.port) { $0.insecureSkipVerify = true }
      #expect(both == "ok")
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `an expired certificate is refused, and the server starts with it`(_ kind: TLSTestKind) async throws {
    let log = TLSTestLog()
    let server = try await TLSTestServer(kind, serverTLS("expired"), logger: log.logger)
    let answer = try await callOnce(kind, port: server.port)
    #expect(answer.contains("it expired on"), "\(answer)")
    #expect(log.lines.contains { $0.hasPrefix("warning the certificate of this server is out of date") })
    await server.stop()
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a certificate for another host is refused unless its name is asked for`(
    _ kind: TLSTestKind
  ) async throws {
    try await withServer(kind, serverTLS("elsewhere")) { server in
      for host in ["localhost", "127.0.0.1"] {
        let answer = try await callOnce(kind, port: server.port, host: host)
        #expect(answer.contains("another host"), "\(answer)")
        #expect(answer.contains("tls.server_name_override"), "\(answer)")
        let named = try await callOnce(kind, port: server.port, host: host) {
          $0.serverNameOverride = "elsewhere.test"
        }
        #expect(named == "ok")
      }
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `a server may require certificates of its clients`(_ kind: TLSTestKind) async throws {
    let tls = try serverTLS("server") { $0.clientCAFile = certificates.path("ca.pem") }
    try await withServer(kind, tls) { server in
      for version in [TLSVersionName.tls12, .tls13] {
        func answer(_ name: String?) async throws -> String {
          try await callOnce(kind, port: server.port) {
            $0.settings.maxVersion = version
            $0.settings.certFile = name.map { certificates.path("\($0).pem") } ?? ""
            $0.settings.keyFile = name.map { certificates.path("\($0).key") } ?? ""
          }
        }
        #expect(try await answer("client") == "ok")
        let missing = try await answer(nil)
        #expect(missing.contains("client certificate"), "\(missing)")
        let stranger = try await answer("stranger")
        #expect(stranger.contains("does not trust our certificate"), "\(stranger)")
        let expired = try await answer("expired")
        #expect(expired.contains("it expired"), "\(expired)")
      }
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `versions outside the bounds are refused`(_ kind: TLSTestKind) async throws {
    try await withServer(kind, serverTLS("server") { $0.settings.minVersion = .tls13 }) { server in
      let old = try await callOnce(kind, port: server.port) { $0.settings.maxVersion = .tls12 }
      #expect(old.contains("tls.min_version"), "\(old)")
      #expect(try await callOnce(kind, port: server.port) == "ok")
    }
    let tls = try serverTLS("server") { $0.settings.maxVersion = .tls12 }
    try await withServer(kind, tls) { server in
      let new = try await callOnce(kind, port: server.port) { $0.settings.minVersion = .tls13 }
      #expect(new.contains("tls.min_version"), "\(new)")
      let suites = try await callOnce(kind, port: server.port) {
        $0.settings.cipherSuites = ["TLS_AES_128_GCM_SHA256"]
      }
      #expect(suites.contains("tls.min_version"), "\(suites)")
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `cipher suites and curves are those of the configuration`(_ kind: TLSTestKind) async throws {
    let tls = try serverTLS("server") {
      $0.settings.maxVersion = .tls12
      $0.settings.cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]
      $0.settings.curvePreferences = [.p384]
    }
    try await withServer(kind, tls) { server in
      let shared = try await callOnce(kind, port: server.port) {
        $0.settings.cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
      }
      #expect(shared == "ok")
      let other = try await callOnce(kind, port: server.port) {
        $0.settings.cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
      }
      #expect(other.contains("cipher suite"), "\(other)")
      let curve = try await callOnce(kind, port: server.port) { $0.settings.curvePreferences = [.x25519] }
      #expect(curve.contains("cipher suite"), "\(curve)")
    }
  }

  @Test(arguments: TLSTestKind.allCases)
  func `plaintext and TLS that meet are told so and closed`(_ kind: TLSTestKind) async throws {
    try await withServer(kind, serverTLS("server")) { server in
      let address = server.address
      try await offPool {
        let socket = try ServerTestSocket(address)
        try socket.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        if kind == .http {
          let reply = try socket.reply()
          #expect(reply.status == 400)
          #expect(reply.text.contains("use https://"))
        }
        #expect(socket.isClosedByPeer)
      }
    }
    try await withServer(kind, nil) { server in
      let answer = try await callOnce(kind, port: server.port)
      #expect(answer.contains("plaintext") || answer.contains("may not speak TLS"), "\(answer)")
      try await eventually { server.openConnections == 0 }
    }
  }

  @Test func `a server on a socket file may use TLS`() async throws {
    let path = certificates.path("grpc.sock")
    let server = try await TLSTestServer(
      .grpc, serverTLS("server"), transport: .unix, endpoint: path)
    var config = GRPCClientConfig()
    config.endpoint = "unix://\(path)"
    config.tls.caFile = certificates.path("ca.pem")
    let client = try GRPCClient(config: config, userAgent: "test")
    let reply = try await client.unary(path: "/t.S/Echo", message: [1], timeout: .seconds(30))
    #expect(reply.code == .ok, "\(reply.message)")
    await client.shutdown()
    await server.stop()
  }
}
