/// The encoding of a stream of text, and what becomes of bytes that are none.
package enum TextEncoding: Sendable, Hashable {
  /// UTF-8; what is malformed becomes U+FFFD.
  case utf8
  /// Bytes that are taken as they come, newlines apart.
  case utf8Raw
  case utf16LittleEndian
  case utf16BigEndian
  /// No text at all: records are pieces of the stream.
  case bytes

  var units: LineUnits {
    switch self {
    case .utf8, .utf8Raw, .bytes: .bytes
    case .utf16LittleEndian: .utf16LittleEndian
    case .utf16BigEndian: .utf16BigEndian
    }
  }
}

extension TextEncoding {
  /// Where text may be cut at or before `end` without cutting a character; `end` itself when that would leave nothing.
  func cut(in bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    guard end < bytes.count else { return end }
    var place = end
    switch self {
    case .utf8, .utf8Raw:
      while place > start, end - place < 4, bytes[place] & 0xC0 == 0x80 { place -= 1 }
      if end - place == 4 { return end }
    case .utf16LittleEndian, .utf16BigEndian:
      let high = self == .utf16LittleEndian ? place + 1 : place
      if high < bytes.count, bytes[high] & 0xFC == 0xDC { place -= 2 }
    case .bytes: break
    }
    return place > start ? place : end
  }
}
