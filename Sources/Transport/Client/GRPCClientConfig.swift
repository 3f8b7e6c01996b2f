package import ConfigSchema

/// Settings of a gRPC client: the Collector's `configgrpc` client block.
package struct GRPCClientConfig: ConfigGroup {
  /// host:port, with an optional scheme `http`, `https` or `dns`, or `unix:` and a path.
  package var endpoint = ""
  package var compression = GRPCCompression.none
  package var tls = ClientTLSConfig()
  package var keepalive: ClientKeepaliveConfig? = ClientKeepaliveConfig()
  package var waitForReady = false
  package var headers = ConfigMap<Secret>()
  package var balancer = GRPCBalancer.roundRobin
  /// Empty for the endpoint's host:port.
  package var authority = ""
  /// Empty for the collector's own.
  package var userAgent = ""
  package var auth: ClientAuthConfig?

  package init() {}

  /// A client with other defaults, as each component has them.
  package init(compression: GRPCCompression) { self.compression = compression }

  package static let fields: [Field<Self>] = [
    Field(
      "endpoint", \.endpoint,
      "Address of the server, host:port; `unix:///path` for a socket file. https:// asks for TLS, http:// for plaintext, dns:/// is dropped."
    ),
    Field("compression", \.compression, "How messages are compressed."),
    Field(
      "tls", \.tls, "TLS of the connection; on unless `insecure: true` or the endpoint begins with http://."),
    Field(
      "keepalive", \.keepalive, "Pings that notice a dead connection.", initial: ClientKeepaliveConfig()),
    Field(
      "wait_for_ready", \.waitForReady,
      "While the server cannot be reached, let calls wait until their timeout instead of failing at once."),
    Field("headers", \.headers, "Metadata added to every call."),
    Field(
      "balancer_name", \.balancer,
      "How the addresses of a name are used; this version keeps one connection, to the first that answers."),
    Field("authority", \.authority, "Value of `:authority` in place of the endpoint's."),
    Field("user_agent", \.userAgent, "Value of `user-agent` in place of the collector's."),
    .accepted("read_buffer_size", ClientKeyReason.buffers),
    .accepted("write_buffer_size", ClientKeyReason.buffers),
    Field("auth", \.auth, "What adds credentials to every call; absent: nothing."),
    .unsupported("middlewares", ClientKeyReason.middlewares),
  ]

  package func check(_ checker: inout ConfigChecker) {
    switch GRPCTarget.parse(endpoint) {
    case .failure(let problem):
      checker.error(\.endpoint, problem.message, help: "write host:port, such as backend:4317")
    case .success(let target):
      checkTLS(target, &checker)
    }
    if auth != nil, case .success(let target) = GRPCTarget.parse(endpoint), !usesTLS(target),
      case .host(let host, _) = target.address, let exposure = ClientExposure.ofCredentials(host: host)
    {
      checker.warning(\.auth, exposure)
    }
    if checker.isPresent(\.balancer), balancer == .roundRobin {
      checker.note(
        \.balancer, "this version keeps one connection, to the first address of the name that answers")
    }
    for header in headers {
      if header.key.hasPrefix(":") || header.key.lowercased().hasPrefix("grpc-") {
        checker.error(\.headers, at: header.key, "is reserved by gRPC")
      } else if let problem = ClientHeaders.problem(name: header.key, value: header.value) {
        checker.error(\.headers, at: header.key, problem)
      }
    }
  }
}

extension GRPCClientConfig {
  private func checkTLS(_ target: GRPCTarget, _ checker: inout ConfigChecker) {
    switch target.scheme {
    case .https where tls.insecure:
      checker.warning(\.tls.insecureSetting, "has no effect: https:// in the endpoint asks for TLS")
    case .http where !tls.insecure && !tls.isUntouched:
      checker.error(
        \.endpoint, "http:// asks for plaintext, and tls for TLS",
        help: "write https:// or no scheme for TLS, or set `tls: {insecure: true}`")
    case .http where tls.insecureSetting == nil:
      checker.note(\.endpoint, "http:// is taken as `tls: {insecure: true}`; the Collector would use TLS")
    case .http, .https: break
    case nil where tls.insecure && tls.hasAuthorities:
      checker.warning(
        \.tls.insecureSetting,
        "has no effect beside ca_file or ca_pem, which ask for TLS, as in the Collector",
        help: "remove one of the two")
    case nil: break
    }
  }

  /// Whether connections to `target` use TLS.
  func usesTLS(_ target: GRPCTarget) -> Bool {
    switch target.scheme {
    case .https: true
    case .http: tls.insecure ? tls.hasAuthorities : !tls.isUntouched
    case nil: !tls.insecure || tls.hasAuthorities
    }
  }
}

/// How several addresses behind one name are used.
package enum GRPCBalancer: String, ConfigEnum {
  case roundRobin = "round_robin"
  case pickFirst = "pick_first"
}

/// Where a gRPC client connects to.
struct GRPCTarget: Sendable, Equatable {
  enum Address: Sendable, Equatable {
    case host(String, port: Int)
    case unix(path: String)
  }

  struct Problem: Error, Equatable { let message: String }

  var address: Address
  /// The value of `:authority`.
  var authority: String
  /// What the endpoint says about TLS; nil when it says nothing.
  var scheme: Scheme?

  enum Scheme: Sendable, Equatable { case http, https }

  /// For messages: `localhost:4317`, `unix:/run/otlp.sock`.
  var description: String {
    switch address {
    case .host: authority
    case .unix(let path): "unix:\(path)"
    }
  }

  /// Reads an endpoint with or without a scheme (gRPC name syntax, as far as the Collector's users write it).
  static func parse(_ endpoint: String) -> Result<GRPCTarget, Problem> {
    if endpoint.isEmpty { return .failure(Problem(message: "must be set to the server's address")) }
    var text = endpoint[...]
    for prefix in ["unix://", "unix:"] where text.hasPrefix(prefix) {
      let path = String(text.dropFirst(prefix.count))
      if path.isEmpty { return .failure(Problem(message: "the path of the socket is missing")) }
      return .success(GRPCTarget(address: .unix(path: path), authority: "localhost", scheme: nil))
    }
    var asked: Scheme?
    if let range = text.firstRange(of: "://") {
      let scheme = text[..<range.lowerBound].lowercased()
      text = text[range.upperBound...]
      switch scheme {
      case "http": asked = .http
      case "https": asked = .https
      case "dns", "passthrough":
        guard text.hasPrefix("/") else {
          return .failure(
            Problem(message: "DNS servers of your own are not supported: write \(scheme):///host:port"))
        }
        text = text.dropFirst()
      default: return .failure(Problem(message: "the scheme \"\(scheme)\" is not supported"))
      }
      if text.hasSuffix("/") { text = text.dropLast() }
    } else if text.hasPrefix("dns:") {
      text = text.dropFirst(4)
    }
    if let problem = FieldCheck<String>.hostPort.problem(String(text)) {
      return .failure(Problem(message: problem.message))
    }
    let (host, port) = HostAndPort.split(text)
    return .success(
      GRPCTarget(
        address: .host(host.isEmpty ? "localhost" : host, port: port ?? 443), authority: String(text),
        scheme: asked))
  }
}
