import Synchronization
import Testing

@testable import Transport

/// Counts what a server refuses, and its open connections.
final class ServerTestRefusals: Sendable {
  private let counts = Mutex<[RefusalReason: Int]>([:])
  private let open = Mutex(0)

  var hooks: ServerHooks {
    var hooks = ServerHooks(refused: { reason in self.counts.withLock { $0[reason, default: 0] += 1 } })
    hooks.connectionsChanged = { change in self.open.withLock { $0 += change } }
    return hooks
  }

  var all: [RefusalReason: Int] { counts.withLock { $0 } }
  var connections: Int { open.withLock { $0 } }

  subscript(reason: RefusalReason) -> Int { counts.withLock { $0[reason] ?? 0 } }
}

/// One server under attack, with what the tests look at.
struct ServerTestVictim<Server: Sendable, Handler: Sendable>: Sendable {
  let server: Server
  let handler: Handler
  let refusals: ServerTestRefusals
  let address: String
}

typealias HTTPVictim = ServerTestVictim<HTTPServer, ServerTestHTTPHandler>
typealias GRPCVictim = ServerTestVictim<GRPCServer, ServerTestGRPCHandler>

/// Runs an attack on an HTTP server; afterwards nothing may be left of it.
func attackHTTP(
  _ configure: (inout HTTPServerConfig) -> Void = { _ in },
  _ attack: @escaping @Sendable (HTTPVictim) throws -> Void
) async throws {
  var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
  configure(&config)
  let refusals = ServerTestRefusals()
  let handler = ServerTestHTTPHandler()
  let server = HTTPServer(config: config, handler: handler, logger: quietLogger, hooks: refusals.hooks)
  let victim = HTTPVictim(
    server: server, handler: handler, refusals: refusals, address: try await server.start())
  try await victim.survive(attack, connections: { server.openConnections }) {
    try ServerTestSocket(victim.address).post("/echo", [1, 2, 3]).body
  }
  await server.stop(within: .zero)
  #expect(server.heldBytes == 0)
  #expect(refusals.connections == 0)
}

/// Runs an attack on a gRPC server; afterwards nothing may be left of it.
func attackGRPC(
  _ configure: (inout GRPCServerConfig) -> Void = { _ in },
  _ attack: @escaping @Sendable (GRPCVictim) throws -> Void
) async throws {
  var config = GRPCServerConfig(endpoint: "127.0.0.1:0")
  configure(&config)
  let refusals = ServerTestRefusals()
  let handler = ServerTestGRPCHandler()
  let server = GRPCServer(config: config, handler: handler, logger: quietLogger, hooks: refusals.hooks)
  let victim = GRPCVictim(
    server: server, handler: handler, refusals: refusals, address: try await server.start())
  try await victim.survive(attack, connections: { server.openConnections }) {
    try ServerTestHTTP2Peer(victim.address).echo([1, 2, 3]).message
  }
  await server.stop(within: .zero)
  #expect(server.heldBytes == 0)
  #expect(server.openStreams == 0)
  #expect(refusals.connections == 0)
}

extension ServerTestVictim {
  /// Attacks it; afterwards every connection is closed and `echo` of 1, 2, 3 is answered as ever.
  fileprivate func survive(
    _ attack: @escaping @Sendable (Self) throws -> Void, connections: @escaping @Sendable () -> Int,
    echo: @escaping @Sendable () throws -> [UInt8]
  ) async throws {
    try await offPool {
      try attack(self)
      #expect(becomesTrue { connections() == 0 })
      #expect(try echo() == [1, 2, 3])
      #expect(becomesTrue { connections() == 0 })
    }
  }
}
