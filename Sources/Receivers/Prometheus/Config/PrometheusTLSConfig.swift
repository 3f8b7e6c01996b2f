package import ConfigSchema
internal import Transport

/// `tls_config` in Prometheus' own keys.
package struct PrometheusTLSConfig: ConfigGroup {
  /// A version as Prometheus names it.
  package enum Version: String, ConfigEnum, Comparable {
    case tls10 = "TLS10"
    case tls11 = "TLS11"
    case tls12 = "TLS12"
    case tls13 = "TLS13"

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    var name: TLSVersionName {
      switch self {
      case .tls10: .tls10
      case .tls11: .tls11
      case .tls12: .tls12
      case .tls13: .tls13
      }
    }
  }

  package var ca = ""
  package var caFile = ""
  package var cert = ""
  package var certFile = ""
  package var key: Secret = ""
  package var keyFile = ""
  package var serverName = ""
  package var insecureSkipVerify = false
  package var minVersion: Version?
  package var maxVersion: Version?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("ca_file", \.caFile, "File with the CA certificates, PEM, to trust in place of the system's."),
    Field("ca", \.ca, "The CA certificates themselves instead of a file."),
    Field("cert_file", \.certFile, "File with the client's certificate, PEM."),
    Field("cert", \.cert, "The client's certificate itself instead of a file."),
    Field("key_file", \.keyFile, "File with the private key of the certificate, PEM."),
    Field("key", \.key, "The private key itself instead of a file."),
    Field(
      "server_name", \.serverName,
      "Name to ask for and to find in the server's certificate, in place of the address's host."),
    Field("insecure_skip_verify", \.insecureSkipVerify, "Take any certificate of the server."),
    Field("min_version", \.minVersion, "Oldest version of TLS that is spoken; TLS12 when left out."),
    Field("max_version", \.maxVersion, "Newest version of TLS that is spoken."),
    .unsupported("ca_ref", SecretReference.reason),
    .unsupported("cert_ref", SecretReference.reason),
    .unsupported("key_ref", SecretReference.reason),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !ca.isEmpty, !caFile.isEmpty { checker.error(\.caFile, "ca is set too", help: "keep one of the two") }
    if !cert.isEmpty, !certFile.isEmpty {
      checker.error(\.certFile, "cert is set too", help: "keep one of the two")
    }
    if !key.isEmpty, !keyFile.isEmpty {
      checker.error(\.keyFile, "key is set too", help: "keep one of the two")
    }
    let hasCertificate = !cert.isEmpty || !certFile.isEmpty
    let hasKey = !key.isEmpty || !keyFile.isEmpty
    if hasCertificate, !hasKey {
      checker.error("the certificate needs its private key", help: "set key_file or key")
    }
    if hasKey, !hasCertificate {
      checker.error("the private key needs its certificate", help: "set cert_file or cert")
    }
    if let minVersion, let maxVersion, maxVersion < minVersion {
      checker.error(\.maxVersion, "\(maxVersion.rawValue) is older than min_version \(minVersion.rawValue)")
    }
    if insecureSkipVerify {
      checker.warning(
        \.insecureSkipVerify, "the server's certificate is not verified: anyone on the way can pose as it",
        help: "give the CA of the server with ca_file")
    }
  }

  /// The same in the keys of Transport; files are looked at again every ten seconds.
  var client: ClientTLSConfig {
    var tls = ClientTLSConfig()
    tls.caPEM = ca
    tls.caFile = caFile
    tls.serverNameOverride = serverName
    tls.insecureSkipVerify = insecureSkipVerify
    tls.settings.certPEM = cert
    tls.settings.certFile = certFile
    tls.settings.keyPEM = key
    tls.settings.keyFile = keyFile
    tls.settings.minVersion = minVersion?.name ?? min(.tls12, maxVersion?.name ?? .tls12)
    tls.settings.maxVersion = maxVersion?.name
    tls.settings.reloadInterval =
      [caFile, certFile, keyFile].allSatisfy(\.isEmpty) ? .zero : .seconds(10)
    return tls
  }
}
