import ConfigSchema
import Glibc
import NativeCodecs
import Testing

@testable import Transport

/// Clients that try to make a server hold more than it should, or to be read in two ways.
@Suite struct HostileClientTests {
  private func withHTTP(
    budget: Int = 64 << 20, patience: Duration = .seconds(5), bodyLimit: Int = 1 << 20,
    _ body: @escaping @Sendable (String, ServerTestHTTPHandler, HTTPServer) throws -> Void
  ) async throws {
    let handler = ServerTestHTTPHandler()
    var config = HTTPServerConfig(endpoint: "127.0.0.1:0")
    config.maxRequestBodySize = ByteCount(bodyLimit)
    config.limits.maxInflightBytes = ByteCount(budget)
    let server = HTTPServer(
      config: config, handler: handler, logger: quietLogger, patience: patience)
    let address = try await server.start()
    try await offPool { try body(address, handler, server) }
    await server.stop(within: .zero)
    #expect(server.heldBytes == 0)
  }

  private func withGRPC(
    budget: Int = 64 << 20, patience: Duration = .seconds(5), permitsPings: Bool = false,
    _ body: @escaping @Sendable (String, ServerTestGRPCHandler, GRPCServer) throws -> Void
  ) async throws {
    let handler = ServerTestGRPCHandler()
    var config = GRPCServerConfig(endpoint: "127.0.0.1:0")
    config.maxRecvMsgSizeMiB = 1
    config.limits.shared.maxInflightBytes = ByteCount(budget)
    if permitsPings {
      config.keepalive = KeepaliveServerConfig()
      config.keepalive?.enforcementPolicy.minTime = .nanoseconds(1)
    }
    let server = GRPCServer(
      config: config, handler: handler, logger: quietLogger, patience: patience)
    let address = try await server.start()
    try await offPool { try body(address, handler, server) }
    await server.stop(within: .zero)
    #expect(server.heldBytes == 0)
  }

  // MARK: Room

  @Test func `HTTP bodies that drip make room for one that does not`() async throws {
    try await withHTTP(budget: 0, patience: .milliseconds(50)) { address, _, server in
      let part = [UInt8](repeating: 1, count: 900_000)
      let dripper = try ServerTestSocket(address, timeout: 60)
      try dripper.send(
        Array(ServerTestSocket.head("POST", "/echo", ["Content-Length: 1000000"]).utf8) + part)
      #expect(becomesTrue { server.heldBytes == 900_000 })
      // 900,000 bytes count as slow after about four seconds; until then there is no room.
      #expect(try ServerTestSocket(address).post("/echo", part).status == 503)
      while try ServerTestSocket(address, timeout: 60).post("/echo", part).status == 503 { usleep(50_000) }
      let reply = try dripper.reply()
      #expect(reply.status == 503)
      #expect(reply.headers["retry-after"] == "1")
    }
  }

  @Test func `gRPC messages that drip make room for one that does not`() async throws {
    try await withGRPC(budget: 0, patience: .milliseconds(50)) { address, _, server in
      let dripper = try ServerTestHTTP2Peer(address)
      let part = ServerTestHTTP2Peer.framed([UInt8](repeating: 1, count: 1_000_000)).prefix(900_000)
      let stream = try dripper.open()
      try dripper.data(Array(part), on: stream, end: false)
      #expect(becomesTrue { server.heldBytes == 899_995 })
      let message = [UInt8](repeating: 2, count: 900_000)
      #expect(try ServerTestHTTP2Peer(address).call("/t.S/Count", message).status == "14")
      while try ServerTestHTTP2Peer(address).call("/t.S/Count", message).status == "14" { usleep(50_000) }
      #expect(try dripper.answer(stream).status == "14")
    }
  }

  @Test func `a body that arrives fast enough keeps its room`() async throws {
    try await withHTTP(budget: 2 << 20, patience: .seconds(3600)) { address, _, server in
      let body = [UInt8](repeating: 1, count: 1_000_000)
      let slow = try (0..<2).map { _ in try ServerTestSocket(address) }
      for socket in slow {
        try socket.send(
          Array(ServerTestSocket.head("POST", "/echo", ["Content-Length: 1000000"]).utf8)
            + body.prefix(900_000))
      }
      #expect(becomesTrue { server.heldBytes == 1_800_000 })
      #expect(try ServerTestSocket(address).post("/echo", body).status == 503)
      // 200,000 more are within the budget.
      for socket in slow {
        try socket.send(Array(body.prefix(100_000)))
        #expect(try socket.reply().status == 200)
      }
    }
  }

