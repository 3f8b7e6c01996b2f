/// Gathers a snappy block and decompresses it at the end, within the limit from its first bytes on.
///
/// A framed stream is recognised by its identifier and read as such: senders call both formats `snappy`.
final class SnappyBlockDecoder: ChunkDecoder {
  private var gathered: [UInt8] = []
  private var framed: SnappyFramedDecoder?

  var heldBytes: Int { gathered.count + (framed?.heldBytes ?? 0) }

  func reset() {
    gathered = []
    framed = nil
  }

  func decode(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    if let framed { return try unsafe framed.decode(input, budget: &budget, output: &output) }
    let missing = SnappyFormat.streamIdentifier.count - gathered.count
    if missing > 0, unsafe (gathered + input.prefix(missing)).elementsEqual(SnappyFormat.streamIdentifier) {
      let framed = SnappyFramedDecoder()
      self.framed = framed
      let start = gathered
      gathered = []
      try unsafe start.span.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
        try unsafe framed.decode(raw, budget: &budget, output: &output)
      }
      return try unsafe framed.decode(input, budget: &budget, output: &output)
    }
    guard input.count <= SnappyFormat.maximumSize(budget.limit) - gathered.count else {
      throw .limitExceeded(limit: budget.limit)
    }
    unsafe gathered.append(contentsOf: input)
    // The beginning of an identifier reads as a length, too.
    if SnappyFormat.streamIdentifier.starts(with: gathered) { return }
    let declared = unsafe gathered.withUnsafeBytes { unsafe SnappyFormat.declaredLength($0) }
    if let declared { try budget.admit(declared) }
  }

  func finish(budget: inout OutputBudget, output: inout [UInt8]) throws(CodecError) {
    if let framed { return try framed.finish(budget: &budget, output: &output) }
    guard !gathered.isEmpty else { throw .truncated(.snappy) }
    let block = gathered
    gathered = []
    try unsafe block.span.withUnsafeBytes { (raw: UnsafeRawBufferPointer) throws(CodecError) in
      try unsafe SnappyFormat.decompress(raw, for: .snappy, budget: &budget, output: &output)
    }
  }

  func decodeWhole(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    guard input.count > 0 else { throw .truncated(.snappy) }
    if unsafe input.starts(with: SnappyFormat.streamIdentifier) {
      let framed = SnappyFramedDecoder()
      try unsafe framed.decode(input, budget: &budget, output: &output)
      return try framed.finish(budget: &budget, output: &output)
    }
    try unsafe SnappyFormat.decompress(input, for: .snappy, budget: &budget, output: &output)
  }
}
