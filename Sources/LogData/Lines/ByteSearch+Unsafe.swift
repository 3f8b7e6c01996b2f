internal import Glibc

extension Span where Element == UInt8 {
  /// The offset of the first byte with a value within `from..<end`; nil when there is none.
  ///
  /// The C library looks at 32 bytes and more at a time; a loop over a span at one, which is the larger part of cutting
  /// a file into lines.
  package func firstOffset(of value: UInt8, from: Int, to end: Int) -> Int? {
    guard from >= 0, from < end, end <= count else { return nil }
    return unsafe withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress,
        let found = unsafe memchr(base + from, Int32(value), end - from)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
  }
}
