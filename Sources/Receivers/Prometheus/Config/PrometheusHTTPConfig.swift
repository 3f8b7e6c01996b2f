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
