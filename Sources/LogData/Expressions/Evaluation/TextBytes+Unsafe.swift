internal import Glibc

extension Span where Element == UInt8 {
  /// The offset of the first place from `start` on where a text stands; nil when there is none.
  ///
  /// Takes time in proportion to the length, whatever the texts are. Unsafe because the C library looks for
  /// the first byte 32 bytes and more at a time: a tenth of the time of a loop over the span.
  func firstOffset(of part: Span<UInt8>, from start: Int = 0) -> Int? {
    guard start >= 0, start <= count - part.count else { return nil }
    if part.isEmpty { return start }
    return unsafe withUnsafeBufferPointer { whole in
      unsafe part.withUnsafeBufferPointer { part in
        guard let base = whole.baseAddress, let wanted = part.baseAddress else { return nil }
        let first = unsafe Int32(wanted[0])
        let last = whole.count - part.count
        var position = start
        // Texts that nearly stand everywhere are left to the way that never looks back.
        var patience = 8 * (whole.count - start) + 1024
        while position <= last, patience > 0 {
          guard let found = unsafe memchr(base + position, first, last - position + 1) else { return nil }
          position = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
          if unsafe memcmp(base + position, wanted, part.count) == 0 { return position }
          position += 1
          patience -= part.count
        }
        return position > last ? nil : unsafe Self.steadily(whole, part, from: position)
      }
    }
  }

  /// Knuth, Morris and Pratt's search.
  private static func steadily(
    _ whole: UnsafeBufferPointer<UInt8>, _ part: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> Int? {
    // Of each beginning of the part: how long the longest proper beginning is that it also ends with.
    var borders = [Int](repeating: 0, count: part.count)
    var length = 0
    for index in 1..<Swift.max(1, part.count) {
      while length > 0, unsafe part[index] != part[length] { length = borders[length - 1] }
      if unsafe part[index] == part[length] { length += 1 }
      borders[index] = length
    }
    length = 0
    for index in start..<whole.count {
      while length > 0, unsafe whole[index] != part[length] { length = borders[length - 1] }
      if unsafe whole[index] == part[length] { length += 1 }
      if length == part.count { return index - part.count + 1 }
    }
    return nil
  }
}
