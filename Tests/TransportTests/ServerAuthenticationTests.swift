import Glibc
import Synchronization
import Testing

@testable import Transport

/// Decides by the `authorization` header: `good` and `bad` at once, `later…` when told to, `drop` never.
final class TestAuthenticator: ServerAuthenticator {
  let challenge = "Test realm=\"here\""
  let waiting = Mutex<[@Sendable (AuthenticationDecision) -> Void]>([])

  func authenticate(
    _ values: (String) -> [String], later: @escaping @Sendable (AuthenticationDecision) -> Void
  ) -> AuthenticationDecision? {
    switch values("authorization").first {
    case "good": return .allowed
    case "later":
      waiting.withLock { $0.append(later) }
      return nil
    case "drop": return nil
    case "busy": return .unavailable("come back")
    case nil: return .denied("no credentials")
    default: return .denied("wrong credentials")
    }
  }

  func identity(_ values: (String) -> [String]) -> [String: [String]] { ["user": values("authorization")] }

  func decide(_ decision: AuthenticationDecision) {
    let all = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for later in all { later(decision) }
  }

  var count: Int { waiting.withLock { $0.count } }
}

/// What the hooks of a server were told.
final class ToldHooks: Sendable {
  let authenticator = TestAuthenticator()
  let refusals = Mutex<[RefusalReason]>([])
  let denials = Mutex<[(peer: String, reason: String)]>([])

  var hooks: ServerHooks {
    ServerHooks(
      authenticator: authenticator, refused: { reason in self.refusals.withLock { $0.append(reason) } },
      denied: { peer, reason in self.denials.withLock { $0.append((peer, reason)) } })
  }
}

@Suite struct HTTPServerAuthenticationTests {
  private func withServer(
    _ configure: (inout HTTPServerConfig) -> Void = { _ in },
    _ body: @escaping @Sendable (String, ServerTestHTTPHandler, ToldHooks, HTTPServer) throws -> Void
  ) async throws {
    var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
    configure(&config)
    let handler = ServerTestHTTPHandler()
    let told = ToldHooks()
    let server = HTTPServer(config: config, handler: handler, logger: quietLogger, hooks: told.hooks)
    let address = try await server.start()
    do { try await offPool { try body(address, handler, told, server) } } catch {
      await server.stop(within: .zero)
      throw error
    }
    await server.stop(within: .zero)
  }

  @Test func `who may not send is answered 401 with a challenge, in the handler's form`() async throws {
    try await withServer { address, handler, told, _ in
      let socket = try ServerTestSocket(address)
      for (headers, reason) in [([], "no credentials"), (["Authorization: bad"], "wrong credentials")] {
        let reply = try socket.post("/echo", [1, 2], headers: headers + ["Content-Type: a/b"])
        #expect(reply.status == 401)
        #expect(reply.headers["www-authenticate"] == "Test realm=\"here\"")
        #expect(reply.headers["content-type"] == "failure/a/b")
        #expect(reply.text == reason)
      }
      // The connection goes on, and the path is not told to strangers.
      #expect(try socket.post("/missing", []).status == 401)
      #expect(try socket.post("/echo", [1, 2], headers: ["Authorization: good"]).body == [1, 2])
      #expect(handler.seen.withLock { $0.count } == 1)
      #expect(told.refusals.withLock { $0 } == [.authentication, .authentication, .authentication])
      let denials = told.denials.withLock { $0 }
      #expect(denials.map(\.reason) == ["no credentials", "wrong credentials", "no credentials"])
      #expect(denials.allSatisfy { $0.peer.hasPrefix("127.0.0.1:") })
    }
  }

