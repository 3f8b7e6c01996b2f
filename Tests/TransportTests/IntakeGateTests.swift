import Glibc
import PipelineKit
import Synchronization
import Testing

@testable import Transport

/// A gate that a test opens and closes, and what the server said about it.
private final class Gate: Sendable {
  let reason = Mutex<String?>(nil)
  let refusals = Mutex<[RefusalReason]>([])

  func hooks(_ requests: ByteBudget? = nil) -> ServerHooks {
    ServerHooks(
      gate: { self.reason.withLock { $0 } },
      refused: { reason in self.refusals.withLock { $0.append(reason) } },
      requests: requests)
  }
  func close(_ text: String) { reason.withLock { $0 = text } }
  func open() { reason.withLock { $0 = nil } }
}

@Suite struct IntakeGateTests {
  private func http(
    _ gate: Gate, _ requests: ByteBudget? = nil
  ) async throws -> (HTTPServer, ServerTestHTTPHandler, String) {
    let handler = ServerTestHTTPHandler()
    let server = HTTPServer(
      config: HTTPServerConfig(endpoint: "127.0.0.1:0"), handler: handler, logger: quietLogger,
      hooks: gate.hooks(requests))
    return (server, handler, try await server.start())
  }

  @Test func `a closed gate answers 503 from the head alone`() async throws {
    let gate = Gate()
    let (server, handler, address) = try await http(gate)
    gate.close("no memory")
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      // The body never comes: the answer must not wait for it.
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 1000000"]))
      let reply = try socket.reply()
      #expect(reply.status == 503)
      #expect(reply.headers["retry-after"] == "1")
      #expect(String(decoding: reply.body, as: UTF8.self) == "no memory")
    }
    #expect(server.heldBytes == 0)
    #expect(handler.seen.withLock { $0.isEmpty })
    #expect(gate.refusals.withLock { $0 } == [.gate])
    await server.stop(within: .zero)
  }

  @Test func `a small request that was refused leaves the connection as it was`() async throws {
    let gate = Gate()
    let (server, handler, address) = try await http(gate)
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      gate.close("no memory")
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 5"]) + "hello")
      #expect(try socket.reply().status == 503)
      gate.open()
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 5"]) + "again")
      let reply = try socket.reply()
      #expect(reply.status == 200 && String(decoding: reply.body, as: UTF8.self) == "again")
    }
    #expect(handler.seen.withLock { $0.count } == 1)
    await server.stop(within: .zero)
  }

  @Test func `a closed gate comes before 100 Continue`() async throws {
    let gate = Gate()
    gate.close("no memory")
    let (server, _, address) = try await http(gate)
    try await offPool { () throws in
      let socket = try ServerTestSocket(address)
      try socket.send(
        ServerTestSocket.head("POST", "/echo", ["Content-Length: 5", "Expect: 100-continue"]))
      #expect(try socket.reply().status == 503)
    }
    await server.stop(within: .zero)
  }

  @Test func `a closed gate answers UNAVAILABLE with details before the message comes`() async throws {
    let gate = Gate()
    let handler = ServerTestGRPCHandler()
    let server = GRPCServer(
      config: GRPCServerConfig(endpoint: "127.0.0.1:0"), handler: handler, logger: quietLogger,
      hooks: gate.hooks())
    let address = try await server.start()
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      #expect(try peer.call("/t.S/Echo", [1]).trailers["grpc-status"] == "0")
      gate.close("no memory")
      for _ in 0..<300 {
        let answer = try peer.call("/t.S/Echo", Array(repeating: 7, count: 50_000))
        #expect(answer.trailers["grpc-status"] == "14" || answer.headers["grpc-status"] == "14")
        #expect(
          answer.trailers["grpc-status-details-bin"] != nil
            || answer.headers["grpc-status-details-bin"] != nil)
      }
      gate.open()
      #expect(try peer.call("/t.S/Echo", [2]).trailers["grpc-status"] == "0")
    }
    #expect(server.heldBytes == 0)
    #expect(handler.seen.withLock { $0.count } == 2)
    #expect(gate.refusals.withLock { $0.count } == 300)
    await server.stop(within: .zero)
  }

  @Test func `servers share the bound of the process`() async throws {
    let whole = ByteBudget(limit: 30 << 20)
    let (first, second) = (Gate(), Gate())
    let (one, held, oneAddress) = try await http(first, whole)
    let (two, _, twoAddress) = try await http(second, whole)
    let body = String(repeating: "x", count: 16 << 20)
    try await offPool { () throws in
      let socket = try ServerTestSocket(oneAddress)
      try socket.send(ServerTestSocket.head("POST", "/hold", ["Content-Length: \(body.utf8.count)"]) + body)
      while held.held.withLock({ $0.isEmpty }) { usleep(1000) }
      #expect(whole.held == one.heldBytes && whole.held >= body.utf8.count)
      let other = try ServerTestSocket(twoAddress)
      try? other.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: \(body.utf8.count)"]) + body)
      #expect(try other.reply().status == 503)
      held.releaseAll()
      #expect(try socket.reply().status == 200)
    }
    #expect(whole.held == 0 && one.heldBytes == 0 && two.heldBytes == 0)
    await one.stop(within: .zero)
    await two.stop(within: .zero)
  }
}
