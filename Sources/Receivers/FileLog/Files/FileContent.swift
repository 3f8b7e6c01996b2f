internal import LogData
internal import NativeCodecs

/// What is in a file: its bytes, or those that come out of it when it is decompressed.
final class FileContent {
  let file: OpenFile
  let isGzip: Bool
  private var stream: GzipStream?
  /// Where reading a compressed file may begin.
  private var restart = GzipPosition()
  /// What came out and may be wanted again, from an offset on.
  private var output: [UInt8] = []
  private var outputStart: UInt64 = 0
  /// Whether a compressed file was read to an end that it may have.
  private(set) var isComplete = false

  private static let pieceSize = 64 << 10

  /// - Throws: when the file is compressed and is to be read as it is.
  init(_ file: OpenFile, _ compression: FileCompression) throws(FileError) {
    self.file = file
    var head: [UInt8] = [0, 0, 0]
    let count = try file.read(head.count, at: 0, into: &head)
    let start = head.span.extracting(0..<count)
    isGzip = compression.decompresses(start)
    if compression == .none, GzipStream.isGzip(start) { throw FileError.compressed }
  }

  func status() throws(FileError) -> FileStatus { try file.status() }

  /// How much there is in a file of that size; more than there can be where only decompressing it would tell.
  func count(in size: UInt64) -> UInt64 { isGzip ? .max : size }

  /// Whether there is nothing behind an offset in a file of that size, as far as this can be told without decompressing.
  func ends(at offset: UInt64, _ size: UInt64) -> Bool {
    if !isGzip { return size <= offset }
    // A gzip file ends in the length of what was compressed, modulo 2^32.
    var length: [UInt8] = [0, 0, 0, 0]
    guard size >= 18, (try? file.read(4, at: size - 4, into: &length)) == 4 else { return false }
    return length.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == UInt32(truncatingIfNeeded: offset)
  }

  /// Reads from an offset into `buffer`; fewer bytes than asked for only where there are no more.
  func read(_ count: Int, at offset: UInt64, into buffer: inout [UInt8]) throws(FileError) -> Int {
    if !isGzip { return try file.read(count, at: offset, into: &buffer) }
    try fill(count, at: offset)
    let count = min(count, output.count, buffer.count)
    buffer.replaceSubrange(0..<count, with: output[..<count])
    return count
  }

  /// The print of the bytes before an offset; nil when there are not as many.
  func print(_ count: Int, endingAt end: UInt64) throws(FileError) -> BytePrint? {
    if count == 0 { return BytePrint.none }
    guard end >= UInt64(count) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    guard try read(count, at: end - UInt64(count), into: &bytes) == count else { return nil }
    return BytePrint(bytes.span)
  }

  /// Gives back the memory of decompressing.
  func release() {
    stream = nil
    output = []
  }

  private func fill(_ count: Int, at offset: UInt64) throws(FileError) {
    if stream == nil || offset < outputStart || offset > outputStart + UInt64(output.count) {
      output.removeAll(keepingCapacity: true)
      outputStart = offset
      if restart.decompressed > offset { restart = GzipPosition() }
      stream = GzipStream(from: restart, start: offset)
    }
    output.removeFirst(Int(offset - outputStart))
    outputStart = offset
    guard let stream else { return }
    var piece = [UInt8](repeating: 0, count: Self.pieceSize)
    while output.count < count {
      let length = try file.read(piece.count, at: stream.compressedOffset, into: &piece)
      if length == 0 || stream.hasGarbage {
        isComplete = stream.problemAtEnd == nil
        break
      }
      do throws(CodecError) {
        _ = try stream.read(piece.span.extracting(0..<length), to: &output, room: count - output.count)
      } catch {
        throw FileError.damaged
      }
    }
    restart = stream.restart
  }
}
