internal import NativeCodecs
internal import Synchronization
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
  /// Whether text of ASCII is what it is.
  private let keepsASCII: Bool

  package init(_ encoding: TextEncoding) {
    self.encoding = encoding
    keepsASCII = encoding == .utf8 || encoding == .utf8Raw || encoding == .latin1
    if case .other(let name, let units) = encoding {
      converter = TextConverter(from: name, unitWidth: units.width)
    } else {
      converter = nil
    }
  }

  /// Finds out what the bytes of a record say.
  package mutating func decode(_ bytes: Span<UInt8>) -> Form {
    keepsASCII && bytes.isASCII ? .text : decodeSlowly(bytes)
  }

  private mutating func decodeSlowly(_ bytes: Span<UInt8>) -> Form {
    switch encoding {
    case .bytes: return .bytes
    case .utf8Raw: return UTF8Check.isValid(bytes) ? .text : .bytes
    case .utf8: if UTF8Check.isValid(bytes) { return .text }
    case .latin1, .utf16LittleEndian, .utf16BigEndian, .other: break
    }
    // Taken out meanwhile, so that it has no other owner.
    var output: [UInt8] = []
    swap(&output, &converted)
    output.removeAll(keepingCapacity: true)
    append(bytes, to: &output)
    swap(&output, &converted)
    return .converted
  }

  /// Adds text in UTF-8 to the end of an array, in any encoding; bytes are taken as they are.
  func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
    switch encoding {
    case .bytes, .utf8Raw: output.append(copying: bytes)
    case .utf8: UTF8Repair.append(bytes, to: &output)
    case .latin1: UTF8Repair.append(latin1: bytes, to: &output)
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

  /// How many bytes of a text become its first `count` bytes of UTF-8, as ``append(_:to:)`` writes them.
  func length(of bytes: Span<UInt8>, convertedTo count: Int) -> Int {
    switch encoding {
    case .utf8, .utf8Raw, .bytes: return min(count, bytes.count)
    case .latin1:
      var (place, written) = (0, 0)
      while written < count, place < bytes.count {
        written += bytes[place] < 0x80 ? 1 : 2
        place += 1
      }
      return place
    case .utf16LittleEndian, .utf16BigEndian:
      let isBigEndian = encoding == .utf16BigEndian
      var (place, written) = (0, 0)
      while written < count, place < bytes.count {
        let (point, size) = UTF8Repair.point(utf16: bytes, at: place, isBigEndian)
        written += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
        place += size
      }
      return place
    case .other: return converter?.length(of: bytes, convertedTo: count) ?? count
    }
  }
}

/// Decoders for work on several threads, one for each at a time.
package final class LineDecoderPool: Sendable {
  /// A parked decoder has no other user, which makes handing it to another thread safe.
  private struct Parked: @unchecked Sendable {
    let decoder: LineDecoder
  }

  private let encoding: TextEncoding
  private let idle = Mutex<[Parked]>([])

  package init(_ encoding: TextEncoding) { self.encoding = encoding }

  func withDecoder<Result>(_ body: (LineDecoder) -> Result) -> Result {
    let parked = idle.withLock { $0.popLast() } ?? Parked(decoder: LineDecoder(encoding))
    let result = body(parked.decoder)
    idle.withLock { if $0.count < 4 { $0.append(parked) } }
    return result
  }
}
