internal import ConfigSchema
internal import NIOSSL

/// A version of TLS as `min_version` and `max_version` name it.
package enum TLSVersionName: String, ConfigEnum, Comparable {
  case tls10 = "1.0"
  case tls11 = "1.1"
  case tls12 = "1.2"
  case tls13 = "1.3"

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  var version: TLSVersion {
    switch self {
    case .tls10: .tlsv1
    case .tls11: .tlsv11
    case .tls12: .tlsv12
    case .tls13: .tlsv13
    }
  }
}

/// A group for the key exchange as `curve_preferences` names it.
package enum TLSCurveName: String, ConfigEnum {
  case x25519 = "X25519"
  case p256 = "P256"
  case p384 = "P384"
  case p521 = "P521"
  /// The hybrid of X25519 and ML-KEM-768.
  case x25519MLKEM768 = "X25519MLKEM768"

  var curve: NIOTLSCurve {
    switch self {
    case .x25519: .x25519
    case .p256: .secp256r1
    case .p384: .secp384r1
    case .p521: .secp521r1
    case .x25519MLKEM768: .x25519_MLKEM768
    }
  }
}
