/// Reads the snappy framing format: chunks of at most 64 KiB, each with a CRC-32C that is checked.
final class SnappyFramedDecoder: ChunkDecoder {
  private static let headerSize = 4
  private var identified = false
  /// The beginning of a chunk whose end has not arrived.
  private var partial: [UInt8] = []
  /// Bytes of a skippable chunk still to pass over.
  private var skipping = 0

  var heldBytes: Int { partial.count }

  func reset() {
    identified = false
    partial.removeAll(keepingCapacity: true)
    skipping = 0
  }

  func decode(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    var offset = 0
    while offset < input.count {
      let left = input.count - offset
      if skipping > 0 {
        let passed = min(skipping, left)
        skipping -= passed
        offset += passed
      } else if partial.isEmpty, left >= Self.headerSize {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: input[offset...])
        let size = try unsafe chunkSize(rest)
        guard size <= left else {
          unsafe partial.append(contentsOf: rest)
          return
        }
        try unsafe read(
          UnsafeRawBufferPointer(rebasing: rest[..<size]), budget: &budget, output: &output)
        offset += size
      } else {
        offset += try unsafe gather(
          UnsafeRawBufferPointer(rebasing: input[offset...]), budget: &budget, output: &output)
      }
    }
  }

  func finish(budget: inout OutputBudget, output: inout [UInt8]) throws(CodecError) {
    guard identified, partial.isEmpty, skipping == 0 else { throw .truncated(.snappyFramed) }
  }

  /// Adds to the partial chunk, reads it once it is complete, and returns how many bytes it took.
  private func gather(
    _ rest: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) -> Int {
    let wanted = partial.count < Self.headerSize ? Self.headerSize : try size(of: partial)
    let taken = min(wanted - partial.count, rest.count)
    unsafe partial.append(contentsOf: rest[..<taken])
    guard partial.count >= Self.headerSize else { return taken }
    guard try partial.count == size(of: partial) else { return taken }
    let chunk = partial
    partial.removeAll(keepingCapacity: true)
    try unsafe chunk.span.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe read(raw, budget: &budget, output: &output)
    }
    return taken
  }

  private func size(of chunk: [UInt8]) throws(CodecError) -> Int {
    try unsafe chunk.span.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe chunkSize(raw)
    }
  }

  /// How many bytes to have together before `read`: the whole chunk, or only the header of one that is skipped.
  private func chunkSize(_ chunk: UnsafeRawBufferPointer) throws(CodecError) -> Int {
    let (type, length) = unsafe header(chunk)
    let valid: ClosedRange<Int>
    switch type {
    case SnappyFormat.compressedChunk: valid = 5...(4 + SnappyFormat.maximumSize(SnappyFormat.chunkLimit))
    case SnappyFormat.plainChunk: valid = 4...(4 + SnappyFormat.chunkLimit)
    case SnappyFormat.identifierChunk: valid = 6...6
    case 0x80...SnappyFormat.paddingChunk: return Self.headerSize
    default: throw .corrupt(.snappyFramed, detail: "unknown chunk type \(type)")
    }
    guard valid.contains(length) else {
      throw .corrupt(.snappyFramed, detail: "invalid length \(length) of a chunk of type \(type)")
    }
    return Self.headerSize + length
  }

  private func header(_ chunk: UnsafeRawBufferPointer) -> (type: UInt8, length: Int) {
    let word = unsafe UInt32(littleEndian: chunk.loadUnaligned(as: UInt32.self))
    return (UInt8(truncatingIfNeeded: word), Int(word >> 8))
  }

  private func read(
    _ chunk: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    let (type, length) = unsafe header(chunk)
    guard identified || type == SnappyFormat.identifierChunk else {
      throw .corrupt(.snappyFramed, detail: "no stream identifier")
    }
    switch type {
    case SnappyFormat.identifierChunk:
      guard unsafe chunk.elementsEqual(SnappyFormat.streamIdentifier) else {
        throw .corrupt(.snappyFramed, detail: "invalid stream identifier")
      }
      identified = true
    case SnappyFormat.compressedChunk, SnappyFormat.plainChunk:
      let expected = unsafe UInt32(
        littleEndian: chunk.loadUnaligned(fromByteOffset: Self.headerSize, as: UInt32.self))
      let body = unsafe UnsafeRawBufferPointer(rebasing: chunk[(Self.headerSize + 4)...])
      let start = output.count
      if type == SnappyFormat.plainChunk {
        try budget.admit(body.count)
        _ = unsafe try budget.write(to: &output, hint: body.count) { space in
          unsafe UnsafeMutableRawBufferPointer(space).copyMemory(from: body)
          return body.count
        }
      } else {
        guard let size = unsafe SnappyFormat.declaredLength(body), size <= SnappyFormat.chunkLimit else {
          throw .corrupt(.snappyFramed, detail: "invalid chunk length")
        }
        try unsafe SnappyFormat.decompress(body, for: .snappyFramed, budget: &budget, output: &output)
      }
      let found = unsafe output.withUnsafeBytes {
        unsafe CRC32C.masked(UnsafeRawBufferPointer(rebasing: $0[start...]))
      }
      guard found == expected else { throw .corrupt(.snappyFramed, detail: "checksum mismatch") }
    default:
      skipping = length
    }
  }
}
