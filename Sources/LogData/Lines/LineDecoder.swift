internal import NativeCodecs
internal import WireFormat

/// Turns the text of records into what OTLP carries: well-formed UTF-8, or bytes.
///
/// Plain UTF-8 and ASCII are only looked at and stay where they are.
///
/// - Important: one user at a time.
package struct LineDecoder {
  /// Where the text of a record is.
  package enum Form: Sendable, Equatable {
    /// The record's bytes are the text.
    case text
    /// ``LineDecoder/converted`` is the text, until the next call.
    case converted
    /// The record's bytes are no text: the body is a value of bytes.
    case bytes
  }

  package let encoding: TextEncoding
  /// What became of the last record that had to be converted.
  package private(set) var converted: [UInt8] = []
  private let converter: TextConverter?

  package init(_ encoding: TextEncoding) {
    self.encoding = encoding
    if case .other(let name, let units) = encoding {
      converter = TextConverter(from: name, unitWidth: units.width)
    } else {
      converter = nil
    }
  }

  /// Finds out what the bytes of a record say.
  package mutating func decode(_ bytes: Span<UInt8>) -> Form {
    switch encoding {
    case .bytes: return .bytes
    case .utf8Raw: return bytes.isASCII || UTF8Check.isValid(bytes) ? .text : .bytes
    case .utf8:
      if bytes.isASCII || UTF8Check.isValid(bytes) { return .text }
      convert(bytes)
    case .latin1:
      if bytes.isASCII { return .text }
      convert(bytes)
    case .utf16LittleEndian, .utf16BigEndian, .other: convert(bytes)
    }
    return .converted
  }

  private mutating func convert(_ bytes: Span<UInt8>) {
    converted.removeAll(keepingCapacity: true)
    append(bytes, to: &converted)
  }

  /// Adds text in UTF-8 to the end of an array, in any encoding; bytes are taken as they are.
  func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
    switch encoding {
    case .bytes, .utf8Raw: output.append(copying: bytes)
    case .utf8: UTF8Repair.append(bytes, to: &output)
    case .latin1:
      output.reserveCapacity(output.count + bytes.count)
      for index in bytes.indices { UTF8Repair.append(UInt32(bytes[index]), to: &output) }
    case .utf16LittleEndian: UTF8Repair.append(utf16: bytes, isBigEndian: false, to: &output)
    case .utf16BigEndian: UTF8Repair.append(utf16: bytes, isBigEndian: true, to: &output)
    case .other:
      guard let converter else { return UTF8Repair.append(bytes, to: &output) }
      let start = output.count
      converter.append(bytes, to: &output)
      // The C library may let through what UTF-8 does not hold, such as halves of surrogate pairs.
      if UTF8Check.firstInvalid(in: output.span, from: start, to: output.count) >= 0 {
        let text = String(decoding: output[start...], as: UTF8.self)
        output.removeLast(output.count - start)
        output.append(contentsOf: text.utf8)
      }
    }
  }
}

/// Ways from code points and bytes to well-formed UTF-8.
enum UTF8Repair {
  /// What stands for malformed text: U+FFFD.
  static let replacement: UInt32 = 0xFFFD

  /// Adds a code point; one that is none becomes U+FFFD.
  @inline(__always)
  static func append(_ point: UInt32, to output: inout [UInt8]) {
    switch point {
    case 0..<0x80: output.append(UInt8(truncatingIfNeeded: point))
    case 0x80..<0x800:
      output.append(UInt8(truncatingIfNeeded: 0xC0 | point >> 6))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    case 0xD800..<0xE000, 0x110000...: append(replacement, to: &output)
    case 0x800..<0x10000:
      output.append(UInt8(truncatingIfNeeded: 0xE0 | point >> 12))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point >> 6 & 0x3F))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    default:
      output.append(UInt8(truncatingIfNeeded: 0xF0 | point >> 18))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point >> 12 & 0x3F))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point >> 6 & 0x3F))
      output.append(UInt8(truncatingIfNeeded: 0x80 | point & 0x3F))
    }
  }

  /// Adds bytes of UTF-8; each malformed sequence becomes U+FFFD (the Unicode standard's maximal subparts).
  static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
    if UTF8Check.isValid(bytes) { return output.append(copying: bytes) }
    var copy: [UInt8] = []
    copy.append(copying: bytes)
    output.append(contentsOf: String(decoding: copy, as: UTF8.self).utf8)
  }

  /// Adds UTF-16; halves of surrogate pairs and half a unit at the end become U+FFFD each.
  static func append(utf16 bytes: Span<UInt8>, isBigEndian: Bool, to output: inout [UInt8]) {
    output.reserveCapacity(output.count + bytes.count)
    var place = 0
    while place + 2 <= bytes.count {
      let first = unit(bytes, place, isBigEndian)
      place += 2
      if first & 0xFC00 == 0xD800, place + 2 <= bytes.count, unit(bytes, place, isBigEndian) & 0xFC00 == 0xDC00 {
        append(0x10000 + (first & 0x3FF) << 10 | unit(bytes, place, isBigEndian) & 0x3FF, to: &output)
        place += 2
      } else {
        append(first, to: &output)
      }
    }
    if place < bytes.count { append(replacement, to: &output) }
  }

  @inline(__always)
  private static func unit(_ bytes: Span<UInt8>, _ place: Int, _ isBigEndian: Bool) -> UInt32 {
    let (first, second) = (UInt32(bytes[place]), UInt32(bytes[place + 1]))
    return isBigEndian ? first << 8 | second : second << 8 | first
  }
}
