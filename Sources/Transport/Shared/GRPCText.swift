internal import NativeCodecs

/// How gRPC writes text and bytes into header fields.
enum GRPCText {
  /// A status message as `grpc-message` carries it: bytes outside space…tilde, and `%`, as `%XX`.
  ///
  /// Source: the gRPC documentation, "gRPC over HTTP2", Status-Message.
  static func percentEncoded(_ message: String) -> String {
    if message.utf8.allSatisfy({ $0 >= 0x20 && $0 <= 0x7E && $0 != 0x25 }) { return message }
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    out.reserveCapacity(message.utf8.count + 16)
    for byte in message.utf8 {
      if byte >= 0x20 && byte <= 0x7E && byte != 0x25 {
        out.append(byte)
      } else {
        out.append(0x25)
        out.append(digits[Int(byte >> 4)])
        out.append(digits[Int(byte & 15)])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The text of a `grpc-message`; a malformed escape stays as it is, as the specification asks.
  static func percentDecoded(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.contains(0x25) else { return text }
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0x25, index + 2 < bytes.count, let high = hexDigit(bytes[index + 1]),
        let low = hexDigit(bytes[index + 2])
      {
        out.append(high << 4 | low)
        index += 3
      } else {
        out.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }

  /// Base64 without padding, as `-bin` header fields should be sent.
  static func base64(_ bytes: [UInt8]) -> String { Base64.encoded(bytes, isPadded: false) }

  /// Reads base64 of a `-bin` header field, padded or not; nil when it is neither.
  static func base64Decoded(_ text: String) -> [UInt8]? { Base64.decoded(text) }

  /// The value of a `grpc-timeout` in nanoseconds: at most eight digits and one of `H M S m u n`.
  ///
  /// Eight digits of hours are more than the type holds; they come out as its largest value.
  static func timeoutNanoseconds(_ text: String) -> Int64? {
    guard let unit = text.utf8.last, (2...9).contains(text.utf8.count),
      text.utf8.dropLast().allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let count = Int64(text.dropLast())
    else { return nil }
    switch unit {
    case UInt8(ascii: "H"):
      let (nanoseconds, isTooLong) = count.multipliedReportingOverflow(by: 3_600_000_000_000)
      return isTooLong ? .max : nanoseconds
    case UInt8(ascii: "M"): return count * 60_000_000_000
    case UInt8(ascii: "S"): return count * 1_000_000_000
    case UInt8(ascii: "m"): return count * 1_000_000
    case UInt8(ascii: "u"): return count * 1_000
    case UInt8(ascii: "n"): return count
    default: return nil
    }
  }
}
