import ConfigSchema
import Glibc
import Testing

@testable import Transport

/// GET requests, as scrapes and discovery make them.
@Suite struct HTTPClientGetTests {
  private func with(
    config: (inout HTTPClientConfig) -> Void = { _ in },
    script: @escaping @Sendable (HTTPClientTestServer.Request) -> HTTPClientTestServer.Answer,
    _ body: (HTTPClient, HTTPClientTestServer) async throws -> Void
  ) async throws {
    let server = try await HTTPClientTestServer(script)
    var settings = HTTPClientConfig(timeout: .seconds(20), compression: .gzip)
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

  @Test func `a whole body comes back as it was sent`() async throws {
    let body = [UInt8](repeating: 7, count: 300_000)
    try await with(
      config: { $0.headers = ["X-Tenant": "blue"] },
      script: { _ in .init(status: 200, headers: [("content-encoding", "gzip")], body: body) }
    ) { client, server in
      let reply = try await client.get(
        url: server.url + "/metrics?a=b", headers: [("accept", "text/plain")], limit: 300_000)
      #expect(reply.status == 200 && !reply.isBodyCut)
      #expect(reply.body == body && reply.header("content-encoding") == "gzip")
      let head = try #require(server.requests.first?.head)
      #expect(head.method == .GET && head.uri == "/metrics?a=b")
      #expect(head.headers["accept"] == ["text/plain"] && head.headers["x-tenant"] == ["blue"])
      #expect(head.headers["user-agent"] == ["test/1"])
      #expect(head.headers["content-encoding"].isEmpty && head.headers["content-length"].isEmpty)
    }
  }

  @Test func `a body beyond the limit is cut, and the next request is answered`() async throws {
    try await with(script: { _ in .init(status: 200, body: [UInt8](repeating: 7, count: 1_000_000)) }) {
      client, server in
      let reply = try await client.get(url: server.url, limit: 1000)
      #expect(reply.isBodyCut && reply.body.count == 1000)
      #expect(try await client.get(url: server.url, limit: 2_000_000).body.count == 1_000_000)
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func `an answer that does not end is given up at the timeout, also that to a POST`() async throws {
    try await with(script: { _ in .init(status: 200, body: [1, 2], isUnfinished: true) }) { client, server in
      let error = await #expect(throws: ConnectionError.self) {
        try await client.get(url: server.url, limit: 1000, timeout: .milliseconds(50))
      }
      #expect(error?.kind == .timedOut)
    }
    try await with(
      config: { $0.timeout = .milliseconds(50) },
      script: { _ in .init(status: 200, body: [1, 2], isUnfinished: true) }
    ) { client, server in
      let error = await #expect(throws: ConnectionError.self) {
        try await client.post(url: server.url, contentType: "text/plain", body: [1])
      }
      #expect(error?.kind == .timedOut)
    }
  }

  @Test func `a silent server is given up at the request's own timeout`() async throws {
    try await with(script: { _ in .init(status: 200, isSilent: true) }) { client, server in
      let error = await #expect(throws: ConnectionError.self) {
        try await client.get(url: server.url, limit: 1000, timeout: .milliseconds(50))
      }
      #expect(error?.kind == .timedOut)
    }
  }

  @Test(arguments: [0, 10])
  func `redirects are followed as often as allowed`(_ most: Int) async throws {
    try await with(
      config: { $0.mostRedirects = most },
      script: { request in
        request.head.uri == "/b"
          ? .init(status: 200, body: [1]) : .init(status: 301, headers: [("location", "/b")])
      }
    ) { client, server in
      let reply = try await client.get(url: server.url + "/a", limit: 10)
      #expect(reply.status == (most > 0 ? 200 : 301))
      #expect(server.requests.map(\.head.uri) == (most > 0 ? ["/a", "/b"] : ["/a"]))
    }
  }

  @Test func `a server behind a socket file is asked`() async throws {
    let path = "/tmp/millrace-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
    var config = HTTPServerConfig(endpoint: path)
    config.transport = .unix
    let server = HTTPServer(config: config, handler: ServerTestHTTPHandler(), logger: quietLogger)
    _ = try await server.start()
    let client = HTTPClient(config: HTTPClientConfig(timeout: .seconds(20)), userAgent: "test/1")
    let escaped = path.split(separator: "/").map { "%2F\($0)" }.joined()
    let reply = try await client.get(
      url: "http+unix://\(escaped)/echo", headers: [("host", "docker")], limit: 1000)
    #expect(reply.status == 200)
    await client.shutdown()
    await server.stop()
  }
}
