import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Transport

/// Connections that never complete their handshake.
@Suite struct TLSDoorTests {
  /// A listener that serves nothing, with a short handshake time.
  private func withDoor(
    timeout: TimeAmount = .seconds(10), _ body: @escaping @Sendable (String, Count, Listener) throws -> Void
  ) async throws {
    _ = try #require(TLSTestCertificates.shared, "the openssl command is needed")
    let failed = Count()
    let contexts = try serverTLS("server").contexts(applicationProtocols: ["h2"], logger: quietLogger)
    let door = TLSDoor(
      contexts: contexts, inner: .grpc, timeout: timeout, logger: quietLogger,
      failed: { failed.value.add(1, ordering: .relaxed) })
    let listener = Listener(endpoint: "127.0.0.1:0", transport: .tcp, logger: quietLogger, door: door)
    let address = try await listener.start(keepsHalfClosed: false, largestRead: 64 << 10) { _ in }
    do {
      try await offPool { try body(address, failed, listener) }
    } catch {
      await listener.stop(within: .zero)
      throw error
    }
    await listener.stop(within: .zero)
  }

  @Test func `a handshake that takes too long is closed and counted`() async throws {
    try await withDoor(timeout: .seconds(2)) { address, failed, listener in
      let silent = try ServerTestSocket(address)
      let slow = try ServerTestSocket(address)
      // The head of a handshake record whose rest never comes.
      try slow.send([0x16, 0x03, 0x01, 0x02, 0x00])
      #expect(slow.isClosedByPeer)
      #expect(silent.isClosedByPeer)
      // The one that never sent a byte is a probe of the port, not a failure.
      #expect(becomesTrue { failed.value.load(ordering: .relaxed) == 1 })
    }
  }

  @Test func `what is no handshake is closed at once and counted`() async throws {
    try await withDoor { address, failed, _ in
      let inputs: [[UInt8]] = [
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
        [0x16, 0x03, 0x01, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 70_000),
        [0x16, 0x03, 0x01, 0x00, 0x04, 1, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 70_000),
        [0x16, 0x03, 0x01, 0x00, 0x05, 0x02, 0, 0, 1, 0],
      ]
      for input in inputs {
        let socket = try ServerTestSocket(address)
        try? socket.send(input)
        #expect(socket.isClosedByPeer)
      }
      #expect(becomesTrue { failed.value.load(ordering: .relaxed) == inputs.count })
    }
  }

  @Test func `a gRPC server closes on clients that do not offer HTTP/2`() async throws {
    let certificates = try #require(TLSTestCertificates.shared)
    try await withDoor { address, failed, _ in
      let port = address.split(separator: ":").last.flatMap { Int($0) } ?? 0
      _ = try? certificates.serial(shownBy: port, protocol: "http/1.1")
      #expect(becomesTrue { failed.value.load(ordering: .relaxed) == 1 })
      _ = try? certificates.serial(shownBy: port, protocol: "h2")
      #expect(becomesTrue { failed.value.load(ordering: .relaxed) == 1 })
    }
  }

  @Test func `handshakes under way do not hold up a stop`() async throws {
    try await withDoor { address, failed, listener in
      let socket = try ServerTestSocket(address)
      try socket.send([0x16, 0x03, 0x01, 0x02, 0x00])
      Task { await listener.stop(within: .seconds(60)) }
      #expect(socket.isClosedByPeer)
      #expect(failed.value.load(ordering: .relaxed) == 0)
    }
  }
}

/// A counter to share.
private final class Count: Sendable {
  let value = Atomic(0)
}
