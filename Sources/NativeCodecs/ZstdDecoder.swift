internal import CZstd

/// Reads zstd frames, refusing windows over 8 MiB (what RFC 8878 asks every reader to support).
@safe final class ZstdDecoder: ChunkDecoder {
  private static let windowLogMax: Int32 = 23
  private var context: OpaquePointer?
  private var frameOpen = false
  private var frames = 0

  /// The tables of a context; about what the library's own count says before a frame.
  var heldBytes: Int { unsafe context == nil ? 0 : 160 << 10 }

  deinit { unsafe ZSTD_freeDCtx(context) }

  func reset() {
    if let context = unsafe context { unsafe _ = ZSTD_DCtx_reset(context, ZSTD_reset_session_only) }
    frameOpen = false
    frames = 0
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
      let hint = unsafe min(max(4 * (source.size - source.pos), 4096), 1 << 20)
      let full = unsafe try budget.write(to: &output, hint: hint) { space in
        var target = unsafe ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
        status = unsafe ZSTD_decompressStream(context, &target, &source)
        return unsafe target.pos
      }
      guard ZSTD_isError(status) == 0 else {
        throw .corrupt(.zstd, detail: unsafe String(cString: ZSTD_getErrorName(status)))
      }
      frameOpen = status != 0
      if !frameOpen { frames += 1 }
      more = unsafe source.pos < source.size || (full && frameOpen)
    }
  }

  func finish(budget: inout OutputBudget, output: inout [UInt8]) throws(CodecError) {
    guard frames > 0, !frameOpen else { throw .truncated(.zstd) }
  }

  private func started() throws(CodecError) -> OpaquePointer {
    if let context = unsafe context { return unsafe context }
    guard let created = unsafe ZSTD_createDCtx() else { throw .unavailable(.zstd, detail: "no memory") }
    unsafe _ = ZSTD_DCtx_setParameter(created, ZSTD_d_windowLogMax, Self.windowLogMax)
    unsafe context = created
    return unsafe created
  }
}
