internal import CZlib

/// Reads gzip, zlib and raw deflate streams with zlib's `inflate`.
@safe final class InflateDecoder: ChunkDecoder {
  private let algorithm: CompressionAlgorithm
  /// On the heap, since zlib checks that the structure does not move.
  private let stream: UnsafeMutablePointer<z_stream>
  private var ready = false
  /// Inside a member: its header was begun and its trailer not read.
  private var open = false
  private var members = 0

  init(_ algorithm: CompressionAlgorithm) {
    self.algorithm = algorithm
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if ready { unsafe inflateEnd(stream) }
    unsafe stream.deallocate()
  }

  /// A window of 32 KiB and zlib's tables.
  var heldBytes: Int { ready ? 40 << 10 : 0 }

  func reset() {
    open = false
    members = 0
  }

  func decode(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    var offset = 0
    while true {
      if !open {
        // Only gzip goes on after its end; what follows a zlib stream is not ours to read.
        guard offset < input.count, members == 0 || algorithm == .gzip else { return }
        try begin(firstByte: unsafe input[offset])
      }
      let available = min(input.count - offset, Int(UInt32.max))
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
        mutating: input.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
      unsafe stream.pointee.avail_in = UInt32(available)
      var status = Z_OK
      let hint = min(max(4 * available, 4096), 1 << 20)
      let full = unsafe try budget.write(to: &output, hint: hint) { space in
        let size = min(space.count, Int(UInt32.max))
        unsafe stream.pointee.next_out = space.baseAddress
        unsafe stream.pointee.avail_out = UInt32(size)
        status = unsafe inflate(stream, Z_NO_FLUSH)
        return unsafe size - Int(stream.pointee.avail_out)
      }
      offset += unsafe available - Int(stream.pointee.avail_in)
      switch status {
      case Z_STREAM_END:
        open = false
        members += 1
      case Z_OK, Z_BUF_ERROR:
        if !full && offset == input.count { return }
      case Z_MEM_ERROR:
        throw .unavailable(algorithm, detail: "no memory")
      default:
        throw .corrupt(algorithm, detail: message(status))
      }
    }
  }

  func finish(budget: inout OutputBudget, output: inout [UInt8]) throws(CodecError) {
    guard members > 0, !open else { throw .truncated(algorithm) }
  }

  /// What one call of ``step(_:room:output:)`` did.
  struct Step {
    let read: Int
    let written: Int
    /// Whether the member is complete.
    let isEnd: Bool
  }

  /// Decompresses at most `room` bytes of one member onto the end of `output`; the next call goes on behind it.
  func step(
    _ input: UnsafeRawBufferPointer, room: Int, output: inout [UInt8]
  ) throws(CodecError) -> Step {
    if !open {
      guard let first = unsafe input.first else { return Step(read: 0, written: 0, isEnd: false) }
      try begin(firstByte: first)
    }
    let available = min(input.count, Int(UInt32.max))
    let space = min(room, Int(UInt32.max))
    unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe stream.pointee.avail_in = UInt32(available)
    var status = Z_OK
    var written = 0
    output.append(addingCapacity: space) { (free: inout OutputSpan<UInt8>) in
      unsafe free.withUnsafeMutableBufferPointer { buffer, count in
        unsafe stream.pointee.next_out = buffer.baseAddress?.advanced(by: count)
        unsafe stream.pointee.avail_out = UInt32(space)
        status = unsafe inflate(stream, Z_NO_FLUSH)
        written = unsafe space - Int(stream.pointee.avail_out)
        count += written
      }
    }
    switch status {
    case Z_STREAM_END: open = false
    case Z_OK, Z_BUF_ERROR: break
    case Z_MEM_ERROR: throw .unavailable(algorithm, detail: "no memory")
    default: throw .corrupt(algorithm, detail: message(status))
    }
    return unsafe Step(
      read: available - Int(stream.pointee.avail_in), written: written, isEnd: status == Z_STREAM_END)
  }

  private func begin(firstByte: UInt8) throws(CodecError) {
    let windowBits: Int32 =
      switch algorithm {
      case .gzip: 15 + 16
      // A raw stream's first byte cannot look like this unless it starts with a stored block that sets padding bits.
      case .deflate where firstByte & 0x0F != 8 || firstByte >> 4 > 7: -15
      default: 15
      }
    let status: Int32
    if ready {
      status = unsafe inflateReset2(stream, windowBits)
    } else {
      status = unsafe inflateInit2_(
        stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }
    guard status == Z_OK else { throw .unavailable(algorithm, detail: message(status)) }
    ready = true
    open = true
  }

  private func message(_ status: Int32) -> String {
    guard let text = unsafe stream.pointee.msg else { return "zlib status \(status)" }
    return unsafe String(cString: text)
  }
}
