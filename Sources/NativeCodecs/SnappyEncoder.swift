/// Writes one snappy block per message.
final class SnappyBlockEncoder: BlockEncoder {
  func encode(_ input: UnsafeRawBufferPointer, output: inout [UInt8]) throws(CodecError) {
    var written = 0
    output.append(addingCapacity: SnappyFormat.maximumSize(input.count)) { (free: inout OutputSpan<UInt8>) in
      unsafe free.withUnsafeMutableBufferPointer { buffer, count in
        written = unsafe SnappyFormat.compress(
          input, into: UnsafeMutableBufferPointer(rebasing: buffer[count...]))
        count += written
      }
    }
    guard written > 0 else { throw .unavailable(.snappy, detail: "no space") }
  }
}

/// Writes the snappy framing format: an identifier, then chunks of 64 KiB, stored plain where compression gains nothing.
final class SnappyFramedEncoder: BlockEncoder {
  func encode(_ input: UnsafeRawBufferPointer, output: inout [UInt8]) throws(CodecError) {
    output.append(contentsOf: SnappyFormat.streamIdentifier)
    var offset = 0
    while offset < input.count {
      let end = min(offset + SnappyFormat.chunkLimit, input.count)
      unsafe append(UnsafeRawBufferPointer(rebasing: input[offset..<end]), to: &output)
      offset = end
    }
  }

  private func append(_ piece: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    let header = 8
    let checksum = unsafe CRC32C.masked(piece)
    let room = header + SnappyFormat.maximumSize(piece.count)
    output.append(addingCapacity: room) { (free: inout OutputSpan<UInt8>) in
      unsafe free.withUnsafeMutableBufferPointer { buffer, count in
        let chunk = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...])
        let body = unsafe UnsafeMutableBufferPointer(rebasing: chunk[header...])
        var size = unsafe SnappyFormat.compress(piece, into: body)
        var type = SnappyFormat.compressedChunk
        if size == 0 || size > piece.count - piece.count / 8 {
          unsafe UnsafeMutableRawBufferPointer(body).copyMemory(from: piece)
          size = piece.count
          type = SnappyFormat.plainChunk
        }
        let raw = UnsafeMutableRawBufferPointer(chunk)
        let word = UInt32(size + 4) << 8 | UInt32(type)
        unsafe raw.storeBytes(of: word.littleEndian, toByteOffset: 0, as: UInt32.self)
        unsafe raw.storeBytes(of: checksum.littleEndian, toByteOffset: 4, as: UInt32.self)
        count += header + size
      }
    }
  }
}
