internal import NIOCore
internal import NIOSSL
internal import TimeFormats

/// Says in plain words why TLS failed, and what to do.
enum TLSFailureText {
  /// The reason, or nil when the error is not one of TLS.
  /// - Parameter certificate: what the peer showed, where that is known: it tells why it was refused.
  static func of(_ error: any Error, peer certificate: NIOSSLCertificate? = nil) -> String? {
    switch error {
    case NIOSSLError.handshakeFailed(let error), NIOSSLError.shutdownFailed(let error):
      words(for: error, peer: certificate)
    case let error as BoringSSLError: words(for: error, peer: certificate)
    case NIOSSLError.uncleanShutdown: "the peer closed the connection"
    case let error as NIOSSLError: "TLS failed: \(error)"
    case let error as NIOSSLExtraError: words(for: error)
    case is NIOSSLCloseTimedOutError: "the peer did not confirm the end of the connection"
    case let error as TLSFileError: error.description
    default: nil
    }
  }

  /// Whether the error says that the peer's certificate is not trusted, without saying why.
  static func isRefusedCertificate(_ error: any Error) -> Bool {
    guard case NIOSSLError.handshakeFailed(.sslError(let stack)) = error else { return false }
    return stack.contains { "\($0)".contains("CERTIFICATE_VERIFY_FAILED") }
  }

  /// Whether the error came before the connection was of use.
  static func isHandshake(_ error: any Error) -> Bool {
    switch error {
    case NIOSSLError.handshakeFailed, is NIOSSLExtraError, is TLSFileError: true
    default: false
    }
  }

  /// What is wrong with the dates of a certificate, or nil.
  static func dateProblem(of certificate: NIOSSLCertificate) -> String? {
    let now = SystemErrors.secondsSinceEpoch()
    if certificate.notValidAfter < now { return "it expired on \(date(certificate.notValidAfter))" }
    if certificate.notValidBefore > now {
      return "it is not valid before \(date(certificate.notValidBefore))"
    }
    return nil
  }

  private static func date(_ seconds: Int) -> String { HTTPDate.text(secondsSinceEpoch: max(0, seconds)) }

  /// Why a certificate that did not verify was refused.
  static func refusal(of certificate: NIOSSLCertificate?) -> String {
    guard let certificate else {
      return
        "the peer's certificate is not trusted: it is out of date, or signed by an unknown authority (set tls.ca_file)"
    }
    if let problem = dateProblem(of: certificate) {
      return "the peer's certificate is out of date: \(problem); renew it, or check the clocks"
    }
    return
      "the peer's certificate is signed by an unknown authority: set tls.ca_file to the CA that signed it, and let the peer send its intermediate certificates"
  }

  private static func words(for error: NIOSSLExtraError) -> String {
    switch error {
    case .failedToValidateHostname, .serverHostnameImpossibleToMatch:
      "the server's certificate is for another host (\(detail(error))): connect by a name in the certificate, or set tls.server_name_override to one"
    case .cannotUseIPAddressInSNI, .invalidSNIHostname:
      "the server's name is not a DNS name (\(detail(error)))"
    default: "TLS failed: \(error)"
    }
  }

  /// What follows the error's own name.
  private static func detail(_ error: NIOSSLExtraError) -> String {
    let text = "\(error)"
    guard let range = text.firstRange(of: ": ") else { return text }
    return String(text[range.upperBound...])
  }

  private static func words(
    for error: BoringSSLError, peer certificate: NIOSSLCertificate?
  ) -> String {
    switch error {
    case .sslError(let stack), .unknownError(let stack):
      if stack.contains(.eofDuringHandshake) {
        return "the peer closed the connection during the TLS handshake: it may not speak TLS on this port"
      }
      let text = stack.map { "\($0)" }.joined(separator: " ")
      if text.contains("CERTIFICATE_VERIFY_FAILED") { return refusal(of: certificate) }
      for (mark, words) in reasons where text.contains(mark) { return words }
      return "TLS failed: \(text.isEmpty ? "no reason given" : text)"
    case .zeroReturn: return "the peer closed the connection"
    case .syscallError: return "the peer closed the connection during TLS"
    default: return "TLS failed: \(error)"
    }
  }

  /// BoringSSL's reasons and what they mean; those with ALERT were sent by the peer.
  private static let reasons: [(String, String)] = [
    (
      "ALERT_UNKNOWN_CA",
      "the peer does not trust our certificate: it is signed by an authority that the peer does not know"
    ),
    (
      "ALERT_CERTIFICATE_REQUIRED",
      "the server asks for a client certificate: set tls.cert_file and tls.key_file"
    ),
    ("ALERT_CERTIFICATE_EXPIRED", "the peer refused our certificate: it expired"),
    ("ALERT_CERTIFICATE_REVOKED", "the peer refused our certificate: it is revoked"),
    ("ALERT_CERTIFICATE_UNKNOWN", "the peer refused our certificate"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "the peer refused our certificate: its kind is not supported"),
    ("ALERT_BAD_CERTIFICATE", "the peer refused our certificate"),
    ("ALERT_ACCESS_DENIED", "the peer refused our certificate: it has no access"),
    ("ALERT_DECRYPT_ERROR", "the peer could not verify our signature: certificate and key do not fit"),
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the client sent no certificate, and client_ca_file requires one"),
    (
      "ALERT_HANDSHAKE_FAILURE",
      "the peer refused the handshake: it asks for a client certificate (tls.cert_file), or shares no cipher suite or version with us"
    ),
    ("ALERT_PROTOCOL_VERSION", "the peer does not speak the TLS versions that we allow (tls.min_version)"),
    ("UNSUPPORTED_PROTOCOL", "the peer offers only TLS versions that we do not allow (tls.min_version)"),
    ("NO_SHARED_CIPHER", "there is no cipher suite that both sides allow (tls.cipher_suites)"),
    ("NO_SHARED_GROUP", "there is no group that both sides allow (tls.curve_preferences)"),
    ("NO_APPLICATION_PROTOCOL", "the peer speaks none of our protocols (ALPN)"),
    ("UNRECOGNIZED_NAME", "the server does not know the name we asked for (tls.server_name_override)"),
    ("HTTP_REQUEST", "the peer speaks plaintext, not TLS"),
    ("HTTPS_PROXY_REQUEST", "the peer speaks plaintext, not TLS"),
    ("WRONG_VERSION_NUMBER", "the peer speaks plaintext, not TLS"),
    ("ALERT_INTERNAL_ERROR", "the peer failed during the handshake"),
  ]
}
