internal import CIconv

/// Turns text of any encoding that the C library knows into UTF-8, through `iconv`.
///
/// Each call converts a text of its own: what shifts the state of an encoding in one does not reach into the next.
/// Malformed bytes become U+FFFD, one for each byte that no character can begin with.
///
/// - Important: one user at a time.
@safe package final class TextConverter {
  /// The name of the encoding, as the C library or IANA spells it.
  package let name: String
  /// Bytes that are passed over at once when they are malformed.
  private let step: Int
  // Closed in `deinit` only.
  private nonisolated(unsafe) let descriptor: UnsafeMutableRawPointer

  /// Opens the tables of an encoding; nil when the C library has none of this name.
  ///
  /// - Parameter unitWidth: bytes of the encoding's smallest unit.
  package convenience init?(from name: String, unitWidth: Int = 1) {
    self.init(from: name, to: "UTF-8", name: name, step: max(1, unitWidth))
  }

  private init?(from source: String, to target: String, name: String, step: Int) {
    guard Self.isName(name), let opened = unsafe millrace_iconv_open(target, source) else { return nil }
    self.name = name
    self.step = step
    unsafe descriptor = opened
  }

  deinit { unsafe millrace_iconv_close(descriptor) }

  /// Letters, digits and a few signs: slashes would ask for variants of the conversion.
  private static func isName(_ name: String) -> Bool {
    let signs = Set("-_.:+()".utf8)
    return !name.isEmpty && name.utf8.count < 64
      && name.utf8.allSatisfy { byte in
        (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte >= 0x30 && byte <= 0x39 || signs.contains(byte)
      }
  }

  /// A text of UTF-8 in another encoding; nil when there is none of this name.
  package static func encode(_ text: String, in name: String) -> [UInt8]? {
    guard let converter = TextConverter(from: "UTF-8", to: name, name: name, step: 1) else { return nil }
    var bytes: [UInt8] = []
    converter.append(text.utf8.span, to: &bytes, replacement: [])
    return bytes
  }

  /// Converts a text onto the end of `output`.
  package func append(_ text: Span<UInt8>, to output: inout [UInt8]) {
    append(text, to: &output, replacement: [0xEF, 0xBF, 0xBD])
  }

  /// How many bytes of a text become its first `count` bytes of UTF-8, as ``append(_:to:)`` writes them.
  package func length(of text: Span<UInt8>, convertedTo count: Int) -> Int {
    guard count > 0 else { return 0 }
    var output: [UInt8] = []
    output.reserveCapacity(count)
    return append(text, to: &output, replacement: [0xEF, 0xBF, 0xBD], atMost: count)
  }

  /// - Returns: how many bytes of the text were read.
  @discardableResult
  private func append(
    _ text: Span<UInt8>, to output: inout [UInt8], replacement: [UInt8], atMost most: Int = .max
  ) -> Int {
    unsafe millrace_iconv_reset(descriptor)
    let start = output.count
    var position = 0
    while position < text.count {
      let left = most - (output.count - start)
      let room = min(left, max(2 * (text.count - position), 64))
      if room <= 0 { break }
      let (state, read) = convert(text.extracting(position..<text.count), to: &output, room: room)
      position += read
      switch state {
      case 0: break
      case 1: if room == left { return position }
      case 2, 3:
        if most - (output.count - start) < replacement.count { return position }
        output.append(contentsOf: replacement)
        position = state == 2 ? text.count : min(position + step, text.count)
      default: return position
      }
    }
    // Some encodings hold a character back to see what it is combined with.
    if most == .max { _ = convert(Span(), to: &output, room: 64) }
    return position
  }

  private func convert(_ text: Span<UInt8>, to output: inout [UInt8], room: Int) -> (state: Int32, read: Int)
  {
    var state: Int32 = 0
    var read = 0
    unsafe text.withUnsafeBytes { input in
      // Nothing to read asks for what is held back.
      let characters = unsafe input.assumingMemoryBound(to: CChar.self)
      output.append(addingCapacity: room) { (free: inout OutputSpan<UInt8>) in
        unsafe free.withUnsafeMutableBufferPointer { buffer, count in
          var written = 0
          let target = unsafe UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
          state = unsafe millrace_iconv(
            descriptor, characters.baseAddress, characters.count, &read,
            target.assumingMemoryBound(to: CChar.self).baseAddress, room, &written)
          count += written
        }
      }
    }
    return (state, read)
  }
}
