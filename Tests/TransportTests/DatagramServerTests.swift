import Glibc
import NativeCodecs
import PipelineKit
import Synchronization
import Testing

@testable import Transport

@Suite struct DatagramServerTests {
  private final class Handler: DatagramHandler {
    struct Seen {
      var texts: [String] = []
      var peers: Set<String> = []
      var largestBatch = 0
      var gathered = 0
      var overflow = 0
    }
    let seen = Mutex(Seen())
    let isHeld: Atomic<Bool>
    init(isHeld: Bool = false) { self.isHeld = Atomic(isHeld) }

    func received(_ datagrams: borrowing DatagramBatch, reader: Int) {
      while isHeld.load(ordering: .acquiring) { usleep(1000) }
      seen.withLock { seen in
        seen.largestBatch = max(seen.largestBatch, datagrams.count)
        for index in 0..<datagrams.count {
          let bytes = datagrams[index]
          seen.texts.append(String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self))
          seen.peers.insert(datagrams.peer(index).host)
        }
      }
    }

    func gathered(reader: Int) { seen.withLock { $0.gathered += 1 } }
    func overflowed(_ count: Int) { seen.withLock { $0.overflow += count } }
    var count: Int { seen.withLock { $0.texts.count } }
  }

  /// A plain UDP socket of the system.
  private final class Sender {
    let descriptor: CInt
    init(_ address: HostPort) {
      let isV6 = address.host.contains(":")
      descriptor = socket(isV6 ? AF_INET6 : AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
      if isV6 {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = UInt16(address.port).bigEndian
        name.sin6_addr = in6addr_loopback
        connect(&name)
      } else {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(address.port).bigEndian
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        connect(&name)
      }
    }
    deinit { close(descriptor) }

    private func connect<Name>(_ name: inout Name) {
      _ = withUnsafePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
        }
      }
    }

    func send(_ text: String) {
      _ = text.utf8CString.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count - 1, 0) }
    }
  }

  private func start(
    _ handler: Handler, endpoint: String = "127.0.0.1:0", owner: ServerOwner? = nil,
    _ configure: (inout DatagramServer.Settings) -> Void = { _ in }
  ) async throws -> (server: DatagramServer, address: HostPort) {
    var settings = DatagramServer.Settings(endpoint: endpoint)
    configure(&settings)
    let server = DatagramServer(settings, handler: handler, logger: quietLogger, owner: owner)
    return (server, try await server.start())
  }

  @Test(arguments: ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"])
  func `datagrams arrive whole, with the address of their sender`(_ endpoint: String) async throws {
    let handler = Handler()
    let (server, address) = try await start(handler, endpoint: endpoint)
    let isV6 = endpoint.hasPrefix("[::1]")
    let sender = Sender(HostPort(host: isV6 ? "::1" : "127.0.0.1", port: address.port))
    let large = String(repeating: "x", count: 65_000)
    for text in ["one", "", "two", large] { sender.send(text) }
    try await eventually { handler.count == 4 }
    await server.stop()
    handler.seen.withLock { seen in
      #expect(seen.texts == ["one", "", "two", large])
      #expect(seen.peers == [isV6 ? "::1" : "127.0.0.1"])
      #expect(seen.gathered >= 1)
    }
  }

  @Test func `what waits together is read together, and what the kernel drops is told`() async throws {
    let handler = Handler(isHeld: true)
    let (server, address) = try await start(handler) { $0.receiveBuffer = 32 << 10 }
    let sender = Sender(address)
    let sent = 2000
    for index in 0..<sent { sender.send("\(index)") }
    handler.isHeld.store(false, ordering: .releasing)
    var further = 0
    try await eventually {
      further += 1
      // The number of drops comes with the next datagram.
      sender.send("again")
      return handler.seen.withLock { $0.overflow > 0 && $0.largestBatch > 1 }
    }
    await server.stop()
    handler.seen.withLock { seen in
      let numbered = seen.texts.count { $0 != "again" }
      #expect((sent...sent + further).contains(numbered + seen.overflow))
    }
  }

  @Test func `a stop reads what the kernel holds`() async throws {
    let handler = Handler(isHeld: true)
    let (server, address) = try await start(handler)
    let sender = Sender(address)
    for index in 0..<150 { sender.send("\(index)") }
    async let stopped: Void = server.stop()
    handler.isHeld.store(false, ordering: .releasing)
    await stopped
    #expect(handler.seen.withLock { $0.texts } == (0..<150).map { "\($0)" })
  }

  @Test func `a successor reads the same socket, and an address in use is refused`() async throws {
    let (before, after) = (Handler(), Handler())
    let owner = ServerOwner(
      collector: ObjectIdentifier(before),
      component: ComponentID(kind: .receiver, type: "udp_log", name: ""),
      transport: "udp")
    let old = try await start(before, owner: owner)
    await #expect(throws: BindError.self) {
      try await start(Handler(), endpoint: old.address.description)
    }
    let new = try await start(after, owner: owner)
    #expect(new.address == old.address)
    let sender = Sender(old.address)
    for index in 0..<20 { sender.send("\(index)") }
    await old.server.stop()
    for index in 20..<40 { sender.send("\(index)") }
    try await eventually { before.count + after.count == 40 }
    await new.server.stop()
  }
}
