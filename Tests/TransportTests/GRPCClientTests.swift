import ConfigSchema
import NIOHTTP2
import NativeCodecs
import Testing

@testable import Transport

struct GRPCClientTests {
  private func client(
    _ server: GRPCClientTestServer, limits: GRPCClientLimits = GRPCClientLimits(),
    _ change: (inout GRPCClientConfig) -> Void = { _ in }
  ) throws -> GRPCClient {
    try client("127.0.0.1:\(server.port)", limits: limits, change)
  }

  private func client(
    _ endpoint: String, limits: GRPCClientLimits = GRPCClientLimits(),
    _ change: (inout GRPCClientConfig) -> Void = { _ in }
  ) throws -> GRPCClient {
    var config = GRPCClientConfig()
    config.endpoint = endpoint
    config.tls.insecure = true
    change(&config)
    return try GRPCClient(config: config, userAgent: "test/1", limits: limits)
  }

  private func with(
    settings: HTTP2Settings = [], limits: GRPCClientLimits = GRPCClientLimits(),
    config: (inout GRPCClientConfig) -> Void = { _ in },
    script: @escaping @Sendable (GRPCClientTestServer.Call) -> GRPCClientTestServer.Move,
    _ body: (GRPCClient, GRPCClientTestServer) async throws -> Void
  ) async throws {
    let server = try await GRPCClientTestServer(settings: settings, script)
    let client = try client(server, limits: limits, config)
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

  @Test func `a call carries its message and headers and brings the answer`() async throws {
    let echo: @Sendable (GRPCClientTestServer.Call) -> GRPCClientTestServer.Move = { .answer($0.message) }
    try await with(
      config: {
        $0.headers = ["X-Tenant": "blue", "token-bin": "ab"]
        $0.authority = "collector.example"
      }, script: echo
    ) { client, server in
      let reply = try await client.unary(
        path: "/a.B/C", message: [1, 2, 3], metadata: [("x-more", "1")], timeout: .seconds(10))
      #expect(reply == GRPCReply(code: .ok, body: [1, 2, 3], isFromServer: true))
      let call = try #require(server.calls.first)
      #expect(call.message == [0, 0, 0, 0, 3, 1, 2, 3])
      #expect(call.path == "/a.B/C")
      #expect(call.headers.first(name: ":authority") == "collector.example")
      #expect(call.headers.first(name: "te") == "trailers")
      #expect(call.headers.first(name: "content-type") == "application/grpc")
      #expect(call.headers.first(name: "user-agent") == "test/1")
      #expect(call.headers.first(name: "x-tenant") == "blue")
      #expect(call.headers.first(name: "x-more") == "1")
      #expect(call.headers.first(name: "token-bin") == "YWI")
      #expect(call.headers.first(name: "grpc-encoding") == nil)
      let timeout = try #require(call.headers.first(name: "grpc-timeout"))
      let nanoseconds = try #require(GRPCText.timeoutNanoseconds(timeout))
      #expect(nanoseconds > 0 && nanoseconds <= 10_000_001_000)
    }
  }

  @Test(arguments: [0, 1, 65_530, 65_531, 65_532, 3 << 20])
  func `messages of any size arrive whole`(size: Int) async throws {
    let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try await with(script: { call in .answer(grpcFramed([UInt8(call.message.count & 0xFF)])) }) {
      client, server in
      let reply = try await client.unary(path: "/a/b", message: message, timeout: .seconds(30))
      #expect(reply.code == .ok, "\(reply.message)")
      let arrived = server.calls.first?.message == grpcFramed(message)
      #expect(arrived)
    }
  }

  @Test(arguments: [GRPCCompression.gzip, .zstd, .snappy])
  func `requests are compressed and compressed answers are read`(_ compression: GRPCCompression) async throws
  {
    let message = [UInt8](repeating: 7, count: 100_000)
    let algorithm = try #require(compression.algorithm)
    let answer = try Compressor(algorithm).compress([UInt8](repeating: 9, count: 1000))
    try await with(
      config: { $0.compression = compression },
      script: { _ in
        .answer(grpcFramed(answer, compressed: true), headers: [("grpc-encoding", compression.rawValue)])
      }
    ) { client, server in
      for _ in 0..<2 {
        let reply = try await client.unary(path: "/a/b", message: message, timeout: .seconds(10))
        let same = reply.body == [UInt8](repeating: 9, count: 1000)
        #expect(same, "\(reply.code) \(reply.message)")
      }
      let call = try #require(server.calls.last)
      #expect(call.headers.first(name: "grpc-encoding") == compression.rawValue)
      #expect(call.message.first == 1 && call.message.count < 10_000)
      let length = call.message[1..<5].reduce(0) { $0 << 8 | Int($1) }
      #expect(length == call.message.count - 5)
      let body = Array(call.message.dropFirst(5))
      let same = try DecompressorPool().decompress(body.span, algorithm, limit: 1 << 20) == message
      #expect(same)
    }
  }

  @Test func `an error status comes with message and details`() async throws {
    try await with(script: { _ in .status("8", message: "slow%20down%21 %E2%9C%93", details: "CAgSAA") }) {
      client, _ in
      let reply = try await client.unary(path: "/a/b", message: [], timeout: .seconds(10))
      #expect(
        reply
          == GRPCReply(
            code: .resourceExhausted, message: "slow down! ✓", details: [8, 8, 18, 0], isFromServer: true))
    }
  }

