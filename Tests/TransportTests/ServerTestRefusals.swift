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
  let address = try await server.start()
  let victim = HTTPVictim(server: server, handler: handler, refusals: refusals, address: address)
  try await offPool {
    try attack(victim)
    #expect(becomesTrue { server.openConnections == 0 })
    #expect(try ServerTestSocket(address).post("/echo", [1, 2, 3]).body == [1, 2, 3])
    #expect(becomesTrue { server.openConnections == 0 })
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
  let address = try await server.start()
  let victim = GRPCVictim(server: server, handler: handler, refusals: refusals, address: address)
  try await offPool {
    try attack(victim)
    #expect(becomesTrue { server.openConnections == 0 })
    #expect(try ServerTestHTTP2Peer(address).echo([1, 2, 3]).message == [1, 2, 3])
    #expect(becomesTrue { server.openConnections == 0 })
  }
  await server.stop(within: .zero)
  #expect(server.heldBytes == 0)
  #expect(server.openStreams == 0)
  #expect(refusals.connections == 0)
}
