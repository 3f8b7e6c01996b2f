import ConfigSchema
import NativeCodecs
import Testing

@testable import Transport

/// Starts a server, runs a test, stops the server.
private func withServer(
  _ configure: (inout HTTPServerConfig) -> Void = { _ in }, budget: Int = 64 << 20,
  _ body: @escaping @Sendable (String, ServerTestHTTPHandler, HTTPServer) throws -> Void
) async throws {
  var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
  config.limits.maxInflightBytes = ByteCount(budget)
  configure(&config)
  let handler = ServerTestHTTPHandler()
  let server = HTTPServer(config: config, handler: handler, logger: quietLogger)
  let address = try await server.start()
  do {
    try await offPool { try body(address, handler, server) }
  } catch {
    handler.releaseAll()
    await server.stop(within: .zero)
    throw error
  }
  handler.releaseAll()
  await server.stop(within: .zero)
}

@Suite struct HTTPServerTests {
  static let text = Array("the body of a request, long enough to be worth compressing. ".utf8)
  static let payload = (0..<5000).flatMap { _ in text }

  @Test func `a connection serves one request after the other`() async throws {
    try await withServer { address, handler, _ in
      let socket = try ServerTestSocket(address)
      for index in 0..<3 {
        let reply = try socket.post("/echo?x=\(index)", Array("body \(index)".utf8))
        #expect(reply.status == 200)
        #expect(reply.text == "body \(index)")
        #expect(reply.headers["content-type"] == "application/test")
        #expect(reply.headers["date"]?.hasSuffix("GMT") == true)
        #expect(reply.headers["connection"] == nil)
      }
      let last = handler.seen.withLock { $0.last }
      #expect(last?.path == "/echo")
      #expect(last?.query == "x=2")
      #expect(last?.peer.hasPrefix("127.0.0.1:") == true)
      #expect(last?.metadata.isEmpty == true)
      #expect(last?.header("HOST") == "test")
    }
  }

