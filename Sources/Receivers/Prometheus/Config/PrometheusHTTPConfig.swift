package import ConfigSchema
internal import Transport

/// The HTTP client of a scrape or discovery configuration, in Prometheus' own keys.
package struct PrometheusHTTPConfig: ConfigGroup {
  package var basicAuth: BasicAuth?
  package var authorization: Authorization?
  package var oauth2: OAuth2?
  package var bearerToken: Secret = ""
  package var bearerTokenFile = ""
  package var tls = PrometheusTLSConfig()
  package var followRedirects = true
  package var enableHTTP2 = true
  package var proxy = ProxyConfig()
  package var headers = ConfigMap<HeaderValues>()

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("basic_auth", \.basicAuth, "Sends along a user name and password."),
    Field("authorization", \.authorization, "Sends along an `Authorization` header."),
    Field("oauth2", \.oauth2, "Sends along access tokens got with client credentials (OAuth 2.0)."),
    .deprecated("bearer_token", use: "authorization.credentials", \.bearerToken, "A bearer token."),
    .deprecated(
      "bearer_token_file", use: "authorization.credentials_file", \.bearerTokenFile,
      "A file with a bearer token."),
    Field("tls_config", \.tls, "TLS of https URLs."),
    Field("follow_redirects", \.followRedirects, "Follow HTTP redirects."),
    Field("enable_http2", \.enableHTTP2, "Offer HTTP/2 on TLS connections."),
    .group(\.proxy),
    Field("http_headers", \.headers, "Headers added to every request."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    let ways: [(isSet: Bool, name: String)] = [
      (basicAuth != nil, "basic_auth"), (authorization != nil, "authorization"), (oauth2 != nil, "oauth2"),
      (!bearerToken.isEmpty, "bearer_token"), (!bearerTokenFile.isEmpty, "bearer_token_file"),
    ]
    let set = ways.filter(\.isSet).map(\.name)
    if set.count > 1 {
      checker.error(
        "only one of \(set.joined(separator: ", ")) can be set", help: "keep the one that the target asks for"
      )
    }
    for header in headers {
      if Self.ownHeaders.contains(header.key.lowercased()) {
        checker.error(\.headers, at: header.key, "is set by the client itself")
      } else if !HTTPToken.isName(header.key) {
        checker.error(\.headers, at: header.key, "is not a valid header name")
      } else if !(header.value.values + header.value.secrets.map { $0.reveal() }).allSatisfy(
        HTTPToken.isValue)
      {
        checker.error(\.headers, at: header.key, "has a value with characters that headers cannot carry")
      }
    }
  }

  /// Headers that belong to other keys, or to the connection.
  private static let ownHeaders: Set<String> = [
    "accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type",
    "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "user-agent", "www-authenticate",
    "x-prometheus-scrape-timeout-seconds", "transfer-encoding", "upgrade", "trailer", "te",
  ]

  /// `basic_auth`.
  package struct BasicAuth: ConfigGroup {
    package var username = ""
    package var usernameFile = ""
    package var password: Secret = ""
    package var passwordFile = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("username", \.username, "The user name."),
      Field("username_file", \.usernameFile, "A file with the user name, read again when it changes."),
      Field("password", \.password, "The password."),
      Field("password_file", \.passwordFile, "A file with the password, read again when it changes."),
      .unsupported("username_ref", secretReference),
      .unsupported("password_ref", secretReference),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if !username.isEmpty, !usernameFile.isEmpty {
        checker.error(\.usernameFile, "username is set too", help: "keep one of the two")
      }
      if !password.isEmpty, !passwordFile.isEmpty {
        checker.error(\.passwordFile, "password is set too", help: "keep one of the two")
      }
      if username.contains(":") { checker.error(\.username, "must not contain a colon") }
    }
  }

  /// `authorization`.
  package struct Authorization: ConfigGroup {
    package var type = "Bearer"
    package var credentials: Secret = ""
    package var credentialsFile = ""
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("type", \.type, "The authentication type.", check: .custom(typeProblem)),
      Field("credentials", \.credentials, "What follows the type, such as a token."),
      Field(
        "credentials_file", \.credentialsFile, "A file with the credentials, read again when it changes."),
      .unsupported("credentials_ref", secretReference),
    ]

    private static func typeProblem(_ type: String) -> String? {
      if type.isEmpty { return nil }
      if type.lowercased() == "basic" { return "cannot be basic: use basic_auth" }
      return HTTPToken.isName(type) ? nil : "is not the name of an authentication type"
    }

    package func check(_ checker: inout ConfigChecker) {
      if !credentials.isEmpty, !credentialsFile.isEmpty {
        checker.error(\.credentialsFile, "credentials is set too", help: "keep one of the two")
      }
      if !HTTPToken.isValue(credentials.reveal()) {
        checker.error(\.credentials, "holds characters that headers cannot carry")
      }
    }
  }

  /// `oauth2`.
  package struct OAuth2: ConfigGroup {
    package var clientID = ""
    package var clientSecret: Secret = ""
    package var clientSecretFile = ""
    package var scopes: [String] = []
    package var tokenURL = ""
    package var endpointParameters = ConfigMap<Secret>()
    package var tls = PrometheusTLSConfig()
    package var proxy = ProxyConfig()
    package init() {}

    private static let assertion = "the JWT bearer grant is not supported: use a client secret"

    package static let fields: [Field<Self>] = [
      Field("client_id", \.clientID, "The client's id.", check: .nonEmpty, required: true),
      Field("client_secret", \.clientSecret, "The client's secret."),
      Field("client_secret_file", \.clientSecretFile, "A file with the secret, read again when it changes."),
      Field("scopes", \.scopes, "Scopes to ask for."),
      Field(
        "token_url", \.tokenURL, "URL of the token endpoint.",
        check: .custom { FieldCheck<String>.url.problem($0)?.message }, required: true),
      Field("endpoint_params", \.endpointParameters, "Further parameters of the token request."),
      Field("tls_config", \.tls, "TLS of the connection to the token endpoint."),
      .group(\.proxy),
      .unsupported("client_secret_ref", secretReference),
      .unsupported("client_certificate_key", assertion),
      .unsupported("client_certificate_key_file", assertion),
      .unsupported("client_certificate_key_id", assertion),
      .unsupported("client_certificate_key_ref", assertion),
      .unsupported("grant_type", "client_credentials is the only grant: leave the key out"),
      .unsupported("signature_algorithm", assertion),
      .unsupported("iss", assertion),
      .unsupported("audience", "it belongs to the JWT bearer grant: set endpoint_params.audience instead"),
      .unsupported("claims", assertion),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if !clientSecret.isEmpty, !clientSecretFile.isEmpty {
        checker.error(\.clientSecretFile, "client_secret is set too", help: "keep one of the two")
      }
      for entry in endpointParameters
      where ["grant_type", "client_id", "client_secret", "scope"].contains(entry.key) {
        checker.error(\.endpointParameters, at: entry.key, "has a key of its own")
      }
    }
  }

  /// The values of one header of `http_headers`.
  package struct HeaderValues: ConfigGroup {
    package var values: [String] = []
    package var secrets: [Secret] = []
    package var files: [String] = []
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("values", \.values, "Values of the header."),
      Field("secrets", \.secrets, "Values that are never printed."),
      Field("files", \.files, "Files with a value each, read again when they change."),
    ]
  }

  /// `proxy_url` and what belongs to it.
  package struct ProxyConfig: ConfigGroup {
    package var url = ""
    package var exceptions = ""
    package var isFromEnvironment = false
    package init() {}

    package static let fields: [Field<Self>] = [
      Field("proxy_url", \.url, "HTTP proxy to tunnel through with CONNECT, such as http://proxy:3128."),
      Field(
        "no_proxy", \.exceptions,
        "Hosts that are reached without the proxy, separated by commas: names with all below them, addresses, networks such as 10.0.0.0/8, each with a port if need be."
      ),
      Field(
        "proxy_from_environment", \.isFromEnvironment,
        "Take the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, upper or lower case."),
      .unsupported(
        "proxy_connect_header",
        "headers of CONNECT requests are not supported: put credentials into proxy_url"),
    ]

    package func check(_ checker: inout ConfigChecker) {
      if isFromEnvironment, !url.isEmpty {
        checker.error(\.isFromEnvironment, "proxy_url is set too", help: "keep one of the two")
      }
      if isFromEnvironment, !exceptions.isEmpty {
        checker.error(\.exceptions, "proxy_from_environment is set too", help: "set NO_PROXY instead")
      }
      if !exceptions.isEmpty, url.isEmpty, !isFromEnvironment {
        checker.error(\.exceptions, "has no effect without proxy_url", help: "set proxy_url, or leave it out")
      }
      if !url.isEmpty, !HTTPClientConfig.isProxy(url) {
        checker.error(
          \.url, "is not the URL of an HTTP proxy",
          help: "write http://host:port or http://user:password@host:port")
      }
    }
  }
}

/// Why references to secret managers are refused.
private let secretReference = "secret managers are not supported: use a file, or ${env:NAME}"

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
    .unsupported("ca_ref", secretReference),
    .unsupported("cert_ref", secretReference),
    .unsupported("key_ref", secretReference),
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
