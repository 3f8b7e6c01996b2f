import NIOCore
import Testing

@testable import Transport

/// Whether a client has begun a frame and not completed it.
@Suite struct FrameProgressTests {
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  private static func frame(_ type: UInt8, _ flags: UInt8, _ payload: Int) -> [UInt8] {
    ServerTestHTTP2Peer.frame(type, flags, 1, Array(repeating: 0, count: payload))
  }
  private var progress = FrameProgress()

  private mutating func advance(_ bytes: [UInt8]) -> Bool {
    progress.advance(over: ByteBuffer(bytes: bytes).readableBytesView)
  }

  @Test mutating func `frames may be cut anywhere`() {
    let frames = [(4, 0, 0), (1, 4, 20), (0, 0, 300), (6, 0, 8), (99, 255, 70_000)].map {
      type, flags, payload in
      Self.frame(UInt8(type), UInt8(flags), payload)
    }
    for size in [1, 2, 7, 9, 10, 100, 100_000] {
      progress = FrameProgress()
      var bytes = (Self.preface + frames.joined())[...]
      var ends = 0
      while !bytes.isEmpty {
        if advance(Array(bytes.prefix(size))) { ends += 1 }
        bytes = bytes.dropFirst(size)
      }
      #expect(ends > 0 && !progress.isPartial)
    }
  }

  @Test mutating func `the preface and heads of frames are partial until they are complete`() {
    #expect(progress.isPartial)
    #expect(!advance(Array(Self.preface.dropLast())))
    #expect(progress.isPartial)
    #expect(advance([10]))
    #expect(!progress.isPartial)
    #expect(!advance(Array(Self.frame(0, 0, 5).prefix(8))))
    #expect(progress.isPartial)
  }

  @Test mutating func `payloads are partial, but for DATA`() {
    _ = advance(Self.preface)
    #expect(!advance(Self.frame(6, 0, 8).dropLast()))
    #expect(progress.isPartial)
    #expect(advance([0]))
    #expect(!progress.isPartial)
    _ = advance(Self.frame(0, 0, 8).dropLast(6))
    #expect(!progress.isPartial)
    #expect(advance([0]))
    #expect(!progress.isPartial)
  }

  @Test mutating func `a header block ends with its last CONTINUATION`() {
    _ = advance(Self.preface)
    #expect(!advance(Self.frame(1, 0, 8) + Self.frame(9, 0, 8) + Self.frame(9, 0, 0)))
    #expect(progress.isPartial)
    #expect(advance(Self.frame(9, 4, 8)))
    #expect(!progress.isPartial)
  }
}
