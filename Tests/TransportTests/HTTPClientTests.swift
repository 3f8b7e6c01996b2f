import ConfigSchema
import NativeCodecs
import Testing

@testable import Transport

struct HTTPClientTests {
  private func with(
    config: (inout HTTPClientConfig) -> Void = { _ in },
    script: @escaping @Sendable (HTTPClientTestServer.Request) -> HTTPClientTestServer.Answer,
    _ body: (HTTPClient, HTTPClientTestServer) async throws -> Void
  ) async throws {
    let server = try await HTTPClientTestServer(script)
    var settings = HTTPClientConfig(timeout: .seconds(20))
    config(&settings)
    let client = HTTPClient(config: settings, userAgent: "test/1")
    do {
      try await body(client, server)
    } catch {
      await client.shutdown()
      await server.stop()
      throw error
    }
    await client.shutdown()
    await server.stop()
  }

  @Test func `a body arrives with its headers, and the answer comes back`() async throws {
    try await with(
      config: { $0.headers = ["X-Tenant": "blue", "Host": "inner.example"] },
      script: { request in
        .init(status: 202, headers: [("Content-Type", "Application/JSON; charset=utf-8")], body: request.body)
      }
    ) { client, server in
      let reply = try await client.post(
        url: server.url + "/v1/traces?x=1", contentType: "application/x-protobuf", body: [1, 2, 3],
        headers: [("x-more", "1")])
      #expect(reply.status == 202)
      #expect(reply.body == [1, 2, 3])
      #expect(reply.contentType == "application/json")
      let head = try #require(server.requests.first?.head)
      #expect(head.method == .POST && head.uri == "/v1/traces?x=1")
      #expect(head.headers["host"] == ["inner.example"])
      #expect(head.headers["x-tenant"] == ["blue"])
      #expect(head.headers["x-more"] == ["1"])
      #expect(head.headers["user-agent"] == ["test/1"])
      #expect(head.headers["content-type"] == ["application/x-protobuf"])
      #expect(head.headers["content-encoding"].isEmpty)
      #expect(head.headers["content-length"] == ["3"])
    }
  }

  @Test(arguments: HTTPCompression.allCases)
  func `bodies are compressed as configured`(_ compression: HTTPCompression) async throws {
    let body = [UInt8](repeating: 7, count: 100_000)
    try await with(config: { $0.compression = compression }, script: { _ in .init(status: 200) }) {
      client, server in
      _ = try await client.post(url: server.url, contentType: "text/plain", body: body)
      let request = try #require(server.requests.first)
      guard let algorithm = compression.algorithm else {
        #expect(request.body == body && request.head.headers["content-encoding"].isEmpty)
        return
      }
      #expect(request.head.headers["content-encoding"] == [compression.rawValue])
      #expect(request.body.count < 10_000)
      let same = try DecompressorPool().decompress(request.body.span, algorithm, limit: 1 << 20) == body
      #expect(same)
    }
  }

  @Test func `connections are kept, or not when told so`() async throws {
    try await with(script: { _ in .init(status: 200) }) { client, server in
      for _ in 0..<5 { _ = try await client.post(url: server.url, contentType: "a/b", body: [1]) }
      #expect(server.connections == 1)
    }
    try await with(config: { $0.disableKeepAlives = true }, script: { _ in .init(status: 200) }) {
      client, server in
      for _ in 0..<3 { _ = try await client.post(url: server.url, contentType: "a/b", body: [1]) }
      #expect(server.connections == 3)
    }
  }

  @Test func `max_conns_per_host bounds the connections`() async throws {
    try await with(config: { $0.maxConnectionsPerHost = 2 }, script: { _ in .init(status: 200) }) {
      client, server in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<20 {
          group.addTask { try await client.post(url: server.url, contentType: "a/b", body: [1]).status }
        }
        for try await status in group { #expect(status == 200) }
      }
      #expect(server.connections <= 2)
    }
  }

  @Test func `a redirect is handed back, not followed`() async throws {
    try await with(script: { _ in .init(status: 307, headers: [("Location", "http://127.0.0.1:9/x")]) }) {
      client, server in
      let reply = try await client.post(url: server.url, contentType: "a/b", body: [1])
      #expect(reply.status == 307 && reply.header("location") == "http://127.0.0.1:9/x")
      #expect(server.requests.count == 1)
    }
  }

