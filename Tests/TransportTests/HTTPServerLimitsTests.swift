import ConfigSchema
import Glibc
import Testing

@testable import Transport

private func started(
  _ handler: ServerTestHTTPHandler, budget: Int = 64 << 20,
  _ configure: (inout HTTPServerConfig) -> Void = { _ in }
) async throws -> (HTTPServer, String) {
  var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
  config.limits.maxInflightBytes = ByteCount(budget)
  configure(&config)
  let server = HTTPServer(config: config, handler: handler, logger: quietLogger)
  return (server, try await server.start())
}

@Suite struct HTTPServerLimitsTests {
  @Test func `headers that come too slowly end in 408`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler()) {
      $0.readHeaderTimeout = .seconds(1)
    }
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      try socket.send("POST /echo HT")
      #expect(try socket.reply().status == 408)
      #expect(socket.isClosedByPeer)
    }
    await server.stop(within: .zero)
  }

  @Test func `a connection that never sends is closed`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler()) {
      $0.readHeaderTimeout = .seconds(1)
    }
    try await offPool { () throws in
      #expect(try ServerTestSocket(address).isClosedByPeer)
    }
    await server.stop(within: .zero)
  }

  @Test func `a body that pauses too long ends in 408 and gives its bytes back`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler()) { $0.idleTimeout = .seconds(1) }
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 10"]) + "abc")
      #expect(try socket.reply().status == 408)
      #expect(server.heldBytes == 0)
    }
    await server.stop(within: .zero)
  }

  @Test func `a request that drips beyond the read timeout ends in 408`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler()) { $0.readTimeout = .seconds(1) }
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 1000"]))
      socket.onThread { descriptor in
        for _ in 0..<60 {
          _ = send(descriptor, "a", 1, CInt(MSG_NOSIGNAL))
          usleep(50_000)
        }
      }
      #expect(try socket.reply().status == 408)
    }
    await server.stop(within: .zero)
  }

  @Test func `an idle connection is closed after the idle timeout`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler()) { $0.idleTimeout = .seconds(1) }
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/echo", [1]).status == 200)
      #expect(socket.isClosedByPeer)
    }
    await server.stop(within: .zero)
  }

  @Test func `a client that does not read its answers is closed`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler()) {
      $0.writeTimeout = .milliseconds(200)
    }
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      let body = [UInt8](repeating: 97, count: 4 << 20)
      socket.onThread { descriptor in
        let bytes = Array(ServerTestSocket.head("POST", "/echo", ["Content-Length: \(4 << 20)"]).utf8) + body
        for _ in 0..<4 where send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) < bytes.count { break }
      }
      #expect(becomesTrue { server.openConnections == 1 })
      #expect(becomesTrue { server.openConnections == 0 })
    }
    await server.stop(within: .zero)
  }

  @Test func `headers over the limit are answered 431`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler())
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      let long = String(repeating: "a", count: 70_000)
      try? socket.send(ServerTestSocket.head("POST", "/echo", ["X-Long: \(long)"]))
      #expect(try socket.reply().status == 431)
      #expect(socket.isClosedByPeer)
    }
    await server.stop(within: .zero)
  }

  @Test func `what is not HTTP is answered 400`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler())
    try await offPool { () throws in
      for bytes in ["\u{16}\u{03}\u{01}nonsense\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST\r\n\r\n"]
      {
        let socket = try ServerTestSocket(address)
        try socket.send(bytes)
        #expect(try socket.reply().status == 400)
        #expect(socket.isClosedByPeer)
      }
    }
    await server.stop(within: .zero)
  }

  @Test func `random bytes do not disturb other clients`() async throws {
    let (server, address) = try await started(ServerTestHTTPHandler())
    try await offPool { () throws in
      var random = SystemRandomNumberGenerator()
      for _ in 0..<50 {
        let socket = try ServerTestSocket(address)
        try? socket.send((0..<500).map { _ in UInt8.random(in: .min ... .max, using: &random) })
      }
      #expect(try ServerTestSocket(address).post("/echo", [1, 2]).body == [1, 2])
    }
    await server.stop(within: .zero)
    #expect(server.openConnections == 0)
  }

  @Test func `bytes under way are bounded for the server as a whole`() async throws {
    let handler = ServerTestHTTPHandler()
    let (server, address) = try await started(handler, budget: 2000) { $0.maxRequestBodySize = 1000 }
    try await offPool { () throws in
      let body = [UInt8](repeating: 1, count: 900)
      let holders = try (0..<2).map { _ in try ServerTestSocket(address) }
      for holder in holders {
        try holder.send(Array(ServerTestSocket.head("POST", "/hold", ["Content-Length: 900"]).utf8) + body)
      }
      #expect(becomesTrue { handler.held.withLock { $0.count } == 2 })
      #expect(server.heldBytes == 1800)
      let refused = try ServerTestSocket(address).post("/echo", body)
      #expect(refused.status == 503)
      #expect(refused.headers["retry-after"] == "1")
      handler.releaseAll()
      for holder in holders { #expect(try holder.reply().text == "released") }
      #expect(try ServerTestSocket(address).post("/echo", body).status == 200)
    }
    await server.stop(within: .zero)
  }

  @Test func `stopping answers what is under way and closes what is idle`() async throws {
    let handler = ServerTestHTTPHandler()
    let (server, address) = try await started(handler)
    try await offPool { () throws in
      let idle = try ServerTestSocket(address)
      #expect(try idle.post("/echo", [1]).status == 200)
      let busy = try ServerTestSocket(address)
      try busy.send(ServerTestSocket.head("POST", "/hold", ["Content-Length: 1"]) + "x")
      #expect(becomesTrue { handler.held.withLock { $0.count } == 1 })
      Task { await server.stop(within: .seconds(20)) }
      #expect(becomesTrue { idle.isClosedByPeer })
      #expect(becomesTrue { (try? ServerTestSocket(address)) == nil })
      handler.releaseAll()
      let reply = try busy.reply()
      #expect(reply.text == "released")
      #expect(reply.headers["connection"] == "close")
      #expect(busy.isClosedByPeer)
    }
    await server.stop(within: .zero)
    #expect(server.openConnections == 0)
  }

  @Test func `stopping closes what is still under way after the deadline`() async throws {
    let handler = ServerTestHTTPHandler()
    let (server, address) = try await started(handler)
    try await offPool { () throws in
      let busy = try ServerTestSocket(address)
      try busy.send(ServerTestSocket.head("POST", "/hold", ["Content-Length: 1"]) + "x")
      #expect(becomesTrue { handler.held.withLock { $0.count } == 1 })
      Task { await server.stop(within: .milliseconds(100)) }
      #expect(busy.isClosedByPeer)
    }
    await server.stop(within: .zero)
    handler.releaseAll()
  }
}

