import Glibc
import Testing

@testable import Transport

/// Clients that take for ever: to send, or to read.
@Suite struct HostileSlowTests {
  // MARK: Sending

  @Test func `a connection that says nothing is closed`() async throws {
    try await attackGRPC({ $0.limits.handshakeTimeout = .seconds(2) }) { (victim) throws in
      #expect(try ServerTestSocket(victim.address).isClosedByPeer)
      #expect(victim.refusals.all == [.slowRequest: 1])
    }
  }

  @Test func `a client that never confirms the settings is sent away`() async throws {
    try await attackGRPC({ $0.limits.handshakeTimeout = .seconds(2) }) { victim in
      let socket = try ServerTestSocket(victim.address)
      try socket.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
      try socket.send(ServerTestHTTP2Peer.frame(4, 0, 0, []))
      #expect(socket.isClosedByPeer)
      #expect(victim.refusals.all == [.slowRequest: 1])
    }
  }

  @Test func `a frame that is never complete ends the connection`() async throws {
    try await attackGRPC({ $0.limits.stallTimeout = .seconds(2) }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      #expect(try peer.echo([1]).message == [1])
      let frame = ServerTestHTTP2Peer.frame(1, 4, 3, ServerTestHTTP2Peer.head)
      try peer.socket.send(Array(frame.dropLast(10)))
      peer.socket.onThread { descriptor in
        // A byte now and then does not help.
        for _ in 0..<9 {
          usleep(250_000)
          _ = send(descriptor, "a", 1, CInt(MSG_NOSIGNAL))
        }
      }
      #expect(peer.isClosedByPeer)
      #expect(peer.goAways.map(\.code) == [11])
      #expect(victim.refusals.all == [.slowRequest: 1])
    }
  }

  @Test func `a message that pauses too long is refused`() async throws {
    try await attackGRPC({ $0.limits.stallTimeout = .seconds(2) }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      let stream = try peer.open()
      try peer.data(Array(ServerTestHTTP2Peer.framed([1, 2, 3]).dropLast()), on: stream, end: false)
      #expect(try peer.answer(stream).status == "4")
      #expect(try peer.echo([1]).message == [1])
      #expect(victim.refusals.all == [.slowRequest: 1])
    }
  }

  @Test func `a connection whose last request came in many reads may be idle`() async throws {
    try await attackGRPC({ $0.limits.stallTimeout = .seconds(1) }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      for count in stride(from: 1000, through: 9000, by: 1000) {
        #expect(try peer.echo(Array(repeating: 7, count: count)).message.count == count)
      }
      // And one that the server refuses before it has all of it: what still comes is nobody's.
      let refused = try peer.open("/t.S/Echo", [("content-type", "text/plain")])
      #expect(try peer.answer(refused).isEnded)
      try peer.data([1, 2, 3], on: refused, end: false)
      usleep(2_500_000)
      #expect(try peer.echo([1]).message == [1])
      #expect(victim.refusals.all[.slowRequest] == nil)
    }
  }

  @Test func `slow HTTP requests are counted`() async throws {
    try await attackHTTP({
      $0.readHeaderTimeout = .seconds(2)
      $0.idleTimeout = .seconds(2)
    }) { victim in
      let head = try ServerTestSocket(victim.address)
      try head.send("POST /echo HTTP/1.1\r\nHost:")
      #expect(try head.reply().status == 408)
      let body = try ServerTestSocket(victim.address)
      try body.send(ServerTestSocket.head("POST", "/echo", ["Content-Length: 5"]) + "a")
      #expect(try body.reply().status == 408)
      let silent = try ServerTestSocket(victim.address)
      #expect(silent.isClosedByPeer)
      #expect(victim.refusals.all == [.slowRequest: 3])
    }
  }

  @Test func `a connection that was served may be idle`() async throws {
    try await attackHTTP({ $0.idleTimeout = .seconds(1) }) { victim in
      let idle = try ServerTestSocket(victim.address)
      #expect(try idle.post("/echo", [1]).status == 200)
      #expect(idle.isClosedByPeer)
      #expect(victim.refusals.all.isEmpty)
    }
  }

  // MARK: Reading

