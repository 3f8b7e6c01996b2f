internal import ConfigSchema
internal import NativeCodecs
internal import WireFormat

/// Puts asterisks or a hash in place of what is not to be seen.
struct RedactionMask: Sendable {
  private enum Form: Sendable {
    case asterisks
    case digest(MessageDigest)
    case keyed(MessageDigest, key: [UInt8])
  }
  private let form: Form

  init(_ config: RedactionConfig) {
    let key = [UInt8](config.hmacKey.reveal().utf8)
    form =
      switch config.hashFunction {
      case .none: .asterisks
      case .md5: .digest(.md5)
      case .sha1: .digest(.sha1)
      case .sha3: .digest(.sha3)
      case .hmacSHA256: .keyed(.sha256, key: key)
      case .hmacSHA512: .keyed(.sha512, key: key)
      }
  }

  private func append(for text: Span<UInt8>, to output: inout [UInt8]) {
    switch form {
    case .asterisks: output.append(contentsOf: "****".utf8)
    case .digest(let digest): output.append(contentsOf: digest.hexDigest(of: text).utf8)
    case .keyed(let digest, let key):
      output.append(contentsOf: digest.hexAuthenticationCode(of: text, key: key).utf8)
    }
  }

  /// The whole text masked, each of its lines by itself.
  func masking(_ text: Span<UInt8>) -> [UInt8] {
    var output: [UInt8] = []
    var start = 0
    for index in text.indices where text[index] == 0x0A {
      append(for: text.extracting(start..<index), to: &output)
      output.append(0x0A)
      start = index + 1
    }
    append(for: text.extracting(start..<text.count), to: &output)
    return output
  }

  /// Each match of a pattern masked, as by Go's `ReplaceAllStringFunc`; nil when there is none.
  func masking(_ pattern: CapturePattern, in text: Span<UInt8>) -> [UInt8]? {
    var output: [UInt8]?
    var (position, copied, lastEnd) = (0, 0, -1)
    while position <= text.count, let match = pattern.firstMatch(in: text, from: position) {
      // An empty match right behind the last one is not a match of its own.
      if !(match.isEmpty && match.lowerBound == lastEnd) {
        var made = output.take() ?? []
        for index in copied..<match.lowerBound { made.append(text[index]) }
        append(for: text.extracting(match), to: &made)
        output = made
        (copied, lastEnd) = (match.upperBound, match.upperBound)
      }
      position = match.upperBound
      if match.isEmpty {
        position += 1
        while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
      }
    }
    guard var made = output.take() else { return nil }
    for index in copied..<text.count { made.append(text[index]) }
    return made
  }
}
