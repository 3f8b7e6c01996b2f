internal import CSnappy

/// Facts and calls shared by both snappy formats.
enum SnappyFormat {
  /// The most uncompressed bytes in a chunk of the framing format.
  static let chunkLimit = 65536
  /// The chunk every framed stream starts with.
  static let streamIdentifier: [UInt8] = [0xFF, 6, 0, 0, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]
  static let compressedChunk: UInt8 = 0x00
  static let plainChunk: UInt8 = 0x01
  static let paddingChunk: UInt8 = 0xFE
  static let identifierChunk: UInt8 = 0xFF

  /// The uncompressed length at the start of a block, or nil when it is not there completely or not a valid number.
  static func declaredLength(_ block: UnsafeRawBufferPointer) -> Int? {
    var length = 0
    let status = unsafe snappy_uncompressed_length(
      block.baseAddress?.assumingMemoryBound(to: CChar.self), block.count, &length)
    return status == SNAPPY_OK ? length : nil
  }

  /// Decompresses one block onto the end of `output`, checking its declared length against the budget first.
  static func decompress(
    _ block: UnsafeRawBufferPointer, for algorithm: CompressionAlgorithm, budget: inout OutputBudget,
    output: inout [UInt8]
  ) throws(CodecError) {
    guard let length = unsafe declaredLength(block) else {
      throw .corrupt(algorithm, detail: "invalid length")
    }
    try budget.admit(length)
    // Snappy makes at most 64 bytes of three, so a larger claim cannot be true.
    guard length <= 32 * block.count else { throw .corrupt(algorithm, detail: "impossible length") }
    var valid = false
    _ = unsafe try budget.write(to: &output, hint: length) { space in
      var size = space.count
      let status = unsafe snappy_uncompress(
        block.baseAddress?.assumingMemoryBound(to: CChar.self), block.count,
        UnsafeMutableRawPointer(space.baseAddress)?.assumingMemoryBound(to: CChar.self), &size)
      valid = status == SNAPPY_OK && size == length
      return valid ? length : 0
    }
    guard valid else { throw .corrupt(algorithm, detail: "invalid block") }
  }

  /// Compresses one block into `space`, which holds at least `maximumSize(input.count)` bytes.
  static func compress(_ input: UnsafeRawBufferPointer, into space: UnsafeMutableBufferPointer<UInt8>) -> Int
  {
    guard let source = input.baseAddress, input.count > 0 else {
      unsafe space[0] = 0
      return 1
    }
    var size = space.count
    let status = unsafe snappy_compress(
      source.assumingMemoryBound(to: CChar.self), input.count,
      UnsafeMutableRawPointer(space.baseAddress)?.assumingMemoryBound(to: CChar.self), &size)
    return status == SNAPPY_OK ? size : 0
  }

  /// The most bytes a block of `count` bytes may compress to.
  static func maximumSize(_ count: Int) -> Int { snappy_max_compressed_length(count) }
}
