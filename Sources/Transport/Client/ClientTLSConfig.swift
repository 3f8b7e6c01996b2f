package import ConfigSchema

/// TLS of an outgoing connection: the Collector's `tls` block of clients.
package struct ClientTLSConfig: ConfigGroup {
  package var settings = TLSSettings()
  /// Plaintext instead of TLS. For HTTP the scheme of the URL decides, and this says nothing.
  package var insecure: Bool {
    get { insecureSetting ?? false }
    set { insecureSetting = newValue }
  }
  /// What was written; nil when nothing was.
  var insecureSetting: Bool?
  package var insecureSkipVerify = false
  /// Empty for the host of the address.
  package var serverNameOverride = ""
  package var caFile = ""
  package var caPEM = ""
  package var includeSystemCACertsPool = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "insecure", \.insecureSetting,
      "Connect without TLS; the default is false. For HTTP the scheme of the URL decides instead."),
    Field(
      "insecure_skip_verify", \.insecureSkipVerify,
      "Take any certificate of the server: what is sent can then be read and changed on its way."),
    Field(
      "server_name_override", \.serverNameOverride,
      "Name to ask for and to find in the server's certificate, in place of the address's host."),
    Field(
      "ca_file", \.caFile, "File with the CA certificates, PEM, to trust in place of the system's."),
    Field("ca_pem", \.caPEM, "The CA certificates themselves instead of a file."),
    Field(
      "include_system_ca_certs_pool", \.includeSystemCACertsPool,
      "Trust the system's CA certificates besides those of `ca_file` or `ca_pem`."),
    .group(\.settings),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !caFile.isEmpty, !caPEM.isEmpty {
      checker.error(\.caPEM, "ca_file is set too", help: "keep one of the two")
    }
    if insecureSkipVerify {
      checker.warning(
        \.insecureSkipVerify, "the server's certificate is not verified: anyone on the way can pose as it",
        help:
          "give the CA of the server with ca_file, and the name in its certificate with server_name_override")
    }
    if IPLiteral.isAddress(serverNameOverride) {
      checker.error(
        \.serverNameOverride, "must be a DNS name, is an IP address",
        help: "an address can only be verified by connecting to it: write it as the endpoint's host")
    }
  }

  var hasAuthorities: Bool { !caFile.isEmpty || !caPEM.isEmpty }

  /// Whether nothing in the block asks for TLS or against it.
  var isUntouched: Bool {
    insecureSetting == nil && !hasAuthorities && !insecureSkipVerify && serverNameOverride.isEmpty
      && !includeSystemCACertsPool && settings.isUntouched
  }
}
