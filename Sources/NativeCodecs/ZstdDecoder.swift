internal import CZstd

/// Reads zstd frames, refusing windows over 8 MiB (what RFC 8878 asks every reader to support).
@safe final class ZstdDecoder: ChunkDecoder {
  private static let windowLogMax: Int32 = 23
  private var context: OpaquePointer?
  private var frameOpen = false
  private var frames = 0
  /// The first bytes of the frame under way, which may declare its size.
  private var header: [UInt8] = []
  private static let longestHeader = 18
  /// Bytes that came out of the frame under way.
  private var frameProduced = 0

  /// The tables of a context; about what the library's own count says before a frame.
  var heldBytes: Int { unsafe context == nil ? 0 : 160 << 10 }

  deinit { unsafe ZSTD_freeDCtx(context) }

  func reset() {
    if let context = unsafe context { unsafe _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only) }
    frameOpen = false
    frames = 0
    header.removeAll(keepingCapacity: true)
    frameProduced = 0
  }

  func decode(
    _ input: UnsafeRawBufferPointer, budget: inout OutputBudget, output: inout [UInt8]
  ) throws(CodecError) {
    guard input.count > 0 else { return }
    let context = unsafe try started()
    var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    var more = true
    while more {
      var status = 0
      let start = unsafe source.pos
      let hint = unsafe min(max(4 * (source.size - source.pos), 4096), 1 << 20)
      let full = unsafe try budget.write(to: &output, hint: hint) { space in
        var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
        status = unsafe ZSTD_decompressStream(context, &target, &source)
        frameProduced += unsafe target.pos
        return unsafe target.pos
      }
      guard ZSTD_isError(status) == 0 else {
        throw .corrupt(.zstd, detail: unsafe String(cString: ZSTD_getErrorName(status)))
      }
      unsafe header.append(contentsOf: input[start..<source.pos].prefix(Self.longestHeader - header.count))
      frameOpen = status != 0
      if !frameOpen { try endFrame() }
      more = unsafe source.pos < source.size || (full && frameOpen)
    }
  }

  func finish(budget: inout OutputBudget, output: inout [UInt8]) throws(CodecError) {
    guard frames > 0, !frameOpen else { throw .truncated(.zstd) }
  }

  /// Checks the declared size: the library does so only for frames that do not end in an empty block, or come whole.
  private func endFrame() throws(CodecError) {
    let declared = unsafe header.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
    let isDeclared = declared < UInt64.max - 1
    guard !isDeclared || declared == UInt64(frameProduced) else {
      throw .corrupt(.zstd, detail: "\(frameProduced) bytes in a frame of \(declared)")
    }
    frames += 1
    header.removeAll(keepingCapacity: true)
    frameProduced = 0
  }

  private func started() throws(CodecError) -> OpaquePointer {
    if let context = unsafe context { return unsafe context }
    guard let created = unsafe ZSTD_createDCtx() else { throw .unavailable(.zstd, detail: "no memory") }
    unsafe _ = ZSTD_DCtx_setParameter(created, ZSTD_d_windowLogMax, Self.windowLogMax)
    unsafe context = created
    return unsafe created
  }
}
