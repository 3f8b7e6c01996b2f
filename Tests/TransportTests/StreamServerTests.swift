import ConfigSchema
import Foundation
import NativeCodecs
import PipelineKit
import Testing

@testable import Transport

@Suite struct StreamServerTests {
  private func withServer(
    _ configure: (inout StreamServerConfig) -> Void = { _ in },
    _ body: (StreamTestHandler, StreamServer, String) async throws -> Void
  ) async throws {
    var config = StreamServerConfig()
    config.listenAddress = "127.0.0.1:0"
    configure(&config)
    let handler = StreamTestHandler()
    let server = StreamServer(config: config, handler: handler, logger: quietLogger)
    let address = try await server.start()
    do {
      try await body(handler, server, address)
    } catch {
      await server.stop(within: .zero)
      throw error
    }
    await server.stop(within: .zero)
  }

  @Test func `what is sent arrives in order, and the end of the connection is told`() async throws {
    try await withServer { handler, _, address in
      let text = String(repeating: "0123456789\n", count: 20_000)
      try await offPool { () throws in
        let client = try ServerTestSocket(address)
        try client.send("hello ")
        try client.send(text)
        client.endSending()
        #expect(client.isClosedByPeer)
      }
      try await eventually { handler.seen.withLock { $0.ended } == 1 }
      #expect(handler.text == ["hello " + text])
      try await eventually { handler.seen.withLock { $0.gathered } > 0 }
      let peer = try #require(handler.seen.withLock { $0.peers.first })
      #expect(peer.local.description == address)
      #expect(peer.remote.host == "127.0.0.1" && peer.remote.port > 0)
    }
  }

  @Test func `a paused lane leaves what comes to TCP, and reads it when it goes on`() async throws {
    try await withServer { handler, _, address in
      let client = try ServerTestSocket(address)
      try client.send("a")
      try await eventually { handler.byteCount == 1 }
      let lane = try #require(handler.seen.withLock { $0.lanes.first })
      lane.pause()
      // More than the sockets hold.
      client.onThread { descriptor in
        var bytes = [UInt8](repeating: 0x62, count: 1 << 20)
        for _ in 0..<64 {
          var sent = 0
          while sent < bytes.count {
            let count = send(descriptor, &bytes, bytes.count - sent, Int32(MSG_NOSIGNAL))
            if count < 0, errno != EAGAIN { return }
            sent += max(0, count)
          }
        }
      }
      try await Task.sleep(for: .milliseconds(300))
      let held = handler.byteCount
      #expect(held <= 1 << 20, "read \(held) bytes while paused")
      lane.resume()
      try await eventually { handler.byteCount == 1 + 64 << 20 }
    }
  }

  @Test func `at a stop clients are asked to go, and what they had sent is read`() async throws {
    let config = {
      var config = StreamServerConfig()
      config.listenAddress = "127.0.0.1:0"
      return config
    }()
    let handler = StreamTestHandler()
    let server = StreamServer(config: config, handler: handler, logger: quietLogger)
    let address = try await server.start()
    async let client: Void = offPool { () throws in
      let client = try ServerTestSocket(address)
      try client.send("first ")
      // The server says that it goes; what is sent after that is read as well.
      #expect(client.isClosedByPeer)
      try client.send("last")
    }
    try await eventually { handler.byteCount == 6 }
    await server.stop(within: .seconds(10))
    try await client
    #expect(handler.text == ["first last"])
    #expect(handler.seen.withLock { $0.ended } == 1)
  }

  @Test func `connections beyond the limit are closed, and silent ones after the idle timeout`() async throws
  {
    try await withServer({
      $0.maxConnections = 1
      $0.connectionIdleTimeout = .seconds(1)
    }) { handler, server, address in
      try await offPool { () throws in
        let first = try ServerTestSocket(address)
        try first.send("x")
        let second = try ServerTestSocket(address)
        #expect(second.isClosedByPeer)
        #expect(first.isClosedByPeer)
      }
      try await eventually { server.openConnections == 0 }
      #expect(handler.text == ["x"])
    }
  }

  @Test func `TLS peers are read, and those that speak plaintext are not`() async throws {
    let certificates = try #require(TLSTestCertificates.shared, "the openssl command is needed")
    try await withServer({ $0.tls = try? serverTLS("server") }) { handler, _, address in
      let port = address.split(separator: ":").last ?? ""
      try await offPool { () throws in
        let plain = try ServerTestSocket(address)
        try plain.send("<34>plaintext\n")
        let client = try ChildProcess([
          "sh", "-c",
          "echo over TLS | openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:\(port)"
            + " -CAfile '\(certificates.path("ca.pem"))' -verify_return_error",
        ])
        while handler.byteCount < 9, client.ending() == nil { Thread.sleep(forTimeInterval: 0.01) }
        #expect(plain.isClosedByPeer)
      }
      #expect(handler.text == ["over TLS\n"])
    }
  }

  @Test func `a successor takes over the listening socket`() async throws {
    var config = StreamServerConfig()
    config.listenAddress = "127.0.0.1:0"
    let (before, after) = (StreamTestHandler(), StreamTestHandler())
    var hooks = ServerHooks()
    hooks.owner = ServerOwner(
      collector: ObjectIdentifier(before), component: ComponentID(kind: .receiver, type: "tcp_log", name: ""),
      transport: "tcp")
    let old = StreamServer(config: config, handler: before, logger: quietLogger, hooks: hooks)
    let address = try await old.start()
    let new = StreamServer(config: config, handler: after, logger: quietLogger, hooks: hooks)
    #expect(try await new.start() == address)
    await old.stop()
    let client = try ServerTestSocket(address)
    try client.send("x")
    try await eventually { after.text == ["x"] }
    #expect(before.text.isEmpty)
    await new.stop(within: .zero)
  }
}
