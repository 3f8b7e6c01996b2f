import Testing

@testable import Transport

/// Clients that open more connections than they should.
@Suite struct HostileConnectionTests {
  @Test func `connections beyond the limit are closed at once and those before them served`() async throws {
    try await attackHTTP({ $0.limits.maxConnections = 3 }) { victim in
      let good = try (0..<3).map { _ in try ServerTestSocket(victim.address) }
      for socket in good { #expect(try socket.post("/echo", [1]).body == [1]) }
      for _ in 0..<20 { #expect(try ServerTestSocket(victim.address).isClosedByPeer) }
      #expect(victim.refusals.all == [.connections: 20])
      #expect(victim.refusals.connections == 3)
      #expect(victim.server.openConnections == 3)
      for socket in good { #expect(try socket.post("/echo", [2]).body == [2]) }
    }
  }

  @Test func `gRPC connections are bounded in the same way`() async throws {
    try await attackGRPC({ $0.limits.shared.maxConnections = 2 }) { victim in
      let good = try (0..<2).map { _ in try ServerTestHTTP2Peer(victim.address) }
      for peer in good { #expect(try peer.echo([1]).message == [1]) }
      for _ in 0..<5 { #expect(try ServerTestSocket(victim.address).isClosedByPeer) }
      #expect(victim.refusals.all == [.connections: 5])
      for peer in good { #expect(try peer.echo([2]).message == [2]) }
    }
  }

  @Test func `one address may be held to fewer connections`() async throws {
    try await attackHTTP({ $0.limits.maxConnectionsPerPeer = 2 }) { victim in
      do {
        let good = try (0..<2).map { _ in try ServerTestSocket(victim.address) }
        for socket in good { #expect(try socket.post("/echo", [1]).body == [1]) }
        #expect(try ServerTestSocket(victim.address).isClosedByPeer)
        #expect(victim.refusals.all == [.connections: 1])
      }
      #expect(becomesTrue { victim.server.openConnections == 0 })
    }
  }
}
