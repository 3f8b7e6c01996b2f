package import ConfigSchema

/// The keys of a `tls` block that servers and clients share: what they show, and how they negotiate.
package struct TLSSettings: ConfigGroup, Equatable {
  package var certFile = ""
  package var certPEM = ""
  package var keyFile = ""
  package var keyPEM = Secret("")
  package var minVersion = TLSVersionName.tls12
  /// Nil stands for the newest.
  package var maxVersion: TLSVersionName?
  /// Of versions up to 1.2; empty for those with forward secrecy.
  package var cipherSuites: [String] = []
  package var includeInsecureCipherSuites = false
  /// In order of preference; empty for the library's.
  package var curvePreferences: [TLSCurveName] = []
  /// Zero reads the files once.
  package var reloadInterval: Duration = .zero

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "cert_file", \.certFile, "File with the certificate and its intermediates, PEM, the own one first."),
    Field("cert_pem", \.certPEM, "The certificate itself instead of a file."),
    Field("key_file", \.keyFile, "File with the private key of the certificate, PEM, not encrypted."),
    Field("key_pem", \.keyPEM, "The private key itself instead of a file."),
    Field("min_version", \.minVersion, "Oldest version of TLS that is spoken."),
    Field(
      "max_version", \.maxVersion, "Newest version of TLS that is spoken; the newest known when left out."),
    Field(
      "cipher_suites", \.cipherSuites,
      "Cipher suites of TLS 1.2 and older by their IANA names, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256; empty for those with forward secrecy. Those of TLS 1.3 are always on; only such names require TLS 1.3."
    ),
    Field(
      "include_insecure_cipher_suites", \.includeInsecureCipherSuites,
      "Let `cipher_suites` name suites without forward secrecy."),
    Field("curve_preferences", \.curvePreferences, "Groups of the key exchange, the preferred first."),
    Field(
      "reload_interval", \.reloadInterval,
      "Read the files again after so long; new connections use what changed, and open ones go on. 0 reads them once.",
      check: .atLeast(.zero)),
    .unsupported(
      "tpm", "keys in a trusted platform module are not supported: give the key with `key_file` or `key_pem`"),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !certFile.isEmpty, !certPEM.isEmpty {
      checker.error(\.certPEM, "cert_file is set too", help: "keep one of the two")
    }
    if !keyFile.isEmpty, !keyPEM.isEmpty {
      checker.error(\.keyPEM, "key_file is set too", help: "keep one of the two")
    }
    if hasCertificate, !hasKey {
      let field = certFile.isEmpty ? \Self.certPEM : \Self.certFile
      checker.error(field, "the certificate needs its private key", help: "set key_file or key_pem")
    }
    if hasKey, !hasCertificate {
      let message = "the private key needs its certificate"
      let help = "set cert_file or cert_pem"
      if keyFile.isEmpty {
        checker.error(\.keyPEM, message, help: help)
      } else {
        checker.error(\.keyFile, message, help: help)
      }
    }
    if let maxVersion, maxVersion < minVersion {
      let other =
        checker.isPresent(\.minVersion) ? "min_version" : "the default of min_version,"
      checker.error(\.maxVersion, "\(maxVersion.rawValue) is older than \(other) \(minVersion.rawValue)")
    } else if minVersion < .tls12 {
      checker.warning(
        \.minVersion, "TLS \(minVersion.rawValue) is insecure",
        help: "leave the key out for TLS 1.2 and newer")
    }
    var isKnown = true
    for name in cipherSuites {
      guard
        let problem = TLSCipherSuites.problem(name, allowingInsecure: includeInsecureCipherSuites)
      else { continue }
      isKnown = false
      checker.error(\.cipherSuites, problem.message, help: problem.help)
    }
    if isKnown, namesOnlyTLS13Suites, let maxVersion, maxVersion < .tls13 {
      checker.error(
        \.cipherSuites, "all of them belong to TLS 1.3, and max_version is \(maxVersion.rawValue)",
        help: "add a suite of TLS 1.2, or leave max_version out")
    }
  }

  var hasCertificate: Bool { !certFile.isEmpty || !certPEM.isEmpty }
  var hasKey: Bool { !keyFile.isEmpty || !keyPEM.isEmpty }

  /// Whether no key is set.
  var isUntouched: Bool { self == TLSSettings() }

  /// Whether suites are listed and none can be used below TLS 1.3.
  var namesOnlyTLS13Suites: Bool {
    !cipherSuites.isEmpty && cipherSuites.allSatisfy(TLSCipherSuites.tls13.contains)
  }
}
