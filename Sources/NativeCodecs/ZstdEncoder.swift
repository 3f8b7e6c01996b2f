internal import CZstd

/// Writes one zstd frame per message, with its size in the header.
@safe final class ZstdEncoder: BlockEncoder {
  private let level: Int32
  private var context: OpaquePointer?

  init(level: Int) { self.level = Int32(clamping: level) }

  deinit { unsafe ZSTD_freeCCtx(context) }

  func encode(_ input: UnsafeRawBufferPointer, output: inout [UInt8]) throws(CodecError) {
    let context = unsafe try started()
    var status = 0
    let bound = ZSTD_compressBound(input.count)
    output.append(addingCapacity: bound) { (free: inout OutputSpan<UInt8>) in
      unsafe free.withUnsafeMutableBufferPointer { buffer, count in
        status = unsafe ZSTD_compress2(
          context, buffer.baseAddress?.advanced(by: count), buffer.count - count, input.baseAddress,
          input.count)
        if ZSTD_isError(status) == 0 { count += status }
      }
    }
    guard ZSTD_isError(status) == 0 else {
      throw .unavailable(.zstd, detail: unsafe String(cString: ZSTD_getErrorName(status)))
    }
  }

  private func started() throws(CodecError) -> OpaquePointer {
    if let context = unsafe context { return unsafe context }
    guard let created = unsafe ZSTD_createCCtx() else { throw .unavailable(.zstd, detail: "no memory") }
    unsafe _ = ZSTD_CCtx_setParameter(created, ZSTD_c_compressionLevel, level)
    // Readers need not accept windows over 8 MiB.
    if level > 11 { unsafe _ = ZSTD_CCtx_setParameter(created, ZSTD_c_windowLog, 23) }
    unsafe context = created
    return unsafe created
  }
}
