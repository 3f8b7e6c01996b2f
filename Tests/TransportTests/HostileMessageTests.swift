import ConfigSchema
import NativeCodecs
import Testing

@testable import Transport

/// Requests that are too large, or that lie about what they are.
@Suite struct HostileMessageTests {
  private static let zeros = [UInt8](repeating: 0, count: 10 << 20)

  // MARK: Size and compression

  @Test(arguments: [CompressionAlgorithm.gzip, .zstd, .zlib])
  func `a body that becomes far larger than it was is refused`(_ algorithm: CompressionAlgorithm) async throws
  {
    let bomb = try Compressor(algorithm).compress(Self.zeros)
    try await attackHTTP { victim in
      let reply = try ServerTestSocket(victim.address).post(
        "/echo", bomb, headers: ["Content-Encoding: \(algorithm.contentEncoding)"])
      #expect(reply.status == 413)
      #expect(reply.text.contains("more than 500 times"))
      #expect(victim.refusals.all == [.compressionRatio: 1])
      // Small bodies may compress as well as they like.
      let small = try Compressor(algorithm).compress(Array(Self.zeros.prefix(1 << 20)))
      let answer = try ServerTestSocket(victim.address).post(
        "/echo", small, headers: ["Content-Encoding: \(algorithm.contentEncoding)"])
      #expect(answer.body.count == 1 << 20)
      #expect(victim.refusals.all == [.compressionRatio: 1])
    }
  }

  @Test func `a gRPC message that becomes far larger than it was is refused`() async throws {
    let bomb = try Compressor(.gzip).compress(Array(Self.zeros.prefix(3 << 20)))
    try await attackGRPC { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      let answer = try peer.call("/t.S/Count", bomb, [("grpc-encoding", "gzip")], flag: 1)
      #expect(answer.status == "8")
      #expect(victim.refusals.all == [.compressionRatio: 1])
    }
  }

  @Test func `the ratio can be switched off`() async throws {
    let bomb = try Compressor(.gzip).compress(Self.zeros)
    try await attackHTTP({ $0.limits.maxDecompressionRatio = 0 }) { victim in
      let reply = try ServerTestSocket(victim.address).post(
        "/echo", bomb, headers: ["Content-Encoding: gzip"])
      #expect(reply.status == 200)
      #expect(victim.refusals.all.isEmpty)
    }
  }

  private static func status(_ victim: HTTPVictim, _ body: [UInt8], _ headers: [String] = []) throws -> Int {
    try ServerTestSocket(victim.address).post("/echo", body, headers: headers).status
  }

  private static func status(
    _ peer: ServerTestHTTP2Peer, _ bytes: [UInt8], _ fields: [(String, String)] = []
  ) throws -> String? {
    let stream = try peer.open("/t.S/Count", fields)
    try peer.data(bytes, on: stream)
    return try peer.answer(stream).status
  }

