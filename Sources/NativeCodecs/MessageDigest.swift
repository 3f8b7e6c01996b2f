internal import CMessageDigest

/// Digests, all but one through the system's libmd.
package enum MessageDigest: Sendable {
  /// RFC 1321: for hashes that others have laid down, never for security.
  case md5
  /// FIPS 180-4, likewise.
  case sha1
  /// FIPS 180-4.
  case sha256
  /// FIPS 180-4.
  case sha512
  /// SHA3-256 of FIPS 202.
  case sha3

  /// Bytes of a digest.
  package var length: Int {
    switch self {
    case .md5: 16
    case .sha1: 20
    case .sha256, .sha3: 32
    case .sha512: 64
    }
  }

  package func digest(of text: Span<UInt8>) -> [UInt8] {
    if self == .sha3 { return SHA3.digest(of: text) }
    var digest = [UInt8](repeating: 0, count: length)
    unsafe text.withUnsafeBufferPointer { bytes in
      switch self {
      case .md5: unsafe millrace_md5(bytes.baseAddress, bytes.count, &digest)
      case .sha1: unsafe millrace_sha1(bytes.baseAddress, bytes.count, &digest)
      case .sha256: unsafe millrace_sha256(bytes.baseAddress, bytes.count, &digest)
      case .sha512: unsafe millrace_sha512(bytes.baseAddress, bytes.count, &digest)
      case .sha3: break
      }
    }
    return digest
  }

  /// The digest as lower-case hexadecimal digits.
  package func hexDigest(of text: Span<UInt8>) -> String { Self.hex(digest(of: text)) }

  static func hex(_ bytes: [UInt8]) -> String {
    var digits: [UInt8] = []
    for byte in bytes {
      for digit in [byte >> 4, byte & 15] { digits.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }
    return String(decoding: digits, as: UTF8.self)
  }

  /// The last eight of the sixteen bytes of an MD5 digest as one number, the most significant first: what Prometheus'
  /// `hashmod` takes.
  package static func lastEightBytesOfMD5(of text: String) -> UInt64 {
    MessageDigest.md5.digest(of: text.utf8.span)[8...].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
