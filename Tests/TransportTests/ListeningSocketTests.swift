import ConfigSchema
import PipelineKit
import Testing

@testable import Transport

/// A server that takes the place of another one listens on its socket.
@Suite struct ListeningSocketTests {
  private final class Collector: Sendable {}
  private let collector = Collector()
  private var first: ServerOwner { owner("first") }
  private var second: ServerOwner { owner("second") }

  private func owner(_ name: String) -> ServerOwner {
    ServerOwner(
      collector: ObjectIdentifier(collector),
      component: ComponentID(kind: .receiver, type: "otlp", name: name),
      transport: "http")
  }

  private func server(
    _ endpoint: String, owner: ServerOwner?,
    _ handler: ServerTestHTTPHandler = ServerTestHTTPHandler()
  ) -> HTTPServer {
    let config = HTTPServerConfig(endpoint: endpoint)
    var hooks = ServerHooks()
    hooks.owner = owner
    return HTTPServer(config: config, handler: handler, logger: quietLogger, hooks: hooks)
  }

  /// An address nobody else asks for: below the ports that the kernel gives to connections and to whoever wants any.
  private func freeAddress() async throws -> String {
    while true {
      let probe = server("127.0.0.1:\(Int.random(in: 15_000..<32_000))", owner: nil)
      guard let address = try? await probe.start() else { continue }
      await probe.stop()
      return address
    }
  }

  @Test func `a successor takes over the socket before its predecessor stops`() async throws {
    let address = try await freeAddress()
    let (before, after) = (ServerTestHTTPHandler(), ServerTestHTTPHandler())
    let old = server(address, owner: first, before)
    #expect(try await old.start() == address)
    let new = server(address, owner: first, after)
    #expect(try await new.start() == address)
    await old.stop()
    try await offPool { () throws in
      #expect(try ServerTestSocket(address).post("/echo", [1]).body == [1])
    }
    #expect(before.seen.withLock { $0.count } == 0)
    #expect(after.seen.withLock { $0.count } == 1)
    await new.stop()
    #expect(throws: ServerTestSocket.Closed.self) { try ServerTestSocket(address) }
  }

  @Test func `a predecessor goes on when its successor is given up`() async throws {
    let address = try await freeAddress()
    let old = server(address, owner: first)
    _ = try await old.start()
    let new = server(address, owner: first)
    _ = try await new.start()
    await new.stop()
    let next = server(address, owner: first)
    #expect(try await next.start() == address)
    await next.stop()
    try await offPool { () throws in
      #expect(try ServerTestSocket(address).post("/echo", [1]).body == [1])
    }
    await old.stop()
  }

  @Test func `connections wait while sockets change hands`() async throws {
    let address = try await freeAddress()
    var current = server(address, owner: first)
    _ = try await current.start()
    for _ in 0..<20 {
      let next = server(address, owner: first)
      _ = try await next.start()
      // In the queue of the socket when the old one closes it, or accepted by the new one.
      async let stopped: Void = current.stop()
      try await offPool { () throws in for _ in 0..<20 { _ = try ServerTestSocket(address) } }
      await stopped
      current = next
    }
    await current.stop()
  }

  @Test(arguments: [true, false])
  func `anybody else finds the address in use`(isComponent: Bool) async throws {
    let address = try await freeAddress()
    let old = server(address, owner: isComponent ? first : nil)
    _ = try await old.start()
    let error = await #expect(throws: BindError.self) {
      try await server(address, owner: isComponent ? second : nil).start()
    }
    #expect(error?.isInUse == true)
    await old.stop()
  }
}
