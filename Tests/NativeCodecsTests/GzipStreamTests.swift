import SeededRandom
import Testing

@testable import NativeCodecs

@Suite struct GzipStreamTests {
  private func gzip(_ bytes: [UInt8]) throws -> [UInt8] { try Compressor(.gzip).compress(bytes) }

  /// Reads a file in pieces, and what was wrong.
  private func read(
    _ file: [UInt8], _ stream: GzipStream, piece: Int = .max, room: Int = 1 << 20
  ) throws -> [UInt8] {
    var output: [UInt8] = []
    while true {
      let place = Int(stream.compressedOffset)
      let bytes = Array(file[place..<(place + min(piece, file.count - place))])
      let (before, wasDone) = (output.count, try stream.read(bytes.span, to: &output, room: room))
      #expect(output.count - before <= room)
      let isStuck = Int(stream.compressedOffset) == place && bytes.count < 3
      if wasDone, Int(stream.compressedOffset) == file.count || isStuck || stream.hasGarbage { return output }
    }
  }

  @Test(arguments: [1, 3, 7, 100_000], [1, 5, 4096])
  func `members one after the other are one stream, however they are read`(piece: Int, room: Int) throws {
    let (one, two) = (CodecFixtures.mixed(3000), CodecFixtures.mixed(500, seed: 9))
    let file = try gzip(one) + gzip([]) + [0, 0, 0] + gzip(two)
    let stream = GzipStream()
    #expect(try read(file, stream, piece: max(piece, 3), room: room) == one + two)
    #expect(stream.problemAtEnd == nil)
    #expect(stream.offset == 3500)
    #expect(stream.restart == GzipPosition(compressed: UInt64(file.count), decompressed: 3500))
  }

  @Test func `reading goes on in the middle of the stream`() throws {
    let plain = CodecFixtures.mixed(100_000)
    let file = try gzip(plain)
    for start in [0, 1, 65_536, 99_999, 100_000, 200_000] {
      let stream = GzipStream(start: UInt64(start))
      #expect(try read(file, stream, piece: 1000, room: 777) == Array(plain.dropFirst(start)))
    }
  }

  @Test func `a reader begins between two members, and sees what is added to the file`() throws {
    let (one, two) = (CodecFixtures.mixed(3000), CodecFixtures.mixed(500, seed: 9))
    var file = try gzip(one)
    let first = GzipStream()
    _ = try read(file, first)
    file += try gzip(two)
    let second = GzipStream(from: first.restart, start: 3100)
    #expect(try read(file, second, piece: 9) == Array(two.dropFirst(100)))
    #expect(second.offset == 3500)
  }

  @Test func `a file that is not complete gives what it has`() throws {
    let plain = CodecFixtures.mixed(50_000)
    let file = try gzip(plain)
    let stream = GzipStream()
    let part = try read(Array(file.prefix(file.count / 2)), stream)
    #expect(!part.isEmpty && Array(plain.prefix(part.count)) == part)
    #expect(stream.problemAtEnd == .truncated)
    // The rest may come later.
    var output = part
    #expect(try stream.read(Array(file[Int(stream.compressedOffset)...]).span, to: &output, room: 1 << 20))
    #expect(output == plain)
    #expect(stream.problemAtEnd == nil)
    let cut = GzipStream()
    _ = try read(Array(file.prefix(2)), cut)
    #expect(cut.problemAtEnd == .truncated)
  }

  @Test func `garbage behind the last member is told of, and nothing comes of it`() throws {
    let plain = CodecFixtures.mixed(500)
    let stream = GzipStream()
    #expect(try read(gzip(plain) + Array("garbage".utf8), stream) == plain)
    #expect(stream.problemAtEnd == .trailingGarbage)
  }

  @Test func `damaged data is an error, and what came before it stays`() throws {
    let plain = CodecFixtures.mixed(50_000)
    var file = try gzip(plain)
    for index in (file.count / 2)..<(file.count / 2 + 64) { file[index] ^= 0x55 }
    let stream = GzipStream()
    var output: [UInt8] = []
    #expect(throws: CodecError.self) { _ = try stream.read(file.span, to: &output, room: 1 << 20) }
    #expect(!output.isEmpty && plain.starts(with: output.prefix(1000)))
    #expect(throws: CodecError.self) {
      _ = try GzipStream().read(Array("plain text".utf8).span, to: &output, room: 100)
    }
  }

  @Test func `little that becomes much comes in bounded portions`() throws {
    let file = try gzip([UInt8](repeating: 0, count: 50_000_000))
    let stream = GzipStream()
    var output: [UInt8] = []
    #expect(try !stream.read(file.span, to: &output, room: 65_536))
    #expect(output.count == 65_536)
  }
}
