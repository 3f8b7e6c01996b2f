/// Characters of text that need not be well-formed UTF-8.
///
/// As in Go a byte that belongs to no well-formed sequence counts as one U+FFFD.
enum TextScalars {
  /// The character at an offset and how many bytes it takes; nil at the end.
  static func decode(_ bytes: Span<UInt8>, at position: Int) -> (value: UnicodeScalar, length: Int)? {
    guard position < bytes.count else { return nil }
    let lead = bytes[position]
    if lead < 0x80 { return (UnicodeScalar(lead), 1) }
    let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0
    guard length > 0, position + length <= bytes.count else { return ("\u{FFFD}", 1) }
    var code = UInt32(lead) & (0x7F >> UInt32(length))
    for index in position + 1..<position + length {
      guard bytes[index] & 0xC0 == 0x80 else { return ("\u{FFFD}", 1) }
      code = code << 6 | UInt32(bytes[index] & 0x3F)
    }
    let least: UInt32 = length == 4 ? 0x1_0000 : length == 3 ? 0x800 : 0x80
    guard code >= least, let scalar = UnicodeScalar(code) else { return ("\u{FFFD}", 1) }
    return (scalar, length)
  }

  /// The character at an index of a slice, which lies within it.
  static func decode(_ bytes: ArraySlice<UInt8>, at index: Int) -> (value: UnicodeScalar, length: Int) {
    decode(bytes.span, at: index - bytes.startIndex) ?? ("\u{FFFD}", 1)
  }

  /// The character that ends before an offset; nil at the start.
  static func decode(
    _ bytes: Span<UInt8>, before position: Int
  ) -> (value: UnicodeScalar, length: Int)? {
    guard position > 0 else { return nil }
    var start = position - 1
    while start > 0, position - start < 4, bytes[start] & 0xC0 == 0x80 { start -= 1 }
    if let scalar = decode(bytes, at: start), start + scalar.length == position { return scalar }
    return ("\u{FFFD}", 1)
  }

  /// How many characters there are.
  static func count(_ bytes: Span<UInt8>) -> Int {
    var count = 0
    var position = 0
    while position < bytes.count {
      position += bytes[position] < 0x80 ? 1 : decode(bytes, at: position)?.length ?? 1
      count += 1
    }
    return count
  }

  /// The bytes that trimming white space leaves.
  static func trimmed(_ bytes: Span<UInt8>) -> Range<Int> {
    trimmed(bytes) {
      $0.value < 0x80 ? $0 == " " || ($0.value >= 9 && $0.value <= 13) : $0.properties.isWhitespace
    }
  }

  /// The bytes that are left when characters are taken from both ends.
  static func trimmed(_ bytes: Span<UInt8>, where isCut: (UnicodeScalar) -> Bool) -> Range<Int> {
    var (low, high) = (0, bytes.count)
    while low < high, let scalar = decode(bytes, at: low), isCut(scalar.value) { low += scalar.length }
    while high > low, let scalar = decode(bytes, before: high), isCut(scalar.value) {
      high -= scalar.length
    }
    return low..<max(low, high)
  }
}
