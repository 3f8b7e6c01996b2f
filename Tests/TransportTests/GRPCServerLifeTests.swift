import Glibc
import Testing

@testable import Transport

private func started(
  _ handler: ServerTestGRPCHandler = ServerTestGRPCHandler(),
  _ configure: (inout GRPCServerConfig) -> Void = { _ in }
) async throws -> (GRPCServer, String) {
  var config = GRPCServerConfig(endpoint: "127.0.0.1:0")
  configure(&config)
  let server = GRPCServer(config: config, handler: handler, logger: quietLogger)
  return (server, try await server.start())
}

@Suite struct GRPCServerLifeTests {
  @Test func `the settings say what the server allows`() async throws {
    let (server, address) = try await started { $0.maxConcurrentStreams = 7 }
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      #expect(try peer.echo([1]).status == "0")
      #expect(peer.settings[3] == 7)
      #expect(peer.settings[4] == 1 << 20)
    }
    await server.stop(within: .zero)
  }

  @Test func `streams beyond the limit are refused`() async throws {
    let handler = ServerTestGRPCHandler()
    let (server, address) = try await started(handler) { $0.maxConcurrentStreams = 2 }
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      #expect(try peer.echo([1]).status == "0")
      for _ in 0..<3 {
        let stream = try peer.open("/t.S/Hold")
        try? peer.data(ServerTestHTTP2Peer.framed([1]), on: stream)
      }
      try? peer.readUntil { !peer.goAways.isEmpty || peer.answers[7]?.reset != nil }
      #expect(!peer.goAways.isEmpty || peer.answers[7]?.reset != nil)
      #expect(handler.held.withLock { $0.count } <= 2)
      #expect(try ServerTestHTTP2Peer(address).echo([2]).message == [2])
    }
    await server.stop(within: .zero)
  }

  @Test func `too many pings end the connection`() async throws {
    let (server, address) = try await started()
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      for index in 0..<5 {
        try? peer.send(type: 6, flags: 0, stream: 0, [0, 0, 0, 0, 0, 0, 0, UInt8(index)])
      }
      #expect(peer.isClosedByPeer)
      #expect(peer.goAways.last?.code == 11)
      #expect(peer.goAways.last?.text == "too_many_pings")
    }
    await server.stop(within: .zero)
  }

  @Test func `pings within the policy are answered`() async throws {
    let (server, address) = try await started {
      $0.keepalive = KeepaliveServerConfig()
      $0.keepalive?.enforcementPolicy.minTime = .nanoseconds(1)
      $0.keepalive?.enforcementPolicy.permitWithoutStream = true
    }
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      for index in 0..<10 {
        try peer.send(type: 6, flags: 0, stream: 0, [0, 0, 0, 0, 0, 0, 0, UInt8(index)])
      }
      try peer.readUntil { peer.pings.filter(\.isAck).count == 10 }
      #expect(try peer.echo([1]).status == "0")
    }
    await server.stop(within: .zero)
  }

  @Test func `a client that does not answer the server's ping is closed`() async throws {
    let (server, address) = try await started {
      $0.keepalive = KeepaliveServerConfig()
      $0.keepalive?.serverParameters.time = .milliseconds(1)
      $0.keepalive?.serverParameters.timeout = .milliseconds(100)
    }
    try await offPool { () throws in
      let dead = try ServerTestHTTP2Peer(address)
      dead.answersPings = false
      #expect(dead.isClosedByPeer)
      #expect(dead.pings.contains { !$0.isAck })
    }
    await server.stop(within: .zero)
  }

  @Test func `an idle connection is asked to go`() async throws {
    let (server, address) = try await started {
      $0.keepalive = KeepaliveServerConfig()
      $0.keepalive?.serverParameters.maxConnectionIdle = .seconds(1)
    }
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      #expect(try peer.echo([1]).status == "0")
      #expect(peer.isClosedByPeer)
      #expect(peer.goAways.map(\.code) == [0, 0])
      #expect(peer.goAways.map(\.last) == [0x7FFF_FFFF, 1])
    }
    await server.stop(within: .zero)
  }

  @Test func `an old connection is closed after its grace`() async throws {
    let (server, address) = try await started {
      $0.keepalive = KeepaliveServerConfig()
      $0.keepalive?.serverParameters.maxConnectionAge = .milliseconds(100)
      $0.keepalive?.serverParameters.maxConnectionAgeGrace = .milliseconds(100)
    }
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open("/t.S/Hold")
      try peer.data(ServerTestHTTP2Peer.framed([1]), on: stream)
      #expect(peer.isClosedByPeer)
      #expect(!peer.goAways.isEmpty)
    }
    await server.stop(within: .zero)
  }

  @Test func `stopping answers what is under way`() async throws {
    let handler = ServerTestGRPCHandler()
    let (server, address) = try await started(handler)
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open("/t.S/Hold")
      try peer.data(ServerTestHTTP2Peer.framed([1]), on: stream)
      #expect(becomesTrue { handler.held.withLock { $0.count } == 1 })
      Task { await server.stop(within: .seconds(20)) }
      try peer.readUntil { peer.goAways.count == 2 }
      for responder in handler.held.withLock({ $0 }) { responder.respond([5]) }
      let answer = try peer.answer(stream)
      #expect(answer.message == [5])
      #expect(answer.status == "0")
      #expect(peer.isClosedByPeer)
    }
    await server.stop(within: .zero)
    #expect(server.openConnections == 0)
  }

  @Test func `what is not HTTP 2 is closed`() async throws {
    let (server, address) = try await started()
    try await offPool { () throws in
      for bytes in [
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}\u{00} a hello of TLS, not of HTTP/2",
      ] {
        let socket = try ServerTestSocket(address)
        try socket.send(bytes)
        #expect(socket.isClosedByPeer)
      }
      #expect(try ServerTestHTTP2Peer(address).echo([1]).status == "0")
    }
    await server.stop(within: .zero)
  }

  @Test func `random frames do not disturb other clients`() async throws {
    let (server, address) = try await started()
    try await offPool { () throws in
      let steady = try ServerTestHTTP2Peer(address)
      for _ in 0..<100 {
        let peer = try ServerTestHTTP2Peer(address)
        for _ in 0..<5 {
          let payload = (0..<Int.random(in: 0..<64)).map { _ in UInt8.random(in: 0...255) }
          try? peer.send(
            type: .random(in: 0...10), flags: .random(in: 0...255), stream: .random(in: 0...5), payload)
        }
      }
      #expect(try steady.echo([1]).status == "0")
    }
    await server.stop(within: .zero)
    #expect(server.openConnections == 0)
  }

  @Test func `a header block over the limit ends the connection`() async throws {
    let (server, address) = try await started()
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      _ = try? peer.open("/t.S/Echo", [("x-long", String(repeating: "a", count: 60_000))])
      #expect(peer.isClosedByPeer)
      #expect(try ServerTestHTTP2Peer(address).echo([1]).status == "0")
    }
    await server.stop(within: .zero)
  }

  @Test func `rapid resets end the connection`() async throws {
    let (server, address) = try await started()
    try await offPool { () throws in
      let peer = try ServerTestHTTP2Peer(address)
      for _ in 0..<1000 {
        guard let stream = try? peer.open("/t.S/Hold"),
          (try? peer.send(type: 3, flags: 0, stream: stream, [0, 0, 0, 8])) != nil
        else { break }
      }
      #expect(peer.isClosedByPeer)
      #expect(try ServerTestHTTP2Peer(address).echo([1]).status == "0")
    }
    await server.stop(within: .zero)
  }

  @Test func `a connection that breaks off gives its bytes back`() async throws {
    let (server, address) = try await started()
    try await offPool { () throws in
      do {
        let peer = try ServerTestHTTP2Peer(address)
        let stream = try peer.open()
        try peer.data([0, 0, 0, 1, 0] + [UInt8](repeating: 1, count: 100), on: stream, end: false)
        #expect(becomesTrue { server.heldBytes == 100 })
      }
      #expect(becomesTrue { server.heldBytes == 0 && server.openConnections == 0 })
    }
    await server.stop(within: .zero)
  }
}