  struct Ending: Sendable {
    var move: GRPCClientTestServer.Move
    var code: GRPCCode
  }

  static let endings: [Ending] = [
    Ending(move: .http(503, contentType: "text/plain"), code: .unavailable),
    Ending(move: .http(404, contentType: "text/html"), code: .unimplemented),
    Ending(move: .http(401, contentType: "text/html"), code: .unauthenticated),
    Ending(move: .http(200, contentType: "text/html"), code: .unknown),
    Ending(move: .endWithoutTrailers, code: .internalError),
    Ending(move: .reset(.enhanceYourCalm), code: .resourceExhausted),
    Ending(move: .reset(.internalError), code: .internalError),
    Ending(move: .reset(.refusedStream), code: .unavailable),
    Ending(move: .hangUp, code: .unavailable),
    Ending(move: .goAwayBefore, code: .unavailable),
    Ending(move: .status("99"), code: .unknown),
    Ending(move: .answer([0, 0, 0, 0, 9, 1]), code: .internalError),
    Ending(move: .answer([1, 0, 0, 0, 1, 1]), code: .internalError),
  ]

  @Test(arguments: endings)
  func `every other ending is a status`(_ ending: Ending) async throws {
    try await with(script: { _ in ending.move }) { client, _ in
      let reply = try await client.unary(path: "/a/b", message: [1], timeout: .seconds(10))
      #expect(reply.code == ending.code, "\(reply)")
      #expect(!reply.message.isEmpty)
      // The client goes on with whatever connection it has or makes.
      let next = try await client.unary(path: "/a/b", message: [1], timeout: .seconds(10))
      #expect(next.code == ending.code, "\(next)")
    }
  }

  @Test(arguments: [GRPCClientTestServer.Move.goAwayBefore, .reset(.refusedStream)])
  func `a call the server did not process is sent once more`(_ move: GRPCClientTestServer.Move) async throws {
    try await with(script: { $0.number == 0 ? move : .answer(grpcFramed([5])) }) { client, server in
      let reply = try await client.unary(path: "/a/b", message: [1, 2], timeout: .seconds(10))
      #expect(reply.code == .ok && reply.body == [5])
      #expect(server.calls.map(\.message) == [grpcFramed([1, 2]), grpcFramed([1, 2])])
    }
  }

  @Test func `an unreachable server is unavailable, and says why`() async throws {
    let port = DeafPort()
    let client = try client("127.0.0.1:\(port.number)")
    let reply = try await client.unary(path: "/a/b", message: [], timeout: .seconds(10))
    #expect(reply.code == .unavailable)
    #expect(reply.message == "cannot connect to 127.0.0.1:\(port.number): connection refused")
    #expect(!reply.isFromServer)
    await client.shutdown()
  }

  @Test func `wait_for_ready waits for a server that comes up later`() async throws {
    let first = try await GRPCClientTestServer { _ in .silence }
    let port = first.port
    await first.stop()
    let client = try client(first) { $0.waitForReady = true }
    let call = Task { try await client.unary(path: "/a/b", message: [], timeout: .seconds(30)) }
    try await Task.sleep(for: .milliseconds(150))
    let second = try await GRPCClientTestServer(port: port) { _ in .answer(grpcFramed([1])) }
    #expect(try await call.value.code == .ok)
    await client.shutdown()
    await second.stop()
  }

  @Test func `a lost connection is made anew for the next call`() async throws {
    try await with(script: { _ in .answer(grpcFramed([1])) }) { client, server in
      #expect(try await client.unary(path: "/a/b", message: [], timeout: .seconds(10)).code == .ok)
      await server.hangUp()
      var codes: Set<GRPCCode> = []
      for _ in 0..<20 where !codes.contains(.ok) {
        codes.insert(try await client.unary(path: "/a/b", message: [], timeout: .seconds(10)).code)
      }
      #expect(codes.contains(.ok))
      #expect(server.connections == 2)
    }
  }

