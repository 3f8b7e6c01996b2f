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

  /// Any port: whoever follows with the same words listens on the socket that is there.
  private let anywhere = "127.0.0.1:0"

  @Test func `a successor takes over the socket before its predecessor stops`() async throws {
    let (before, after) = (ServerTestHTTPHandler(), ServerTestHTTPHandler())
    let old = server(anywhere, owner: first, before)
    let address = try await old.start()
    let new = server(anywhere, owner: first, after)
    #expect(try await new.start() == address)
    await old.stop()
    try await offPool { () throws in
      #expect(try ServerTestSocket(address).post("/echo", [1]).body == [1])
    }
    #expect(before.seen.withLock { $0.count } == 0)
    #expect(after.seen.withLock { $0.count } == 1)
    await new.stop()
    // A program that is being started elsewhere may hold a copy of the socket for a moment.
    #expect(becomesTrue { (try? ServerTestSocket(address)) == nil })
  }

  @Test func `a predecessor goes on when its successor is given up`() async throws {
    let old = server(anywhere, owner: first)
    let address = try await old.start()
    let new = server(anywhere, owner: first)
    _ = try await new.start()
    await new.stop()
    let next = server(anywhere, owner: first)
    #expect(try await next.start() == address)
    await next.stop()
    try await offPool { () throws in
      #expect(try ServerTestSocket(address).post("/echo", [1]).body == [1])
    }
    await old.stop()
  }

  @Test func `connections wait while sockets change hands`() async throws {
    var current = server(anywhere, owner: first)
    let address = try await current.start()
    for _ in 0..<20 {
      let next = server(anywhere, owner: first)
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
    let old = server(anywhere, owner: isComponent ? first : nil)
    let address = try await old.start()
    let error = await #expect(throws: BindError.self) {
      try await server(address, owner: isComponent ? second : nil).start()
    }
    #expect(error?.isInUse == true)
    await old.stop()
  }
}
