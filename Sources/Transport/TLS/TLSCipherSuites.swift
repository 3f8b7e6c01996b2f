internal import ConfigSchema

/// The cipher suites that `cipher_suites` may name, by their IANA names as Go and the Collector write them.
enum TLSCipherSuites {
  /// Suites of TLS 1.3: always offered where that version is, and not a matter of configuration, as in Go.
  static let tls13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

  /// Suites up to TLS 1.2 with forward secrecy: the default, in order of preference.
  static let secure = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
  ]

  /// Suites without forward secrecy: only with `include_insecure_cipher_suites`.
  static let insecure = [
    "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
  ]

  /// Suites that the Collector knows as insecure and that the TLS library does not have at all.
  static let missing = [
    "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
  ]

  /// What is wrong with a name, and what to do; nil when it can be used.
  static func problem(_ name: String, allowingInsecure: Bool) -> CheckProblem? {
    if tls13.contains(name) || secure.contains(name) { return nil }
    if insecure.contains(name) {
      if allowingInsecure { return nil }
      return CheckProblem(
        "\"\(name)\" is insecure: it has no forward secrecy",
        help: "choose one that begins with TLS_ECDHE, or set `include_insecure_cipher_suites: true`")
    }
    if missing.contains(name) {
      return CheckProblem(
        "\"\(name)\" is not supported: it is insecure and no longer implemented",
        help: "choose one that begins with TLS_ECDHE")
    }
    let known = tls13 + secure + (allowingInsecure ? insecure : [])
    return CheckProblem(
      "\"\(name)\" is not a known cipher suite",
      help: Spelling.closest(to: name, among: known).map { "did you mean \"\($0)\"?" }
        ?? "known suites are \(secure.joined(separator: ", "))")
  }
}