  @Test func `a large answer is cut`() async throws {
    let body = [UInt8](repeating: 1, count: 200_000)
    try await with(script: { _ in .init(status: 400, body: body) }) { client, server in
      let reply = try await client.post(url: server.url, contentType: "a/b", body: [1])
      #expect(reply.status == 400 && reply.body.count == HTTPClient.keptReplySize && reply.isBodyCut)
    }
  }

  @Test func `no server, no answer and a broken connection are different failures`() async throws {
    try await with(
      config: { $0.timeout = .seconds(1) },
      script: { .init(status: 200, hangsUp: $0.number == 0, isSilent: true) }
    ) { client, server in
      let url = server.url
      let broken = await failure { try await client.post(url: url, contentType: "a/b", body: [1]) }
      #expect(broken?.kind == .interrupted)
      let late = await failure { try await client.post(url: url, contentType: "a/b", body: [1]) }
      #expect(late?.kind == .timedOut)
      let port = DeafPort()
      let nobody = "http://127.0.0.1:\(port.number)/"
      let gone = await failure { try await client.post(url: nobody, contentType: "a/b", body: [1]) }
      #expect(gone?.kind == .unreachable)
      #expect(gone?.description == "cannot connect to \(nobody): connection refused")
    }
  }

  @Test func `cancelling the task cancels the request`() async throws {
    try await with(script: { _ in .init(status: 200, isSilent: true) }) { client, server in
      let url = server.url
      let request = Task { try await client.post(url: url, contentType: "a/b", body: [1]) }
      try await Task.sleep(for: .milliseconds(50))
      request.cancel()
      await #expect(throws: CancellationError.self) { try await request.value }
    }
  }

  @Test func `the proxy is asked for a tunnel, and its refusal is a failure to connect`() async throws {
    let server = try await HTTPClientTestServer { _ in .init(status: 407) }
    var config = HTTPClientConfig()
    config.proxyURL = "http://us%65r:pw@127.0.0.1:\(server.port)"
    let client = HTTPClient(config: config, userAgent: "test")
    let refused = await failure {
      try await client.post(url: "http://backend.invalid:4318/v1/logs", contentType: "a/b", body: [1])
    }
    #expect(refused?.kind == .unreachable)
    let head = try #require(server.requests.first?.head)
    #expect(head.method == .CONNECT && head.uri == "backend.invalid:4318")
    #expect(head.headers["proxy-authorization"] == ["Basic dXNlcjpwdw=="])
    await client.shutdown()
    await server.stop()
  }

  private func failure(_ body: () async throws -> HTTPReply) async -> ConnectionError? {
    do {
      let reply = try await body()
      Issue.record("got \(reply.status)")
      return nil
    } catch {
      return error as? ConnectionError
    }
  }
}

struct HTTPClientLifeTests {
  @Test func `a client that is only dropped is shut down all the same`() async throws {
    let server = try await HTTPClientTestServer { _ in .init(status: 200) }
    do {
      let client = HTTPClient(config: HTTPClientConfig(), userAgent: "test")
      #expect(try await client.post(url: server.url, contentType: "a/b", body: []).status == 200)
    }
    _ = HTTPClient(config: HTTPClientConfig(), userAgent: "test")
    await server.stop()
  }
}

struct HTTPReplyTests {
  static let dates = [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ]

  @Test(arguments: dates) func `Retry-After reads every date format`(_ text: String) {
    let reply = HTTPReply(status: 503, headers: [("Retry-After", text)])
    #expect(reply.retryAfter(now: 784_111_770) == .seconds(7))
    #expect(reply.retryAfter(now: 784_111_999) == .zero)
  }

  @Test func `Retry-After reads seconds and nothing else`() {
    #expect(HTTPReply(status: 429, headers: [("retry-after", " 120 ")]).retryAfter == .seconds(120))
    for text in ["", "-1", "soon", "1.5", "Sun, 06 Nov 1994", "Sun, 99 Nov 1994 08:49:37 GMT"] {
      #expect(HTTPReply(status: 429, headers: [("retry-after", text)]).retryAfter == nil)
    }
    #expect(HTTPReply(status: 429).retryAfter == nil)
  }
}
