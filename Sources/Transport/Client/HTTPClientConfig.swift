package import ConfigSchema
internal import NativeCodecs

/// Settings of an HTTP client: the Collector's `confighttp` client block.
package struct HTTPClientConfig: ConfigGroup {
  /// Absolute URL; may stay empty where the component knows its URLs otherwise.
  package var endpoint = ""
  package var proxyURL = ""
  package var tls = ClientTLSConfig()
  /// Of one request with its answer; zero sets no limit.
  package var timeout: Duration = .seconds(30)
  /// Win over headers of the component; `Host` overrides the host of the URL.
  package var headers = ConfigMap<Secret>()
  package var compression = HTTPCompression.none
  package var compressionParameters = CompressionParameters()
  /// Zero sets no limit.
  package var maxConnectionsPerHost = 0
  /// Zero keeps idle connections for ever.
  package var idleConnectionTimeout: Duration = .seconds(90)
  package var disableKeepAlives = false
  package var forceAttemptHTTP2 = true
  package var auth: ClientAuthConfig?
  /// How many redirects a GET follows; not a key of the block, since data never follows one.
  package var mostRedirects = 0

  package init() {}

  /// A client with other defaults, as each component has them.
  package init(timeout: Duration = .seconds(30), compression: HTTPCompression = .none) {
    self.timeout = timeout
    self.compression = compression
  }

  package static let fields: [Field<Self>] = [
    Field("endpoint", \.endpoint, "URL of the server, such as http://backend:4318."),
    Field(
      "proxy_url", \.proxyURL,
      "HTTP proxy to tunnel through with CONNECT, such as http://user:password@proxy:3128. Environment variables are not read."
    ),
    Field(
      "tls", \.tls,
      "TLS of https URLs; the CA certificates of the system are trusted unless others are named."),
    Field(
      "timeout", \.timeout, "Longest time for one request and its answer; 0 sets no limit.",
      check: .atLeast(.zero)),
    Field("headers", \.headers, "Headers added to every request; `Host` replaces the host of the URL."),
    Field("compression", \.compression, "How bodies are compressed."),
    Field("compression_params", \.compressionParameters, "How hard bodies are compressed."),
    Field(
      "max_conns_per_host", \.maxConnectionsPerHost,
      "Most connections to one host, busy and idle; requests wait for one. 0 sets no limit.",
      check: .atLeast(0)),
    Field(
      "idle_conn_timeout", \.idleConnectionTimeout,
      "How long an unused connection is kept; 0 keeps it until the server closes it.", check: .atLeast(.zero)),
    Field("disable_keep_alives", \.disableKeepAlives, "Use each connection for one request only."),
    Field("force_attempt_http2", \.forceAttemptHTTP2, "Offer HTTP/2 on TLS connections."),
    .accepted(
      "max_idle_conns", "idle connections are bounded by the requests sent at once and by idle_conn_timeout"),
    .accepted(
      "max_idle_conns_per_host",
      "idle connections are bounded by the requests sent at once and by idle_conn_timeout"),
    .accepted("read_buffer_size", ClientKeyReason.buffers),
    .accepted("write_buffer_size", ClientKeyReason.buffers),
    .accepted("http2_read_idle_timeout", "a dead connection is noticed by the timeout of its request"),
    .accepted("http2_ping_timeout", "a dead connection is noticed by the timeout of its request"),
    .unsupported(
      "cookies", "cookies are not kept: leave the key out, or send a `Cookie` header with `headers`"),
    Field("auth", \.auth, "What adds credentials to every request; absent: nothing."),
    .unsupported("middlewares", ClientKeyReason.middlewares),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if !endpoint.isEmpty, let problem = FieldCheck<String>.url.problem(endpoint) {
      checker.error(\.endpoint, problem.message, help: problem.help)
    }
    if !proxyURL.isEmpty, ProxyAddress(proxyURL) == nil {
      checker.error(
        \.proxyURL, "is not the URL of an HTTP proxy",
        help: "write http://host:port or http://user:password@host:port")
    }
    if endpoint.lowercased().hasPrefix("http://"), !tls.settings.isUntouched || tls.hasAuthorities {
      checker.warning(
        \.tls, "has no effect: the URL begins with http://",
        help: "write https:// in the URL, or leave tls out")
    }
    if endpoint.lowercased().hasPrefix("https://"), tls.insecure {
      checker.warning(
        \.tls.insecureSetting, "has no effect: the URL begins with https://",
        help: "write http:// in the URL for plaintext; for a certificate of your own CA set ca_file")
    }
    let level = compressionParameters.level
    if level != 0 {
      let levels = compression.algorithm?.levels ?? []
      if levels.isEmpty {
        checker.error(
          \.compressionParameters.level, "`compression: \(compression.rawValue)` has no levels",
          help: "leave the key out")
      } else if !levels.contains(level) {
        checker.error(
          \.compressionParameters.level,
          "must be one of \(levels.map(String.init).joined(separator: ", ")) for \(compression.rawValue), is \(level)"
        )
      }
    }
    if auth != nil, let exposure = ClientExposure.ofCredentials(url: endpoint) {
      checker.warning(\.auth, exposure)
    }
    for header in headers {
      if let problem = ClientHeaders.problem(name: header.key, value: header.value) {
        checker.error(\.headers, at: header.key, problem)
      }
    }
  }

  /// Whether a text is the URL of a proxy.
  package static func isProxy(_ url: String) -> Bool { ProxyAddress(url) != nil }

  /// The level for the codec; nil for its default.
  var compressionLevel: Int? { compressionParameters.level == 0 ? nil : compressionParameters.level }
}

/// A proxy as `proxy_url` names it.
struct ProxyAddress: Equatable {
  var host: String
  var port: Int
  var user: String?
  var password: String

  /// Reads `http://[user[:password]@]host[:port]`; nil for anything else.
  init?(_ text: String) {
    guard FieldCheck<String>.url(schemes: ["http"]).problem(text) == nil,
      let start = text.firstRange(of: "://")
    else { return nil }
    var authority = text[start.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    user = nil
    password = ""
    if let at = authority.lastIndex(of: "@") {
      let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      user = GRPCText.percentDecoded(String(credentials[0]))
      if credentials.count > 1 { password = GRPCText.percentDecoded(String(credentials[1])) }
      authority = authority[authority.index(after: at)...]
    }
    let (host, port) = HostAndPort.split(authority)
    self.host = host
    self.port = port ?? 80
    if host.isEmpty { return nil }
  }
}

/// Takes `host:port` apart.
enum HostAndPort {
  /// The host without the brackets of IPv6 addresses, and the port when there is one.
  static func split(_ text: Substring) -> (host: String, port: Int?) {
    if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
      let host = String(text[text.index(after: text.startIndex)..<close])
      let rest = text[text.index(after: close)...]
      return (host, rest.hasPrefix(":") ? Int(rest.dropFirst()) : nil)
    }
    guard let colon = text.lastIndex(of: ":") else { return (String(text), nil) }
    return (String(text[..<colon]), Int(text[text.index(after: colon)...]))
  }
}
