import Testing

@testable import Transport

/// Clients that break HTTP/2, or follow it so fast that it costs the server more than them.
@Suite struct HostileFloodTests {
  struct Flood: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Of GOAWAY: 1 PROTOCOL_ERROR, 3 FLOW_CONTROL_ERROR, 6 FRAME_SIZE_ERROR, 9 COMPRESSION_ERROR, 11 ENHANCE_YOUR_CALM.
    let code: UInt32
    let reason: RefusalReason
    let bytes: @Sendable () -> [UInt8]

    init(
      _ name: String, _ code: UInt32, _ reason: RefusalReason, _ bytes: @escaping @Sendable () -> [UInt8]
    ) {
      testDescription = name
      self.code = code
      self.reason = reason
      self.bytes = bytes
    }
  }

  private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    ServerTestHTTP2Peer.frame(type, flags, stream, payload)
  }

  private static func streams(_ count: Int, _ frames: (UInt32) -> [UInt8]) -> [UInt8] {
    (0..<count).flatMap { frames(UInt32(2 * $0 + 1)) }
  }

  private static func repeated(_ count: Int, _ frame: [UInt8]) -> [UInt8] {
    (0..<count).flatMap { _ in frame }
  }

  private static let head = ServerTestHTTP2Peer.head
  private static let settings = frame(4, 0, 0, [0, 1, 0, 0, 16, 0])
  private static let reset: [UInt8] = [0, 0, 0, 8]

  static let floods = [
    Flood("rapid reset", 11, .resets) { streams(2000) { frame(1, 4, $0, head) + frame(3, 0, $0, reset) } },
    Flood("rapid reset between whole requests", 11, .resets) {
      streams(2000) { stream in
        stream % 4 == 1
          ? frame(1, 4, stream, head) + frame(0, 1, stream, [0, 0, 0, 0, 0])
          : frame(1, 4, stream, head) + frame(3, 0, stream, reset)
      }
    },
    Flood("streams that the server has to reset", 11, .resets) {
      streams(2000) { frame(1, 4, $0, head + [0, 1, 65, 0]) }
    },
    Flood("header field without a name", 9, .headers) { frame(1, 4, 1, head + [0, 0, 1, 97]) },
    Flood("PING", 11, .controlFrames) { repeated(5000, frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])) },
    Flood("acknowledgements of no PING", 11, .controlFrames) {
      repeated(5000, frame(6, 1, 0, [1, 2, 3, 4, 5, 6, 7, 8]))
    },
    Flood("SETTINGS", 11, .controlFrames) { repeated(5000, settings) },
    Flood("SETTINGS with thousands of entries", 11, .controlFrames) {
      frame(4, 0, 0, repeated(2700, [0, 4, 0, 0, 16, 0]))
    },
    Flood("PRIORITY", 11, .controlFrames) { repeated(5000, frame(2, 0, 1, [0, 0, 0, 0, 16])) },
    Flood("WINDOW_UPDATE", 11, .controlFrames) { repeated(5000, frame(8, 0, 0, [0, 0, 0, 1])) },
    Flood("empty DATA", 11, .controlFrames) { frame(1, 4, 1, head) + repeated(5000, frame(0, 0, 1, [])) },
    Flood("padding without DATA", 11, .controlFrames) {
      frame(1, 4, 1, head) + repeated(2000, frame(0, 8, 1, [3, 0, 0, 0]))
    },
    Flood("many small CONTINUATION", 11, .controlFrames) {
      frame(1, 0, 1, head) + repeated(5000, frame(9, 0, 1, []))
    },
    Flood("endless CONTINUATION", 1, .headers) {
      frame(1, 0, 1, head) + repeated(100, frame(9, 0, 1, [UInt8](repeating: 0, count: 16_384)))
    },
    Flood("header bomb", 9, .headers) {
      // One field of 3 KiB goes to the table; each further byte is that field again.
      frame(
        1, 4, 1,
        head + [0x40, 1, 98, 0x7F, 0xB9, 0x16] + [UInt8](repeating: 97, count: 3000)
          + [UInt8](repeating: 0xBE, count: 12_000))
    },
    Flood("header block that cannot be read", 9, .headers) {
      frame(1, 4, 1, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
    },
    Flood("window beyond its limit", 3, .malformed) { frame(8, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF]) },
    Flood("frame larger than allowed", 6, .malformed) { [0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1] },
    Flood("DATA before HEADERS", 1, .malformed) { frame(0, 0, 1, [1]) },
    Flood("streams of the server's numbers", 1, .malformed) { frame(1, 4, 2, head) },
    Flood("CONTINUATION of nothing", 1, .malformed) { frame(9, 0, 1, head) },
    Flood("PUSH_PROMISE", 1, .malformed) { frame(5, 4, 1, [0, 0, 0, 2] + head) },
  ]

  @Test(arguments: floods)
  func `a flood ends in GOAWAY, is counted once, and others are served`(_ flood: Flood) async throws {
    try await attackGRPC { victim in
      let other = try ServerTestHTTP2Peer(victim.address)
      #expect(try other.echo([1]).message == [1])
      let peer = try ServerTestHTTP2Peer(victim.address)
      try peer.readUntil { peer.settings[4] != nil }
      #expect(peer.flood(flood.bytes()))
      #expect(peer.goAways.map(\.code) == [flood.code])
      #expect(victim.refusals[flood.reason] >= 1)
      #expect(
        victim.refusals.all.filter { $0.key != .malformed || flood.reason == .malformed } == [flood.reason: 1]
      )
      #expect(try other.echo([2]).message == [2])
    }
  }

  @Test func `what is not HTTP 2 is told so`() async throws {
    try await attackGRPC { victim in
      let peer = try ServerTestHTTP2Peer(victim.address, preface: false)
      #expect(peer.flood(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)))
      #expect(peer.goAways.map(\.code) == [1])
      #expect(victim.refusals.all == [.malformed: 1])
    }
  }

  @Test func `a stream beyond the limit is refused, and the requests before it are answered`() async throws {
    try await attackGRPC({ $0.maxConcurrentStreams = 3 }) { victim in
      // The settings are never confirmed, so that only the server itself counts.
      let peer = try ServerTestHTTP2Peer(victim.address)
      let streams = try (0..<5).map { _ in try peer.open("/t.S/Echo") }
      let refused = try peer.answer(streams[3])
      #expect(refused.reset == 7)
      #expect(try peer.answer(streams[4]).reset == 7)
      #expect(victim.server.openStreams == 3)
      for stream in streams.prefix(3) {
        try peer.data(ServerTestHTTP2Peer.framed([5]), on: stream)
        #expect(try peer.answer(stream).message == [5])
      }
      #expect(try peer.echo([6]).message == [6])
      #expect(victim.refusals.all == [.streams: 2])
    }
  }

  @Test func `a client that knows the limit of streams and ignores it is sent away`() async throws {
    try await attackGRPC({ $0.maxConcurrentStreams = 3 }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      #expect(try peer.echo([1]).message == [1])
      for _ in 0..<5 { try peer.open("/t.S/Echo") }
      #expect(peer.isClosedByPeer)
      #expect(peer.goAways.map(\.code) == [1])
      #expect(victim.refusals.all == [.streams: 1])
    }
  }

  @Test func `streams are bounded for the server as a whole`() async throws {
    try await attackGRPC({ $0.limits.maxStreams = 4 }) { victim in
      let peers = try (0..<2).map { _ in try ServerTestHTTP2Peer(victim.address) }
      for _ in 0..<2 { for peer in peers { try peer.open() } }
      #expect(becomesTrue { victim.server.openStreams == 4 })
      let late = try ServerTestHTTP2Peer(victim.address)
      #expect(try late.answer(late.open()).reset == 7)
      #expect(victim.refusals.all == [.streams: 1])
    }
  }

  @Test func `too many header fields are refused, and the connection goes on`() async throws {
    try await attackGRPC({ $0.limits.shared.maxHeaderCount = 20 }) { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      let fields = (0..<20).map { ("x-\($0)", "1") }
      let answer = try peer.answer(peer.open("/t.S/Echo", fields))
      #expect(answer.headers[":status"] == "431")
      #expect(answer.status == "8")
      #expect(try peer.echo([1]).message == [1])
      #expect(victim.refusals.all == [.headers: 1])
    }
  }

  @Test func `a busy client that confirms every answer is no flood`() async throws {
    try await attackGRPC { victim in
      let peer = try ServerTestHTTP2Peer(victim.address)
      var stream: UInt32 = 1
      for _ in 0..<20 {
        var bytes: [UInt8] = []
        for _ in 0..<100 {
          bytes += Self.frame(1, 4, stream, Self.head) + Self.frame(0, 1, stream, [0, 0, 0, 0, 0])
          bytes += Self.repeated(3, Self.frame(8, 0, 0, [0, 0, 0, 6]))
          stream += 2
        }
        try peer.socket.send(bytes)
        #expect(try peer.answer(stream - 2).status == "0")
      }
      #expect(peer.answers.count == 2000)
      #expect(victim.refusals.all.isEmpty)
    }
  }
}
