extension MessageDigest {
  /// The keyed hash of a text (HMAC, RFC 2104) as lower-case hexadecimal digits.
  package func hexAuthenticationCode(of text: Span<UInt8>, key: [UInt8]) -> String {
    Self.hex(authenticationCode(of: text, key: key))
  }

  /// The keyed hash of a text (HMAC, RFC 2104).
  package func authenticationCode(of text: Span<UInt8>, key: [UInt8]) -> [UInt8] {
    var block = key.count > blockLength ? digest(of: key.span) : key
    block += [UInt8](repeating: 0, count: blockLength - block.count)
    var inner = block.map { $0 ^ 0x36 }
    for index in text.indices { inner.append(text[index]) }
    let outer = block.map { $0 ^ 0x5C } + digest(of: inner.span)
    return digest(of: outer.span)
  }

  /// Bytes that are hashed at a time.
  private var blockLength: Int {
    switch self {
    case .md5, .sha1, .sha256: 64
    case .sha512: 128
    case .sha3: 136
    }
  }
}