  @Test func `answers that the client's window has no room for do not pile up`() async throws {
    try await attackGRPC({
      $0.maxConcurrentStreams = 50
      $0.limits.writeTimeout = .seconds(2)
    }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      try peer.send(type: 4, flags: 0, stream: 0, [0, 4, 0, 0, 0, 0])
      for _ in 0..<50 {
        let stream = try peer.open()
        try peer.data(ServerTestHTTP2Peer.framed([1]), on: stream)
      }
      #expect(becomesTrue { victim.handler.seen.withLock { $0.count } == 50 })
      #expect(victim.server.openStreams == 50)
      #expect(peer.isClosedByPeer)
      #expect(peer.goAways.map(\.code) == [11])
      #expect(victim.refusals.all == [.slowReader: 1])
      #expect(becomesTrue { victim.server.openStreams == 0 })
    }
  }

  @Test func `a window that opens in time lets the answers out`() async throws {
    try await attackGRPC({ $0.limits.writeTimeout = .seconds(30) }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      try peer.send(type: 4, flags: 0, stream: 0, [0, 4, 0, 0, 0, 0])
      let stream = try peer.open()
      try peer.data(ServerTestHTTP2Peer.framed([1, 2]), on: stream)
      #expect(becomesTrue { victim.handler.seen.withLock { $0.count } == 1 })
      try peer.send(type: 8, flags: 0, stream: stream, [0, 0, 1, 0])
      #expect(try peer.answer(stream).message == [1, 2])
      #expect(victim.refusals.all.isEmpty)
    }
  }

  @Test func `a gRPC client that reads nothing is closed`() async throws {
    try await attackGRPC({ $0.limits.writeTimeout = .seconds(2) }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      try peer.readUntil { peer.settings[4] != nil }
      let path = "/" + String(repeating: "n", count: 249)
      let head = ServerTestHTTP2Peer.block([
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "a"),
        ("content-type", "application/grpc"),
      ])
      var sent = 0
      for part in 0..<200 {
        let calls = (1000 * part..<1000 * part + 1000).flatMap { number in
          ServerTestHTTP2Peer.frame(1, 5, UInt32(2 * number + 1), head)
        }
        guard (try? peer.socket.send(calls)) != nil else { break }
        sent += 1
      }
      #expect(sent < 200)
      #expect(becomesTrue { victim.refusals.all == [.slowReader: 1] })
    }
  }

  @Test func `pipelined requests whose answers nobody reads are not all taken`() async throws {
    try await attackHTTP({ $0.writeTimeout = .seconds(2) }) { victim in
      let body = [UInt8](repeating: 97, count: 64 << 10)
      let request =
        Array(ServerTestSocket.head("POST", "/echo", ["Content-Length: \(body.count)"]).utf8) + body
      let socket = try ServerTestSocket(victim.address)
      var sent = 0
      for _ in 0..<2000 {
        guard (try? socket.send(request)) != nil else { break }
        sent += 1
      }
      #expect(sent < 2000)
      #expect(becomesTrue { victim.refusals.all == [.slowReader: 1] })
      #expect(becomesTrue { victim.server.openConnections == 0 })
    }
  }

  @Test func `thousands of requests behind one that waits are read when it is answered`() async throws {
    try await attackHTTP { victim in
      let socket = try ServerTestSocket(victim.address)
      // Large bodies first: the server reads more at a time from one that sends much.
      for _ in 0..<5 {
        #expect(try socket.post("/echo", [UInt8](repeating: 1, count: 500_000)).status == 200)
      }
      let small = ServerTestSocket.head("GET", "/", [])
      try socket.send(
        ServerTestSocket.head("POST", "/hold", ["Content-Length: 1"]) + "a"
          + String(repeating: small, count: 2000))
      #expect(becomesTrue { victim.handler.seen.withLock { $0.count } == 6 })
      victim.handler.releaseAll()
      #expect(try socket.reply().text == "released")
      for _ in 0..<2000 { #expect(try socket.reply().status == 200) }
      #expect(victim.handler.seen.withLock { $0.count } == 2006)
      #expect(victim.refusals.all == [:])
    }
  }
}