  @Test func `pipelined requests are answered in order`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      var bytes = ""
      for index in 0..<20 {
        let path = index % 3 == 0 ? "/later" : "/echo"
        bytes +=
          ServerTestSocket.head("POST", path, ["Content-Length: 2"]) + (index < 10 ? "0\(index)" : "\(index)")
      }
      try socket.send(bytes)
      for index in 0..<20 { #expect(try socket.reply().text == (index < 10 ? "0\(index)" : "\(index)")) }
    }
  }

  @Test func `a chunked body arrives whole`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Transfer-Encoding: chunked"]))
      try socket.send("3\r\nabc\r\n")
      try socket.send("2\r\nde\r\n0\r\n\r\n")
      #expect(try socket.reply().text == "abcde")
    }
  }

  @Test func `an expected continue is confirmed before the body`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 3", "Expect: 100-continue"]))
      #expect(try socket.reply().status == 100)
      try socket.send("abc")
      #expect(try socket.reply().text == "abc")
    }
  }

  @Test func `an expected continue is refused without reading the body`() async throws {
    try await withServer({ $0.maxRequestBodySize = 10 }) { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 11", "Expect: 100-continue"]))
      let reply = try socket.reply()
      #expect(reply.status == 413)
      #expect(reply.headers["connection"] == "close")
      #expect(socket.isClosedByPeer)
    }
  }

  @Test func `an unknown expectation is answered 417`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/echo", [], headers: ["Expect: miracles"]).status == 417)
    }
  }

  @Test func `HEAD is answered without a body`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("HEAD", "/echo", ["Content-Length: 4"]) + "abcd")
      let reply = try socket.reply(toHead: true)
      #expect(reply.headers["content-length"] == "4")
      #expect(try socket.post("/echo", [1]).body == [1])
    }
  }

  @Test func `a refused request leaves the connection usable`() async throws {
    try await withServer { address, handler, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/missing", Self.text).status == 404)
      #expect(try socket.post("/echo", Self.text).status == 200)
      try socket.send(ServerTestSocket.head("OPTIONS", "/echo", []))
      let reply = try socket.reply()
      #expect(reply.status == 405)
      #expect(reply.headers["allow"] == "POST")
      #expect(handler.seen.withLock { $0.count } == 1)
    }
  }

  @Test(arguments: CompressionAlgorithm.allCases)
  func `a compressed body is decompressed`(_ algorithm: CompressionAlgorithm) async throws {
    try await withServer { address, _, server in
      let socket = try ServerTestSocket(address)
      let compressed = try Compressor(algorithm).compress(Self.payload)
      let whole = try socket.post(
        "/echo", compressed, headers: ["Content-Encoding: \(algorithm.contentEncoding)"])
      #expect(whole.status == 200)
      #expect(whole.body == Self.payload)
      try socket.send(
        ServerTestSocket.head(
          "POST", "/echo", ["Content-Encoding: \(algorithm.contentEncoding)", "Transfer-Encoding: chunked"]))
      for start in stride(from: 0, to: compressed.count, by: 777) {
        let chunk = compressed[start..<min(start + 777, compressed.count)]
        try socket.send(Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [13, 10])
      }
      try socket.send("0\r\n\r\n")
      #expect(try socket.reply().body == Self.payload)
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `an unknown content encoding is answered 415 with the known ones`() async throws {
    try await withServer({ $0.compressionAlgorithms = [.none, .gzip, .zstd] }) { address, _, _ in
      let socket = try ServerTestSocket(address)
      for name in ["br", "snappy", "gzip, zstd"] {
        let reply = try socket.post(
          "/echo", [1, 2], headers: ["Content-Encoding: \(name)", "Content-Type: application/json"])
        #expect(reply.status == 415)
        #expect(reply.headers["accept-encoding"] == "gzip, zstd, identity")
        #expect(reply.headers["content-type"] == "failure/application/json")
        #expect(reply.text.contains("gzip, zstd, identity"))
      }
      #expect(try socket.post("/echo", [1], headers: ["Content-Encoding: identity"]).status == 200)
    }
  }

  @Test func `an announced body over the limit is answered 413`() async throws {
    try await withServer({ $0.maxRequestBodySize = 100 }) { address, handler, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/echo", [UInt8](repeating: 1, count: 101)).status == 413)
      #expect(try socket.post("/echo", [UInt8](repeating: 1, count: 100)).status == 200)
      let huge = try ServerTestSocket(address)
      try huge.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 9223372036854775807"]))
      #expect(try huge.reply().status == 413)
      #expect(huge.isClosedByPeer)
      #expect(handler.seen.withLock { $0.count } == 1)
    }
  }

  @Test func `a chunked body is refused as soon as it is over the limit`() async throws {
    try await withServer({ $0.maxRequestBodySize = 100 }) { address, _, server in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Transfer-Encoding: chunked"]))
      try socket.send("64\r\n" + String(repeating: "a", count: 100) + "\r\n1\r\nb\r\n")
      #expect(try socket.reply().status == 413)
      #expect(server.heldBytes == 0)
    }
  }

  @Test(arguments: [CompressionAlgorithm.gzip, .zstd, .deflate, .snappyFramed])
  func `a compression bomb is stopped while it grows`(_ algorithm: CompressionAlgorithm) async throws {
    let bomb = try Compressor(algorithm).compress([UInt8](repeating: 0, count: 50 << 20))
    try await withServer({ $0.maxRequestBodySize = .mebibytes(1) }, budget: 2 << 20) {
      address, handler, server in
      let socket = try ServerTestSocket(address)
      try? socket.send(
        ServerTestSocket.head(
          "POST", "/echo",
          ["Content-Length: \(bomb.count)", "Content-Encoding: \(algorithm.contentEncoding)"]))
      try? socket.send(bomb)
      #expect(try socket.reply().status == 413)
      #expect(server.heldBytes == 0)
      #expect(handler.seen.withLock { $0.isEmpty })
      #expect(try ServerTestSocket(address).post("/echo", [1]).status == 200)
    }
  }

  @Test func `broken compression is answered 400`() async throws {
    try await withServer { address, _, server in
      let good = try Compressor(.gzip).compress(Self.payload)
      for bytes in [Array("no gzip at all".utf8), Array(good.dropLast(4)), []] {
        let socket = try ServerTestSocket(address)
        #expect(try socket.post("/echo", bytes, headers: ["Content-Encoding: gzip"]).status == 400)
      }
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `request metadata is kept only when asked for`() async throws {
    try await withServer({ $0.includeMetadata = true }) { address, handler, _ in
      let socket = try ServerTestSocket(address)
      _ = try socket.post("/echo", [], headers: ["X-Tenant: a", "x-tenant: b"])
      #expect(handler.seen.withLock { $0.last?.metadata["x-tenant"] } == ["a", "b"])
    }
  }

  @Test func `configured response headers are on every answer`() async throws {
    try await withServer({ $0.responseHeaders = ["X-Served-By": "mill"] }) { address, _, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/echo", []).headers["x-served-by"] == "mill")
      #expect(try socket.post("/missing", []).headers["x-served-by"] == "mill")
    }
  }

  @Test func `a header that would end its line is left out`() async throws {
    try await withServer { address, _, _ in
      let reply = try ServerTestSocket(address).post("/injection", [])
      #expect(reply.headers["x-good"] == "1")
      #expect(reply.headers["x-bad"] == nil)
      #expect(reply.headers["x-evil"] == nil)
    }
  }

  @Test func `only the first answer counts`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/twice", [7]).body == [7])
      #expect(try socket.post("/echo", [8]).body == [8])
    }
  }

  @Test func `a responder that is dropped answers 500`() async throws {
    try await withServer { address, _, server in
      let reply = try ServerTestSocket(address).post("/drop", [1, 2, 3])
      #expect(reply.status == 500)
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `an answer to a connection that is gone is ignored`() async throws {
    try await withServer { address, handler, server in
      do {
        let socket = try ServerTestSocket(address)
        try socket.send(ServerTestSocket.head("POST", "/hold", ["Content-Length: 3"]) + "abc")
        #expect(becomesTrue { handler.held.withLock { $0.count } == 1 })
        #expect(server.heldBytes == 3)
      }
      handler.releaseAll()
      #expect(becomesTrue { server.openConnections == 0 && server.heldBytes == 0 })
      #expect(try ServerTestSocket(address).post("/echo", [1]).status == 200)
    }
  }

  @Test func `a client that ends its sending side still gets the answer`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/later", ["Content-Length: 1"]) + "x")
      socket.endSending()
      #expect(try socket.reply().text == "x")
      #expect(socket.isClosedByPeer)
    }
  }

  @Test func `an offer to upgrade to HTTP/2 is passed over`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      let reply = try socket.post(
        "/echo", [1, 2, 3],
        headers: ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"])
      #expect(reply.status == 200)
      #expect(reply.body == [1, 2, 3])
      #expect(try socket.post("/echo", [4]).body == [4])
    }
  }

  @Test func `HTTP 1.0 closes unless asked to stay`() async throws {
    try await withServer { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na")
      let kept = try socket.reply()
      #expect(kept.headers["connection"] == "keep-alive")
      try socket.send("POST /echo HTTP/1.0\r\nContent-Length: 1\r\n\r\nb")
      #expect(try socket.reply().text == "b")
      #expect(socket.isClosedByPeer)
    }
  }

  @Test func `keep-alive can be switched off`() async throws {
    try await withServer({ $0.keepAlivesEnabled = false }) { address, _, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/echo", [1]).headers["connection"] == "close")
      #expect(socket.isClosedByPeer)
    }
  }

  @Test(arguments: ["https://a.example.com", "http://localhost:3000"])
  func `a preflight of an allowed origin is granted`(_ origin: String) async throws {
    try await withServer({
      $0.cors = CORSConfig()
      $0.cors?.allowedOrigins = ["https://*.example.com", "http://localhost:*"]
      $0.cors?.allowedHeaders = ["X-Token"]
      $0.cors?.exposedHeaders = ["X-Seen"]
      $0.cors?.maxAge = 600
    }) { address, handler, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(
        ServerTestSocket.head(
          "OPTIONS", "/echo",
          [
            "Origin: \(origin)", "Access-Control-Request-Method: POST",
            "Access-Control-Request-Headers: content-type, x-token",
          ]))
      let preflight = try socket.reply()
      #expect(preflight.status == 204)
      #expect(preflight.headers["access-control-allow-origin"] == origin)
      #expect(preflight.headers["access-control-allow-methods"] == "POST")
      #expect(preflight.headers["access-control-allow-headers"] == "content-type, x-token")
      #expect(preflight.headers["access-control-max-age"] == "600")
      #expect(handler.seen.withLock { $0.isEmpty })
      let reply = try socket.post("/echo", [1], headers: ["Origin: \(origin)"])
      #expect(reply.headers["access-control-allow-origin"] == origin)
      #expect(reply.headers["access-control-expose-headers"] == "X-Seen")
      #expect(reply.headers["vary"] == "Origin")
    }
  }

  @Test(arguments: [
    ("https://example.com.evil", "POST", "x-token"), ("https://a.example.com", "DELETE", "x-token"),
    ("https://a.example.com", "POST", "x-other"),
  ])
  func `a preflight of anything else is not granted`(_ origin: String, _ method: String, _ header: String)
    async throws
  {
    try await withServer({
      $0.cors = CORSConfig()
      $0.cors?.allowedOrigins = ["https://*.example.com"]
      $0.cors?.allowedHeaders = ["X-Token"]
    }) { address, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(
        ServerTestSocket.head(
          "OPTIONS", "/echo",
          [
            "Origin: \(origin)", "Access-Control-Request-Method: \(method)",
            "Access-Control-Request-Headers: \(header)",
          ]))
      let reply = try socket.reply()
      #expect(reply.status == 204)
      #expect(reply.headers["access-control-allow-origin"] == nil)
    }
  }
}