  @Test func `HTTP bodies are refused with their reason`() async throws {
    let tooLarge = try Compressor(.gzip).compress(
      (0..<200_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) })
    try await attackHTTP({ $0.maxRequestBodySize = ByteCount(100_000) }) { (victim) throws in
      #expect(try Self.status(victim, [UInt8](repeating: 1, count: 100_001)) == 413)
      #expect(victim.refusals.all == [.bodySize: 1])
      #expect(try Self.status(victim, tooLarge, ["Content-Encoding: gzip"]) == 413)
      #expect(victim.refusals.all == [.bodySize: 2])
      #expect(try Self.status(victim, [1, 2, 3], ["Content-Encoding: gzip"]) == 400)
      #expect(try Self.status(victim, [1, 2, 3], ["Content-Encoding: br"]) == 415)
      #expect(victim.refusals.all == [.bodySize: 2, .encoding: 2])
      #expect(try ServerTestSocket(victim.address).post("/missing", [1]).status == 404)
      #expect(victim.refusals.all == [.bodySize: 2, .encoding: 2])
    }
  }

  @Test func `gRPC messages are refused with their reason`() async throws {
    try await attackGRPC({ $0.maxRecvMsgSizeMiB = 1 }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      #expect(try Self.status(peer, [0, 0x7F, 0xFF, 0xFF, 0xFF]) == "8")
      #expect(victim.refusals.all == [.bodySize: 1])
      #expect(try Self.status(peer, [1, 0, 0, 0, 1, 9]) == "13")
      #expect(try Self.status(peer, [1, 0, 0, 0, 1, 9], [("grpc-encoding", "br")]) == "12")
      #expect(try Self.status(peer, [1, 0, 0, 0, 1, 9], [("grpc-encoding", "gzip")]) == "13")
      #expect(victim.refusals.all == [.bodySize: 1, .encoding: 3])
      #expect(try Self.status(peer, [7, 0, 0, 0, 1, 9]) == "13")
      #expect(try Self.status(peer, [0, 0, 0, 0, 2, 9]) == "13")
      #expect(try Self.status(peer, [0, 0, 0, 0, 1, 9, 9]) == "13")
      #expect(victim.refusals.all == [.bodySize: 1, .encoding: 3, .malformed: 3])
    }
  }

  @Test func `what is refused because of others counts as overload`() async throws {
    try await attackHTTP({
      $0.maxRequestBodySize = 1000
      $0.limits.maxInflightBytes = 2000
    }) { victim in
      let holders = try (0..<2).map { _ in try ServerTestSocket(victim.address) }
      let body = [UInt8](repeating: 1, count: 900)
      for holder in holders {
        try holder.send(Array(ServerTestSocket.head("POST", "/hold", ["Content-Length: 900"]).utf8) + body)
      }
      #expect(becomesTrue { victim.server.heldBytes == 1800 })
      #expect(try ServerTestSocket(victim.address).post("/echo", body).status == 503)
      #expect(victim.refusals.all == [.overload: 1])
      victim.handler.releaseAll()
      for holder in holders { #expect(try holder.reply().text == "released") }
    }
  }

  // MARK: HTTP/1.1

  /// What must be answered 400 and end the connection, after `POST /echo HTTP/1.1\r\nHost: a\r\n`.
  static let malformed = [
    "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding: xchunked\r\n\r\nabc",
    "Content-Length: -5\r\n\r\nabcde",
    "Content-Length: 0x5\r\n\r\nabcde",
    "Content-Length: 99999999999999999999\r\n\r\nabcde",
    "Content-Length: 18446744073709551617\r\n\r\na",
    "Content-Length : 5\r\n\r\nabcde",
    "X-A: b\r\n folded\r\nContent-Length: 1\r\n\r\na",
    "X-A: b\r\n\tfolded\r\nContent-Length: 1\r\n\r\na",
    " X-A: b\r\nContent-Length: 1\r\n\r\na",
    "X-A: b\nContent-Length: 1\n\na",
    "X-A: b\rContent-Length: 1\r\n\r\na",
    "X-A: b\0c\r\nContent-Length: 1\r\n\r\na",
    "X-\u{1}A: b\r\nContent-Length: 1\r\n\r\na",
    ": no name\r\nContent-Length: 1\r\n\r\na",
    "no colon\r\nContent-Length: 1\r\n\r\na",
    "Transfer-Encoding: chunked\r\n\r\n-1\r\nx",
    "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nx",
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n1;a=\0\r\na\r\n0\r\n\r\n",
  ]

  @Test(arguments: malformed)
  func `malformed HTTP is refused, counted, and ends the connection`(_ rest: String) async throws {
    try await attackHTTP { victim in
      let socket = try ServerTestSocket(victim.address)
      try socket.send("POST /echo HTTP/1.1\r\nHost: a\r\n" + rest)
      #expect(try socket.reply().status == 400)
      #expect(socket.isClosedByPeer)
      #expect(victim.handler.seen.withLock { $0.isEmpty })
      #expect(victim.refusals.all == [.malformed: 1])
    }
  }

  @Test func `endless headers, trailers and request lines are refused`() async throws {
    let many = (0..<300).map { "X-\($0): 1\r\n" }.joined()
    let long = String(repeating: "a", count: 40_000)
    let cases = [
      "POST /echo HTTP/1.1\r\n" + many, "POST /echo HTTP/1.1\r\nX-A: " + long,
      "POST /echo HTTP/1.1\r\n" + long,
      "POST /" + long,
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" + many,
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-A: " + long,
    ]
    try await attackHTTP { victim in
      for (index, text) in cases.enumerated() {
        let socket = try ServerTestSocket(victim.address)
        try? socket.send(text)
        #expect(try socket.reply().status == 431)
        #expect(socket.isClosedByPeer)
        #expect(victim.refusals.all == [.headers: index + 1])
      }
      #expect(victim.handler.seen.withLock { $0.isEmpty })
    }
  }

  @Test func `endless chunk extensions are refused`() async throws {
    try await attackHTTP { victim in
      let socket = try ServerTestSocket(victim.address)
      try socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=")
      let part = String(repeating: "a", count: 16_384)
      for _ in 0..<100 { guard (try? socket.send(part)) != nil else { break } }
      #expect(try socket.reply().status == 400)
      #expect(victim.refusals.all == [.malformed: 1])
    }
  }
}