@Suite struct ServerListenTests {
  private func server(_ endpoint: String, _ transport: ListenTransport = .tcp) -> HTTPServer {
    var config = HTTPServerConfig(endpoint: endpoint)
    config.transport = transport
    return HTTPServer(config: config, handler: ServerTestHTTPHandler(), logger: quietLogger)
  }

  @Test func `localhost means the IPv4 loopback first`() async throws {
    let server = server("localhost:0")
    let address = try await server.start()
    #expect(address.hasPrefix("127.0.0.1:"))
    await server.stop(within: .zero)
  }

  @Test(arguments: [":0", "0.0.0.0:0", "[::]:0"])
  func `an unspecified host listens on IPv4 too`(_ endpoint: String) async throws {
    let server = server(endpoint)
    let address = try await server.start()
    #expect(try ServerTestSocket(address).post("/echo", [5]).body == [5])
    await server.stop(within: .zero)
  }

  @Test func `a port in use is an error that names the address`() async throws {
    let first = server("127.0.0.1:0")
    let address = try await first.start()
    let error = await #expect(throws: BindError.self) { try await server(address).start() }
    #expect(error?.description == "cannot listen on \(address): address already in use")
    await first.stop(within: .zero)
  }

  @Test func `a name that does not resolve is a bind error`() async throws {
    let error = await #expect(throws: BindError.self) { try await server("no-such-host.invalid:0").start() }
    #expect(error?.address == "no-such-host.invalid:0")
  }

  @Test func `a socket file serves, survives a crash and is removed`() async throws {
    let path = "/tmp/transport-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
    // A socket file that nobody listens on, as a crash leaves it.
    let stale = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    close(stale)

    let server = server(path, .unix)
    let address = try await server.start()
    #expect(address == path)
    #expect(try ServerTestSocket(path).post("/echo", [9]).body == [9])
    let error = await #expect(throws: BindError.self) { try await self.server(path, .unix).start() }
    #expect(error?.reason == "address already in use")
    #expect(try ServerTestSocket(path).post("/echo", [9]).body == [9])
    await server.stop(within: .zero)
    #expect(access(path, F_OK) != 0)
  }
}