  @Test func `concurrent calls share one connection and respect the server's limit`() async throws {
    let settings: HTTP2Settings = [HTTP2Setting(parameter: .maxConcurrentStreams, value: 3)]
    try await with(settings: settings, script: { _ in .answer(grpcFramed([1])) }) { client, server in
      try await withThrowingTaskGroup(of: GRPCCode.self) { group in
        for index in 0..<50 {
          group.addTask {
            let message = [UInt8](repeating: UInt8(index), count: 100_000)
            return try await client.unary(path: "/a/b", message: message, timeout: .seconds(30)).code
          }
        }
        for try await code in group { #expect(code == .ok) }
      }
      #expect(server.connections == 1)
      #expect(server.calls.count == 50)
      #expect(server.mostAtOnce <= 3)
    }
  }

  @Test func `a silent server runs into the timeout, and the stream is given up`() async throws {
    try await with(script: { $0.message.last == 1 ? .silence : .answer(grpcFramed([])) }) { client, server in
      let reply = try await client.unary(path: "/a/b", message: [1], timeout: .milliseconds(100))
      #expect(reply.code == .deadlineExceeded && !reply.isFromServer)
      #expect(try await client.unary(path: "/a/b", message: [2], timeout: .seconds(10)).code == .ok)
      #expect(server.connections == 1)
    }
  }

  @Test func `cancelling the task cancels the call`() async throws {
    try await with(script: { _ in .silence }) { client, _ in
      let call = Task { try await client.unary(path: "/a/b", message: [1], timeout: .seconds(60)) }
      try await Task.sleep(for: .milliseconds(50))
      call.cancel()
      await #expect(throws: CancellationError.self) { try await call.value }
    }
  }

  @Test func `an answer over the limit is refused`() async throws {
    var limits = GRPCClientLimits()
    limits.maxReplySize = 1000
    let large = grpcFramed([UInt8](repeating: 0, count: 100_000))
    try await with(limits: limits, script: { _ in .answer(large) }) { client, _ in
      let reply = try await client.unary(path: "/a/b", message: [], timeout: .seconds(10))
      #expect(reply.code == .resourceExhausted)
    }
  }

  @Test func `a stream that the server leaves open after its answer is reset`() async throws {
    try await with(script: { _ in .openHTTP(502, contentType: "text/html") }) { client, server in
      let reply = try await client.unary(path: "/a/b", message: [1], timeout: .seconds(10))
      #expect(reply.code == .unavailable)
      let isReset = becomesTrue { server.openCalls == 0 }
      #expect(isReset)
    }
  }

  @Test func `shutdown ends waiting calls and refuses new ones`() async throws {
    try await with(script: { _ in .silence }) { client, _ in
      let call = Task { try await client.unary(path: "/a/b", message: [1], timeout: .seconds(60)) }
      try await Task.sleep(for: .milliseconds(50))
      await client.shutdown()
      #expect(try await call.value.code == .unavailable)
      #expect(try await client.unary(path: "/a/b", message: [1], timeout: .seconds(60)).code == .unavailable)
    }
  }

  @Test func `a peer that does not speak HTTP/2 is named as such`() async throws {
    let server = try await HTTPClientTestServer { _ in .init(status: 200) }
    var config = GRPCClientConfig()
    config.endpoint = "127.0.0.1:\(server.port)"
    config.tls.insecure = true
    let client = try GRPCClient(config: config, userAgent: "test")
    let reply = try await client.unary(path: "/a/b", message: [1], timeout: .seconds(20))
    #expect(reply.code == .unavailable)
    #expect(reply.message.contains("HTTP/2"), "\(reply.message)")
    await client.shutdown()
    await server.stop()
  }

  @Test func `a connection that answers no pings is given up`() async throws {
    let hole = try await SilentPeer()
    var config = GRPCClientConfig()
    config.endpoint = "127.0.0.1:\(hole.port)"
    config.tls.insecure = true
    config.keepalive?.time = .milliseconds(50)
    config.keepalive?.timeout = .milliseconds(50)
    var limits = GRPCClientLimits()
    limits.minPingInterval = .milliseconds(10)
    let client = try GRPCClient(config: config, userAgent: "test", limits: limits)
    let reply = try await client.unary(path: "/a/b", message: [1], timeout: .seconds(20))
    #expect(reply.code == .unavailable)
    #expect(reply.message.contains("ping"), "\(reply.message)")
    await client.shutdown()
    await hole.stop()
  }

  @Test func `an answered ping keeps the connection`() async throws {
    var limits = GRPCClientLimits()
    limits.minPingInterval = .milliseconds(10)
    try await with(
      limits: limits,
      config: {
        $0.keepalive?.time = .milliseconds(20)
        $0.keepalive?.timeout = .seconds(10)
      }, script: { _ in .silence }
    ) { client, server in
      let reply = try await client.unary(path: "/a/b", message: [1], timeout: .milliseconds(300))
      #expect(reply.code == .deadlineExceeded)
      #expect(server.connections == 1)
    }
  }
}