  @Test func `a large body that is not wanted does not eat the answer`() async throws {
    try await withServer { address, _, _, server in
      let socket = try ServerTestSocket(address)
      let body = [UInt8](repeating: 7, count: 8 << 20)
      try socket.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: \(body.count)"]))
      socket.onThread { descriptor in
        body.withUnsafeBytes { _ = send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      }
      #expect(try socket.reply().status == 401)
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `a client that waits for 100-continue is answered 401 instead`() async throws {
    try await withServer { address, _, _, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(
        ServerTestSocket.head("POST", "/echo", ["Content-Length: 100", "Expect: 100-continue"]))
      #expect(try socket.reply().status == 401)
    }
  }

  @Test func `a decision that comes later holds the request and those behind it`() async throws {
    try await withServer { address, handler, told, _ in
      let socket = try ServerTestSocket(address)
      for (decision, status) in [(AuthenticationDecision.allowed, 200), (.denied("no"), 401)] {
        for byte in ["x", "y"] {
          try socket.send(
            ServerTestSocket.head("POST", "/echo", ["Content-Length: 1", "Authorization: later"]) + byte)
        }
        #expect(becomesTrue { told.authenticator.count == 1 })
        told.authenticator.decide(decision)
        #expect(try socket.reply().status == status)
        #expect(becomesTrue { told.authenticator.count == 1 })
        told.authenticator.decide(.allowed)
        #expect(try socket.reply().text == "y")
      }
      #expect(handler.seen.withLock { $0.count } == 3)
    }
  }

  @Test func `a body larger than what is read ahead arrives whole after the decision`() async throws {
    try await withServer { address, _, told, server in
      let socket = try ServerTestSocket(address)
      let body = [UInt8](repeating: 7, count: 4 << 20)
      try socket.send(
        ServerTestSocket.head("POST", "/echo", ["Content-Length: \(body.count)", "Authorization: later"]))
      socket.onThread { descriptor in
        body.withUnsafeBytes { _ = send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      }
      #expect(becomesTrue { told.authenticator.count == 1 })
      #expect(server.heldBytes == 0)
      told.authenticator.decide(.allowed)
      #expect(try socket.reply().body == body)
    }
  }

  @Test func `a client that leaves before the decision is forgotten`() async throws {
    try await withServer { address, handler, told, server in
      for ending in ["close", "half"] {
        do {
          let socket = try ServerTestSocket(address)
          try socket.send(
            ServerTestSocket.head("POST", "/echo", ["Content-Length: 5", "Authorization: later"]) + "ab")
          #expect(becomesTrue { told.authenticator.count == 1 })
          if ending == "half" {
            socket.endSending()
            told.authenticator.decide(.allowed)
            #expect(socket.isClosedByPeer)
          }
        }
        told.authenticator.decide(.allowed)
        #expect(becomesTrue { server.openConnections == 0 })
      }
      #expect(handler.seen.withLock { $0.isEmpty })
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `an authenticator that forgets a request denies it, and one that is busy asks to come back`()
    async throws
  {
    try await withServer { address, _, told, _ in
      let socket = try ServerTestSocket(address)
      #expect(try socket.post("/echo", [], headers: ["Authorization: drop"]).status == 401)
      let busy = try socket.post("/echo", [], headers: ["Authorization: busy"])
      #expect(busy.status == 503)
      #expect(busy.headers["retry-after"] != nil)
      #expect(told.refusals.withLock { $0.count } == 2)
      // Being busy is no failure of the client.
      #expect(told.denials.withLock { $0.count } == 1)
    }
  }

  @Test func `a preflight needs no credentials, what follows does`() async throws {
    try await withServer({
      $0.cors = CORSConfig()
      $0.cors?.allowedOrigins = ["https://a.example"]
    }) { address, _, told, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(
        ServerTestSocket.head(
          "OPTIONS", "/echo", ["Origin: https://a.example", "Access-Control-Request-Method: POST"]))
      #expect(try socket.reply().status == 204)
      let reply = try socket.post("/echo", [], headers: ["Origin: https://a.example"])
      #expect(reply.status == 401)
      #expect(reply.headers["access-control-allow-origin"] == "https://a.example")
      #expect(told.refusals.withLock { $0.count } == 1)
    }
  }
}

@Suite struct GRPCServerAuthenticationTests {
  private func withServer(
    _ body: @escaping @Sendable (String, ServerTestGRPCHandler, ToldHooks, GRPCServer) throws -> Void
  ) async throws {
    let handler = ServerTestGRPCHandler()
    let told = ToldHooks()
    let config = GRPCServerConfig(endpoint: "127.0.0.1:0")
    let server = GRPCServer(
      config: config, handler: handler, logger: quietLogger,
      hooks: told.hooks)
    let address = try await server.start()
    do { try await offPool { try body(address, handler, told, server) } } catch {
      await server.stop(within: .zero)
      throw error
    }
    await server.stop(within: .zero)
  }

  @Test func `who may not send is answered UNAUTHENTICATED`() async throws {
    try await withServer { address, handler, told, server in
      let peer = try ServerTestHTTP2Peer(address)
      let none = try peer.echo([1])
      #expect(none.status == "16")
      #expect(none.statusMessage == "no credentials")
      #expect(try peer.echo([1], [("authorization", "bad")]).status == "16")
      #expect(try peer.call("/unknown", [1]).status == "16")
      #expect(try peer.echo([1], [("authorization", "busy")]).status == "14")
      #expect(try peer.echo([1, 2], [("authorization", "good")]).message == [1, 2])
      #expect(handler.seen.withLock { $0.count } == 1)
      #expect(told.refusals.withLock { $0.count } == 4)
      #expect(told.denials.withLock { $0.count } == 3)
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `a refused client is told before its message is complete`() async throws {
    try await withServer { address, _, _, _ in
      let peer = try ServerTestHTTP2Peer(address)
      let answer = try peer.answer(try peer.open())
      #expect(answer.status == "16")
    }
  }

  @Test func `decisions that come later hold their requests alone`() async throws {
    try await withServer { address, _, told, server in
      let peer = try ServerTestHTTP2Peer(address)
      let held = try peer.open("/t.S/Echo", [("authorization", "later")])
      try peer.data(ServerTestHTTP2Peer.framed([9]), on: held)
      #expect(becomesTrue { told.authenticator.count == 1 })
      #expect(try peer.echo([1], [("authorization", "good")]).message == [1])
      #expect(server.heldBytes == 6)
      told.authenticator.decide(.allowed)
      #expect(try peer.answer(held).message == [9])
      #expect(server.heldBytes == 0)

      let denied = try peer.open("/t.S/Echo", [("authorization", "later")])
      try peer.data(ServerTestHTTP2Peer.framed([9]), on: denied)
      #expect(becomesTrue { told.authenticator.count == 1 })
      told.authenticator.decide(.denied("no"))
      #expect(try peer.answer(denied).status == "16")
      #expect(server.heldBytes == 0)
      #expect(try peer.echo([1], [("authorization", "drop")]).status == "16")
    }
  }

  @Test func `requests beyond those that may wait are asked to come back`() async throws {
    try await withServer { address, _, told, server in
      let peer = try ServerTestHTTP2Peer(address)
      // Until the settings are confirmed a client may open no more than a hundred streams.
      try peer.readUntil { peer.settings[4] != nil }
      let limit = RequestAuthentication.pendingLimit
      // The settings first: what comes before them counts against a smaller limit.
      #expect(try peer.echo([1], [("authorization", "good")]).status == "0")
      let streams = try (0..<limit).map { _ in
        try peer.open("/t.S/Echo", [("authorization", "later")])
      }
      #expect(becomesTrue { told.authenticator.count == limit })
      #expect(try peer.echo([1], [("authorization", "later")]).status == "14")
      #expect(try peer.echo([1], [("authorization", "good")]).status == "0")
      told.authenticator.decide(.allowed)
      for stream in streams {
        try peer.data(ServerTestHTTP2Peer.framed([2]), on: stream)
        #expect(try peer.answer(stream).message == [2])
      }
      let next = try peer.open("/t.S/Echo", [("authorization", "later")])
      try peer.data(ServerTestHTTP2Peer.framed([3]), on: next)
      #expect(becomesTrue { told.authenticator.count == 1 })
      told.authenticator.decide(.allowed)
      #expect(try peer.answer(next).message == [3])
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `a message larger than the window arrives whole after the decision`() async throws {
    try await withServer { address, _, told, server in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open("/t.S/Count", [("authorization", "later")])
      let message = [UInt8](repeating: 5, count: 3 << 20)
      onThread {
        // The window lets a mebibyte in, and no more, until the decision.
        _ = becomesTrue { server.heldBytes == 1 << 20 }
        usleep(20_000)
        if server.heldBytes == 1 << 20 { told.authenticator.decide(.allowed) }
      }
      try peer.data(ServerTestHTTP2Peer.framed(message), on: stream)
      #expect(String(decoding: try peer.answer(stream).message, as: UTF8.self) == "\(3 << 20)")
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `clients that leave before the decision are forgotten`() async throws {
    try await withServer { address, handler, told, server in
      do {
        let peer = try ServerTestHTTP2Peer(address)
        let stream = try peer.open("/t.S/Echo", [("authorization", "later")])
        try peer.data(ServerTestHTTP2Peer.framed([9]), on: stream)
        #expect(becomesTrue { server.heldBytes == 6 })
        // RST_STREAM, CANCEL.
        try peer.send(type: 3, flags: 0, stream: stream, [0, 0, 0, 8])
        #expect(becomesTrue { server.heldBytes == 0 })
        told.authenticator.decide(.allowed)
        let other = try peer.open("/t.S/Echo", [("authorization", "later")])
        try peer.data(ServerTestHTTP2Peer.framed([9]), on: other)
        #expect(becomesTrue { server.heldBytes == 6 })
      }
      #expect(becomesTrue { server.heldBytes == 0 && server.openConnections == 0 })
      told.authenticator.decide(.allowed)
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }
}

@Suite struct ConstantTimeTests {
  @Test func `equal texts are equal, and nothing else is`() {
    let texts: [[UInt8]] = [[], [1], [1, 2], [1, 2, 2], [1, 2, 3], [3, 2, 1], [0], [0, 0]]
    for (index, left) in texts.enumerated() {
      for (other, right) in texts.enumerated() {
        #expect(ConstantTime.equal(left, right) == (index == other))
      }
      #expect(ConstantTime.contains(left, in: texts))
      #expect(!ConstantTime.contains(left, in: texts.filter { $0 != left }))
    }
    #expect(!ConstantTime.contains([], in: []))
  }
}
