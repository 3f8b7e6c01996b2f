import ConfigSchema
import NativeCodecs
import Testing

@testable import Transport

private func withServer(
  _ configure: (inout GRPCServerConfig) -> Void = { _ in }, budget: Int = 64 << 20,
  _ body: @escaping @Sendable (String, ServerTestGRPCHandler, GRPCServer) throws -> Void
) async throws {
  var config = GRPCServerConfig(endpoint: "127.0.0.1:0")
  config.limits.shared.maxInflightBytes = ByteCount(budget)
  configure(&config)
  let handler = ServerTestGRPCHandler()
  let server = GRPCServer(config: config, handler: handler, logger: quietLogger)
  let address = try await server.start()
  do {
    try await offPool { try body(address, handler, server) }
  } catch {
    handler.held.withLock { $0 = [] }
    await server.stop(within: .zero)
    throw error
  }
  handler.held.withLock { $0 = [] }
  await server.stop(within: .zero)
}

@Suite struct GRPCServerTests {
  static let payload = (0..<5000).flatMap { _ in Array("a message long enough to be compressed. ".utf8) }

  @Test func `a unary call is answered with head, message and trailers`() async throws {
    try await withServer { address, handler, server in
      let peer = try ServerTestHTTP2Peer(address)
      for path in ["/t.S/Echo", "/t.S/Later"] {
        let answer = try peer.call(path, [1, 2, 3])
        #expect(answer.headers[":status"] == "200")
        #expect(answer.headers["content-type"] == "application/grpc")
        #expect(answer.headers["grpc-accept-encoding"] == "identity,deflate,gzip,zstd,snappy")
        #expect(answer.data == [0, 0, 0, 0, 3, 1, 2, 3])
        #expect(answer.trailers == ["grpc-status": "0"])
        #expect(answer.reset == nil)
      }
      #expect(try peer.echo([]).data == [0, 0, 0, 0, 0])
      let last = handler.seen.withLock { $0[0] }
      #expect(last.path == "/t.S/Echo")
      #expect(last.peer.hasPrefix("127.0.0.1:"))
      #expect(last.metadata.isEmpty)
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `many calls on one connection are answered each on its stream`() async throws {
    try await withServer { address, _, _ in
      let peer = try ServerTestHTTP2Peer(address)
      let streams = try (0..<100).map { _ in try peer.open("/t.S/Later") }
      for (index, stream) in streams.enumerated() {
        try peer.data(ServerTestHTTP2Peer.framed([UInt8(index)]), on: stream)
      }
      for (index, stream) in streams.enumerated() {
        let answer = try peer.answer(stream)
        #expect(answer.message == [UInt8(index)])
        #expect(answer.status == "0")
      }
    }
  }

  @Test func `a message may come byte by byte`() async throws {
    try await withServer { address, _, _ in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open()
      for byte in ServerTestHTTP2Peer.framed([9, 8, 7]) { try peer.data([byte], on: stream, end: false) }
      try peer.data([], on: stream)
      #expect(try peer.answer(stream).message == [9, 8, 7])
    }
  }

  @Test func `large messages flow because the windows are opened again`() async throws {
    try await withServer { address, _, server in
      let peer = try ServerTestHTTP2Peer(address)
      let message = [UInt8](repeating: 5, count: 3 << 20)
      for _ in 0..<8 {
        let answer = try peer.call("/t.S/Count", message)
        #expect(answer.message == Array("3145728".utf8))
      }
      #expect(server.heldBytes == 0)
    }
  }

  @Test(arguments: [CompressionAlgorithm.gzip, .zstd, .deflate, .snappyFramed])
  func `a compressed message is decompressed`(_ algorithm: CompressionAlgorithm) async throws {
    try await withServer { address, handler, _ in
      let peer = try ServerTestHTTP2Peer(address)
      let compressed = try Compressor(algorithm).compress(Self.payload)
      let answer = try peer.call(
        "/t.S/Count", compressed, [("grpc-encoding", algorithm.grpcEncoding ?? "")], flag: 1)
      #expect(answer.status == "0")
      #expect(handler.seen.withLock { $0.last?.message } == Self.payload)
      // The same head with a message that is not compressed.
      let plain = try peer.echo([4], [("grpc-encoding", algorithm.grpcEncoding ?? "")])
      #expect(plain.message == [4])
    }
  }

  @Test func `an error is one block with an escaped message and details`() async throws {
    try await withServer { address, _, _ in
      let answer = try ServerTestHTTP2Peer(address).call("/t.S/Fail", [1])
      #expect(answer.headers[":status"] == "200")
      #expect(answer.headers["grpc-status"] == "8")
      #expect(answer.headers["grpc-message"] == "gr%C3%B6%C3%9Fer als 100%25%0A")
      #expect(answer.headers["grpc-status-details-bin"] == "CAgSAf8")
      #expect(answer.data.isEmpty)
      #expect(answer.trailers.isEmpty)
      #expect(answer.reset == nil)
    }
  }

  static let refusals: [(path: String, fields: [(String, String)], http: String, code: String)] = [
    ("/t.Other/Echo", [], "200", "12"), ("nonsense", [], "200", "12"),
    ("/t.S/Echo", [("content-type", "application/json")], "415", "3"),
    ("/t.S/Echo", [("content-type", "application/grpcx")], "415", "3"),
    ("/t.S/Echo", [("content-type", "")], "415", "3"), ("/t.S/Echo", [(":method", "GET")], "405", "13"),
    ("/t.S/Echo", [("grpc-timeout", "soon")], "200", "13"),
  ]

  @Test(arguments: refusals.indices)
  func `a request that is no call of this server is refused at its head`(_ index: Int) async throws {
    let refusal = Self.refusals[index]
    try await withServer { address, handler, _ in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open(refusal.path, refusal.fields)
      let answer = try peer.answer(stream)
      #expect(answer.headers[":status"] == refusal.http)
      #expect(answer.status == refusal.code)
      #expect(try peer.echo([1]).message == [1])
      #expect(handler.seen.withLock { $0.count } == 1)
    }
  }

  @Test(arguments: ["application/grpc+proto", "application/grpc;charset=utf-8", "Application/gRPC"])
  func `content types of gRPC are accepted`(_ contentType: String) async throws {
    try await withServer { address, _, _ in
      let answer = try ServerTestHTTP2Peer(address).echo([1], [("content-type", contentType)])
      #expect(answer.status == "0")
    }
  }

  static let brokenMessages: [(bytes: [UInt8], fields: [(String, String)], code: String)] = [
    ([], [], "13"),
    ([0, 0, 0], [], "13"),
    ([0, 0, 0, 0, 5, 1, 2], [], "13"),
    ([2, 0, 0, 0, 1, 1], [], "13"),
    ([1, 0, 0, 0, 1, 1], [], "13"),
    ([1, 0, 0, 0, 1, 1], [("grpc-encoding", "identity")], "13"),
    ([1, 0, 0, 0, 1, 1], [("grpc-encoding", "br")], "12"),
    ([1, 0, 0, 0, 3, 1, 2, 3], [("grpc-encoding", "gzip")], "13"),
    ([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1], [], "13"),
    ([0, 0xFF, 0xFF, 0xFF, 0xFF], [], "8"),
    ([1, 0x7F, 0xFF, 0xFF, 0xFF], [("grpc-encoding", "gzip")], "8"),
  ]

  @Test(arguments: brokenMessages.indices)
  func `a broken message has its code`(_ index: Int) async throws {
    let broken = Self.brokenMessages[index]
    try await withServer { address, handler, server in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open("/t.S/Echo", broken.fields)
      try peer.data(broken.bytes, on: stream)
      #expect(try peer.answer(stream).status == broken.code)
      #expect(handler.seen.withLock { $0.isEmpty })
      #expect(try peer.echo([1]).message == [1])
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `a message over the limit is refused at its prefix`() async throws {
    try await withServer({ $0.maxRecvMsgSizeMiB = 1 }) { address, _, _ in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open()
      try peer.data([0, 0, 0x10, 0, 1], on: stream, end: false)
      let answer = try peer.answer(stream)
      #expect(answer.status == "8")
      #expect(answer.statusMessage == "received message larger than max (1048577 vs. 1048576)")
      try peer.readUntil { peer.answers[stream]?.reset != nil }
      #expect(peer.answers[stream]?.reset == 0)
      #expect(
        try peer.call("/t.S/Count", [UInt8](repeating: 0, count: 1 << 20)).message == Array("1048576".utf8))
    }
  }

  @Test(arguments: [CompressionAlgorithm.gzip, .zstd, .deflate, .snappyFramed])
  func `a compression bomb is stopped while it grows`(_ algorithm: CompressionAlgorithm) async throws {
    let bomb = try Compressor(algorithm).compress([UInt8](repeating: 0, count: 20 << 20))
    try await withServer(budget: 5 << 20) { address, _, server in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open("/t.S/Echo", [("grpc-encoding", algorithm.grpcEncoding ?? "")])
      try peer.data(ServerTestHTTP2Peer.framed(bomb, flag: 1), on: stream)
      #expect(try peer.answer(stream).status == "8")
      #expect(server.heldBytes == 0)
      #expect(try peer.echo([1]).status == "0")
    }
  }

  @Test func `a request is ended when its time is over`() async throws {
    try await withServer { address, handler, _ in
      let peer = try ServerTestHTTP2Peer(address)
      #expect(try peer.call("/t.S/Hold", [1], [("grpc-timeout", "50m")]).status == "4")
      let unfinished = try peer.open("/t.S/Echo", [("grpc-timeout", "50m")])
      #expect(try peer.answer(unfinished).status == "4")
      handler.held.withLock { $0 }.first?.respond([1])
      #expect(try peer.echo([1]).status == "0")
    }
  }

  @Test func `metadata is kept only when asked for`() async throws {
    try await withServer({ $0.includeMetadata = true }) { address, handler, _ in
      _ = try ServerTestHTTP2Peer(address).echo([1], [("x-tenant", "a")])
      let metadata = handler.seen.withLock { $0.last?.metadata }
      #expect(metadata?["x-tenant"] == ["a"])
      #expect(metadata?[":path"] == nil)
    }
  }

  @Test func `a responder that is dropped answers INTERNAL`() async throws {
    try await withServer { address, _, server in
      let answer = try ServerTestHTTP2Peer(address).call("/t.S/Drop", [1])
      #expect(answer.status == "13")
      #expect(server.heldBytes == 0)
    }
  }

  @Test func `an answer to a request that was cancelled is ignored`() async throws {
    try await withServer { address, handler, server in
      let peer = try ServerTestHTTP2Peer(address)
      let stream = try peer.open("/t.S/Hold")
      try peer.data(ServerTestHTTP2Peer.framed([1, 2]), on: stream)
      #expect(becomesTrue { handler.held.withLock { $0.count } == 1 })
      try peer.send(type: 3, flags: 0, stream: stream, [0, 0, 0, 8])
      #expect(try peer.echo([3]).message == [3])
      handler.held.withLock { $0 }.first?.respond([1])
      #expect(server.heldBytes == 0)
      #expect(try peer.echo([4]).message == [4])
      #expect(peer.answers[stream] == nil)
    }
  }

  @Test func `bytes under way are bounded for the server as a whole`() async throws {
    try await withServer({ $0.maxRecvMsgSizeMiB = 1 }, budget: 2 << 20) { address, handler, server in
      let message = [UInt8](repeating: 1, count: 1 << 20)
      let peer = try ServerTestHTTP2Peer(address)
      let holders = try (0..<2).map { _ in
        let stream = try peer.open("/t.S/Hold")
        try peer.data(ServerTestHTTP2Peer.framed(message), on: stream)
        return stream
      }
      #expect(becomesTrue { handler.held.withLock { $0.count } == 2 })
      #expect(server.heldBytes == 2 << 20)
      let refused = try peer.echo([1])
      #expect(refused.status == "14")
      #expect(refused.headers["grpc-status-details-bin"] == "CA4")
      for responder in handler.held.withLock({ $0 }) { responder.respond([]) }
      for stream in holders { #expect(try peer.answer(stream).status == "0") }
      #expect(try peer.echo([1]).status == "0")
    }
  }
}
