import ConfigSchema

/// Which proxy a URL is reached through, as `proxy_url`, `no_proxy` and `proxy_from_environment` say.
///
/// The rules of exceptions are those of Go's `httpproxy`: a name stands for itself and all below it, one that begins
/// with a dot for those below it only, `*` for everything; addresses and networks compare as such; a port limits it.
struct ProxyChoice: Sendable {
  private let plain: String
  private let secure: String
  private let exceptions: [Exception]
  /// Programs have always been let alone with themselves where the environment names the proxy.
  private let sparesLoopback: Bool

  init(
    _ config: PrometheusHTTPConfig.ProxyConfig, environment: ConfigEnvironment = .process
  ) {
    guard config.isFromEnvironment else {
      plain = config.url
      secure = config.url
      exceptions = Self.exceptions(config.exceptions)
      sparesLoopback = false
      return
    }
    func value(_ name: String) -> String {
      environment.variable(name) ?? environment.variable(name.lowercased()) ?? ""
    }
    plain = Self.url(value("HTTP_PROXY"))
    secure = Self.url(value("HTTPS_PROXY"))
    exceptions = Self.exceptions(value("NO_PROXY"))
    sparesLoopback = true
  }

  /// The proxy for a URL; nil for none.
  func proxy(for url: String) -> String? {
    guard !plain.isEmpty || !secure.isEmpty, let start = url.firstRange(of: "://") else { return nil }
    let scheme = url[..<start.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { return nil }
    let proxy = scheme == "https" ? secure : plain
    guard !proxy.isEmpty else { return nil }
    var authority = url[start.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
    var (host, port) = Self.split(authority)
    if port.isEmpty { port = scheme == "https" ? "443" : "80" }
    if sparesLoopback {
      if host == "localhost" || IPAddress(host)?.isLoopback == true { return nil }
    }
    return exceptions.contains { $0.covers(host, port: port) } ? nil : proxy
  }

  /// Where the environment may leave the scheme out.
  private static func url(_ text: String) -> String {
    text.isEmpty || text.contains("://") ? text : "http://\(text)"
  }

  private static func split(_ authority: Substring) -> (host: String, port: String) {
    if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
      let rest = authority[authority.index(after: close)...]
      return (authority[..<close].dropFirst().lowercased(), String(rest.dropFirst()))
    }
    let colons = authority.filter { $0 == ":" }.count
    guard colons == 1, let colon = authority.firstIndex(of: ":") else { return (authority.lowercased(), "") }
    return (authority[..<colon].lowercased(), String(authority[authority.index(after: colon)...]))
  }

  /// One exception.
  private struct Exception: Sendable {
    enum Kind: Sendable {
      case everything
      case network(IPAddress, bits: Int)
      case name(String, onlyBelow: Bool)
    }
    let kind: Kind
    let port: String

    func covers(_ host: String, port: String) -> Bool {
      if !self.port.isEmpty, self.port != port { return false }
      switch kind {
      case .everything: return true
      case .network(let network, let bits):
        return IPAddress(host).map { $0.isIn(network, bits: bits) } ?? false
      case .name(let name, let onlyBelow):
        return !onlyBelow && host == name || host.hasSuffix(".\(name)")
      }
    }
  }

  private static func exceptions(_ text: String) -> [Exception] {
    text.split(whereSeparator: { $0 == "," || $0 == " " }).map { entry in
      let word = entry.lowercased()
      if word == "*" { return Exception(kind: .everything, port: "") }
      let parts = word.split(separator: "/", maxSplits: 1)
      if parts.count == 2, let network = IPAddress(String(parts[0])), let bits = Int(parts[1]),
        bits >= 0, bits <= network.bytes.count * 8
      {
        return Exception(kind: .network(network, bits: bits), port: "")
      }
      let (host, port) = split(word[...])
      if let address = IPAddress(host) {
        return Exception(kind: .network(address, bits: address.bytes.count * 8), port: port)
      }
      let isBelow = host.hasPrefix(".") || host.hasPrefix("*.")
      let name = host.hasPrefix("*.") ? host.dropFirst(2) : host.hasPrefix(".") ? host.dropFirst() : host[...]
      return Exception(kind: .name(String(name), onlyBelow: isBelow), port: port)
    }
  }
}
