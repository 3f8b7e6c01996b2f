internal import CMessageDigest

/// The MD5 digest (RFC 1321), through the system's libmd: for hashes that others have laid down, never for security.
package enum MD5 {
  /// The last eight of the sixteen bytes as one number, the most significant first: what Prometheus' `hashmod` takes.
  package static func lastEightBytes(of text: String) -> UInt64 {
    var digest = [UInt8](repeating: 0, count: 16)
    var text = text
    text.withUTF8 { bytes in
      unsafe millrace_md5(bytes.baseAddress, bytes.count, &digest)
    }
    return digest[8...].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
