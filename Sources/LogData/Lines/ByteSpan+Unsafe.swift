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
  /// Whether every byte is below 0x80.
  ///
  /// Written so that the compiler looks at 64 bytes at a time, which is most of the price of a line that is plain text.
  package var isASCII: Bool {
    unsafe withUnsafeBytes { buffer in
      var high: UInt64 = 0
      var place = 0
      let blocks = buffer.count & ~63
      while place < blocks {
        for word in 0..<8 {
          high |= unsafe buffer.loadUnaligned(fromByteOffset: place &+ word &* 8, as: UInt64.self)
        }
        place &+= 64
      }
      while place &+ 8 <= buffer.count {
        high |= unsafe buffer.loadUnaligned(fromByteOffset: place, as: UInt64.self)
        place &+= 8
      }
      if place < buffer.count, buffer.count >= 8 {
        high |= unsafe buffer.loadUnaligned(fromByteOffset: buffer.count &- 8, as: UInt64.self)
      } else {
        while place < buffer.count {
          high |= UInt64(unsafe buffer[place])
          place &+= 1
        }
      }
      return high & 0x8080_8080_8080_8080 == 0
    }
  }
}

extension Array where Element == UInt8 {
  /// Adds a copy of bytes at the end, all at once.
  package mutating func append(copying bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
