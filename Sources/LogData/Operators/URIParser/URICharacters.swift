@_spi(Inside) internal import TelemetryData

/// Which characters may stand where in a URI (RFC 3986, with the additions of Go's `net/url`).
enum URICharacters {
  /// Letters, digits, and `-._~`.
  static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
  }

  /// `!$&'()*+,;=`.
  private static func isSubDelimiter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21, 0x24, 0x26...0x2C, 0x3B, 0x3D: true
    default: false
    }
  }

  static func isUserInfo(_ byte: UInt8) -> Bool {
    isUnreserved(byte) || isSubDelimiter(byte) || byte == 0x3A || byte == 0x25 || byte == 0x40
  }

  /// Also `:[]<>"`.
  static func isHost(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x22, 0x3A, 0x3C, 0x3E, 0x5B, 0x5D: true
    default: isUnreserved(byte) || isSubDelimiter(byte)
    }
  }

  /// What a path may hold as it is, percent signs of escapes included.
  static func isPath(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x25, 0x2F, 0x3A, 0x40, 0x5B, 0x5D: true
    default: isUnreserved(byte) || isSubDelimiter(byte)
    }
  }

  /// What is not written with a percent sign when a path is written anew.
  static func staysInPath(_ byte: UInt8) -> Bool {
    switch byte {
    // `$&+,/:;=@`
    case 0x24, 0x26, 0x2B, 0x2C, 0x2F, 0x3A, 0x3B, 0x3D, 0x40: true
    default: isUnreserved(byte)
    }
  }

  static func hexValue(_ byte: UInt8) -> UInt8? { JSONCharacters.hexValue(byte) }
  static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }
}