  @Test func `what a decompressor gathers counts as held`() async throws {
    try await withHTTP { address, _, server in
      let block = try Compressor(.snappy).compress(
        (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
      let socket = try ServerTestSocket(address)
      try socket.send(
        ServerTestSocket.head(
          "POST", "/echo", ["Content-Length: \(block.count)", "Content-Encoding: snappy"]))
      try socket.send(Array(block.dropLast()))
      #expect(becomesTrue { server.heldBytes == block.count - 1 })
      try socket.send(Array(block.suffix(1)))
      #expect(try socket.reply().body.count == 600_000)
      #expect(becomesTrue { server.heldBytes == 0 })
    }
  }

  @Test(arguments: [CompressionAlgorithm.gzip, .zstd])
  func `open decompressors count as held`(_ algorithm: CompressionAlgorithm) async throws {
    try await withGRPC(budget: 2 << 20, permitsPings: true) { address, _, server in
      let peer = try ServerTestHTTP2Peer(address)
      let message = try Compressor(algorithm).compress([UInt8](repeating: 1, count: 5000))
      let framed = ServerTestHTTP2Peer.framed(message, flag: 1)
      for _ in 0..<100 where peer.answers.isEmpty {
        let stream = try peer.open("/t.S/Echo", [("grpc-encoding", algorithm.rawValue)])
        try peer.data(Array(framed.dropLast()), on: stream, end: false)
        // The answer to a ping says that what went before was read.
        let pings = peer.pings.count
        try peer.send(type: 6, flags: 0, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8])
        while peer.pings.count == pings { try peer.readFrame() }
      }
      #expect(peer.answers.values.first?.status == "14")
      #expect(server.heldBytes > 40_000)
    }
  }

  @Test func `a client that reads no gRPC answers is read no more`() async throws {
    try await withGRPC { address, handler, server in
      let peer = try ServerTestHTTP2Peer(address)
      try peer.readUntil { peer.settings[4] != nil }
      // Calls that fail at once, with answers as long as they are; more than the kernel's buffers take.
      let calls = Self.failingCalls(120_000)
      let sent = Self.push(calls[...], peer, patience: 100)
      #expect(sent < calls.count)
      #expect(server.openConnections == 1)
      // It goes on once answers are read.
      let whole = sent / (calls.count / 120_000)
      while peer.answers.count < whole { try peer.readFrame() }
      #expect(Self.push(calls[sent...].prefix(10_000), peer, patience: 500) > 0)
    }
  }

  private static func failingCalls(_ count: Int) -> [UInt8] {
    let block = ServerTestHTTP2Peer.block([
      (":method", "POST"), (":scheme", "http"), (":path", "/" + String(repeating: "n", count: 249)),
      (":authority", "a"),
      ("content-type", "application/grpc"),
    ])
    let call = [0, UInt8(block.count >> 8), UInt8(block.count & 255), 1, 5, 0, 0, 0, 0] + block
    var calls: [UInt8] = []
    calls.reserveCapacity(count * call.count)
    for number in 0..<count {
      let start = calls.count
      let stream = UInt32(2 * number + 1)
      calls += call
      for byte in 0..<4 {
        calls[start + 5 + byte] = UInt8(truncatingIfNeeded: stream >> UInt32(24 - 8 * byte))
      }
    }
    return calls
  }

  /// Sends until the peer has taken nothing for `patience` tries; gives how many bytes it took.
  private static func push(_ bytes: ArraySlice<UInt8>, _ peer: ServerTestHTTP2Peer, patience: Int) -> Int {
    var sent = 0
    var idle = 0
    while sent < bytes.count, idle < patience {
      let count = bytes.dropFirst(sent).withUnsafeBytes {
        send(peer.socket.descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
      }
      if count > 0 {
        sent += count
        idle = 0
      } else {
        idle += 1
        usleep(10_000)
      }
    }
    return sent
  }

  // MARK: Two readings of one request

  static let ambiguous = [
    "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: xchunked\r\n\r\nabc",
    "Content-Length: +5\r\n\r\nabcde",
    "Content-Length: 5,5\r\n\r\nabcde",
    "Content-Length: 99999999999999999999\r\n\r\nabcde",
    "Content-Length : 5\r\n\r\nabcde",
    "Transfer-Encoding: chunked\r\n\r\n-1\r\nx",
    "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx",
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "X-A: b\0c\r\nContent-Length: 1\r\n\r\na",
  ]

  @Test(arguments: ambiguous)
  func `a request that could be read in two ways is refused and ends the connection`(_ rest: String)
    async throws
  {
    try await withHTTP { address, handler, _ in
      let socket = try ServerTestSocket(address)
      try socket.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + rest)
      #expect(try socket.reply().status == 400)
      #expect(socket.isClosedByPeer)
      #expect(handler.seen.withLock { $0.isEmpty })
    }
  }

  @Test func `trailers of a chunked body are not headers`() async throws {
    try await withHTTP { address, handler, _ in
      let socket = try ServerTestSocket(address)
      try socket.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;ext=1\r\na\r\n"
          + "0\r\nContent-Encoding: gzip\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nb")
      #expect(try socket.reply().text == "a")
      #expect(try socket.reply().text == "b")
      #expect(handler.seen.withLock { $0.count } == 2)
    }
  }
}
