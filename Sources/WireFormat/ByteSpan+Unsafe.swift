extension Span where Element == UInt8 {
  /// The eight bytes at an offset as a little-endian number; traps when fewer than eight are left.
  ///
  /// The load is bounds-checked; it is unsafe only in name, since every bit pattern is a valid `UInt64`.
  /// Eight separate subscripts cost about four times as much in the UTF-8 check.
  @inlinable
  public func loadUInt64(at offset: Int) -> UInt64 {
    unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The four bytes at an offset as a little-endian number; traps when fewer than four are left.
  @inlinable
  public func loadUInt32(at offset: Int) -> UInt32 {
    unsafe UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
