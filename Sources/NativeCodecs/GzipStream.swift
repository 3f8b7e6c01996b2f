/// Where reading a gzip file may begin: between two members, or at its start.
package struct GzipPosition: Sendable, Hashable {
  /// Bytes of the file.
  package var compressed: UInt64
  /// Bytes that come out before.
  package var decompressed: UInt64

  package init(compressed: UInt64 = 0, decompressed: UInt64 = 0) {
    self.compressed = compressed
    self.decompressed = decompressed
  }
}

/// Reads a gzip file (RFC 1952) piece by piece: the members one after the other are one stream of bytes.
///
/// What comes out of a call is bounded, whatever goes in, and what is held is 40 KiB. Positions are those of the
/// decompressed stream; going on in the middle of one decompresses what lies before without handing it out.
///
/// - Important: one user at a time.
package final class GzipStream {
  /// What is wrong with a file, apart from bytes that zlib refuses.
  package enum Problem: Sendable, Hashable, CustomStringConvertible {
    /// The file ends within a member.
    case truncated
    /// What follows the last member is none, and not padding either; it is passed over.
    case trailingGarbage

    package var description: String {
      switch self {
      case .truncated: "the file ends in the middle of gzip data"
      case .trailingGarbage: "what follows the gzip data is none"
      }
    }
  }

  /// Bytes of the file that were read: the next piece begins there.
  package private(set) var compressedOffset: UInt64
  /// Bytes that came out or were passed over.
  package private(set) var offset: UInt64
  /// The end of the last complete member: a later reader can begin there.
  package private(set) var restart: GzipPosition
  /// Whether garbage was met, which ends the stream.
  package private(set) var hasGarbage = false
  /// Bytes before this place in the stream are not handed out.
  private let start: UInt64
  private let decoder = InflateDecoder(.gzip)
  private var isInside = false
  /// Whether there was too little of a header to know it.
  private var hasPartOfHeader = false

  /// - Parameters:
  ///   - restart: where the first piece begins.
  ///   - start: the place in the decompressed stream from which bytes are wanted.
  package init(from restart: GzipPosition = GzipPosition(), start: UInt64 = 0) {
    compressedOffset = restart.compressed
    offset = restart.decompressed
    self.restart = restart
    self.start = start
  }

  /// Whether bytes look like the beginning of a gzip file.
  package static func isGzip(_ bytes: Span<UInt8>) -> Bool {
    bytes.count >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8
  }

  /// What is wrong when the file ends where it was read to; nil when it may end there.
  package var problemAtEnd: Problem? {
    hasGarbage ? .trailingGarbage : isInside || hasPartOfHeader ? .truncated : nil
  }

  /// Decompresses the piece of the file at ``compressedOffset`` onto the end of `output`.
  ///
  /// - Parameters:
  ///   - piece: bytes of the file; those that were read count into ``compressedOffset``, the others are wanted again.
  ///   - room: the most bytes to add.
  /// - Returns: whether all there is to get from the piece was got.
  /// - Throws: `corrupt` or `unavailable`; what came before the error stays in `output`, and nothing can follow.
  package func read(
    _ piece: Span<UInt8>, to output: inout [UInt8], room: Int
  ) throws(CodecError) -> Bool {
    let limit = output.count + max(0, room)
    hasPartOfHeader = false
    var position = 0
    while !hasGarbage {
      if !isInside {
        guard let begin = beginning(of: piece, from: position) else {
          compressedOffset &+= UInt64(piece.count - position)
          return true
        }
        compressedOffset &+= UInt64(begin - position)
        position = begin
        hasPartOfHeader = piece.count - begin < 3
        if hasPartOfHeader { return true }
        guard Self.isGzip(piece.extracting(begin..<piece.count)) || restart.compressed == 0 && begin == 0
        else {
          hasGarbage = true
          break
        }
      }
      let space = limit - output.count
      if space <= 0 { return false }
      let before = output.count
      isInside = true
      let step = try decode(piece.extracting(position..<piece.count), to: &output, room: space)
      position += step.read
      compressedOffset &+= UInt64(step.read)
      passOver(from: before, in: &output)
      if step.isEnd {
        isInside = false
        restart = GzipPosition(compressed: compressedOffset, decompressed: offset)
      } else if position == piece.count, step.written < space {
        return true
      }
    }
    return true
  }

  /// The first byte that is no padding between members; nil when there is none.
  private func beginning(of piece: Span<UInt8>, from start: Int) -> Int? {
    var position = start
    if restart.compressed > 0 { while position < piece.count, piece[position] == 0 { position += 1 } }
    return position < piece.count ? position : nil
  }

  private func decode(
    _ piece: Span<UInt8>, to output: inout [UInt8], room: Int
  ) throws(CodecError) -> InflateDecoder.Step {
    try unsafe piece.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe decoder.step(raw, room: room, output: &output)
    }
  }

  /// Takes out again what lies before the place from which bytes are wanted.
  private func passOver(from place: Int, in output: inout [UInt8]) {
    let count = output.count - place
    if offset < start {
      let unwanted = Int(min(UInt64(count), start - offset))
      output.removeSubrange(place..<(place + unwanted))
    }
    offset &+= UInt64(count)
  }
}
