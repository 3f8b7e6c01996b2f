internal import CZlib

/// Writes gzip and zlib streams with zlib's `deflate`.
@safe final class DeflateEncoder: BlockEncoder {
  private let algorithm: CompressionAlgorithm
  private let level: Int32
  /// On the heap, since zlib checks that the structure does not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var ready = false

  init(_ algorithm: CompressionAlgorithm, level: Int) {
    self.algorithm = algorithm
    self.level = (1...9).contains(level) ? Int32(level) : Z_DEFAULT_COMPRESSION
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if ready { unsafe deflateEnd(stream) }
    unsafe stream.deallocate()
  }

  func encode(_ input: UnsafeRawBufferPointer, output: inout [UInt8]) throws(CodecError) {
    try begin()
    var offset = 0
    var status = Z_OK
    // Telemetry shrinks to a tenth or less; what does not fit at first doubles.
    var room = max(512, input.count / 4)
    while status != Z_STREAM_END {
      let available = min(input.count - offset, Int(UInt32.max))
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
        mutating: input.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
      unsafe stream.pointee.avail_in = UInt32(available)
      let last = offset + available == input.count
      output.append(addingCapacity: room) { (free: inout OutputSpan<UInt8>) in
        unsafe free.withUnsafeMutableBufferPointer { buffer, count in
          let size = min(buffer.count - count, Int(UInt32.max))
          unsafe stream.pointee.next_out = buffer.baseAddress?.advanced(by: count)
          unsafe stream.pointee.avail_out = UInt32(size)
          status = unsafe deflate(stream, last ? Z_FINISH : Z_NO_FLUSH)
          count += unsafe size - Int(stream.pointee.avail_out)
        }
      }
      offset += unsafe available - Int(stream.pointee.avail_in)
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw .unavailable(algorithm, detail: "zlib status \(status)")
      }
      room = max(room, output.count)
    }
  }

  private func begin() throws(CodecError) {
    let status: Int32
    if ready {
      status = unsafe deflateReset(stream)
    } else {
      status = unsafe deflateInit2_(
        stream, level, Z_DEFLATED, algorithm == .gzip ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
    }
    guard status == Z_OK else { throw .unavailable(algorithm, detail: "zlib status \(status)") }
    ready = true
  }
}
