package import ConfigSchema

/// TLS of a server: the Collector's `tls` block of servers.
package struct ServerTLSConfig: ConfigGroup {
  package var settings = TLSSettings()
  /// Setting it requires a certificate of every client, signed by one of these.
  package var clientCAFile = ""
  package var clientCAFileReload = false
  /// The three below concern only clients; the Collector takes them here too.
  package var caFile = ""
  package var caPEM = ""
  package var includeSystemCACertsPool = false

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.settings),
    Field(
      "client_ca_file", \.clientCAFile,
      "File with the CA certificates, PEM, of which every client must show one's certificate (mTLS)."),
    Field(
      "client_ca_file_reload", \.clientCAFileReload,
      "Look for changed files every 10s where no `reload_interval` is set."),
    Field("ca_file", \.caFile, "Without effect on a server, which trusts by `client_ca_file`."),
    Field("ca_pem", \.caPEM, "Without effect on a server, which trusts by `client_ca_file`."),
    Field(
      "include_system_ca_certs_pool", \.includeSystemCACertsPool,
      "Without effect on a server, which trusts by `client_ca_file`."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !settings.hasCertificate, !settings.hasKey {
      checker.error(
        "a server needs a certificate and its private key",
        help: "set cert_file and key_file, or leave tls out for plaintext")
    }
    let help = "set client_ca_file to ask clients for a certificate, or leave the key out"
    if !caFile.isEmpty { checker.warning(\.caFile, "has no effect on a server", help: help) }
    if !caPEM.isEmpty { checker.warning(\.caPEM, "has no effect on a server", help: help) }
    if includeSystemCACertsPool {
      checker.warning(\.includeSystemCACertsPool, "has no effect on a server", help: help)
    }
    if clientCAFileReload, clientCAFile.isEmpty {
      checker.warning(\.clientCAFileReload, "has no effect without client_ca_file")
    }
  }

  /// How often the files are looked at; nil for never again.
  var reloadInterval: Duration? {
    if settings.reloadInterval > .zero { return settings.reloadInterval }
    return clientCAFileReload && !clientCAFile.isEmpty ? .seconds(10) : nil
  }
}
