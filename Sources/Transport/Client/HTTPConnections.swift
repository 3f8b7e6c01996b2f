internal import AsyncHTTPClient
internal import ConfigSchema
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// The pooled connections of an HTTP client, all made with the same certificates.
///
/// When certificates are renewed a new set takes over; this one closes when its last request has its answer.
final class HTTPConnections: Sendable {
  private let settings: AsyncHTTPClient.HTTPClient.Configuration
  /// Such as `backend.internal`; empty for the host of the URL.
  private let serverName: String
  /// By the host that is connected to, which matters only where another name is asked for.
  private let clients = Mutex<[String: AsyncHTTPClient.HTTPClient]>([:])
  private let isShutDown = Atomic(false)
  private let probe: TLSProbe?

  /// Opens nothing yet.
  init(config: HTTPClientConfig, tls: TLSConfiguration) {
    var settings = AsyncHTTPClient.HTTPClient.Configuration()
    settings.tlsConfiguration = tls
    settings.redirectConfiguration =
      config.mostRedirects > 0 ? .follow(max: config.mostRedirects, allowCycles: false) : .disallow
    settings.decompression = .disabled
    settings.httpVersion = config.forceAttemptHTTP2 ? .automatic : .http1Only
    settings.timeout = .init(connect: .seconds(20))
    // Retrying is the exporter's, which also counts it.
    settings.connectionPool.retryConnectionEstablishment = false
    settings.connectionPool.idleTimeout =
      config.idleConnectionTimeout > .zero
      ? TimeAmount(clamping: config.idleConnectionTimeout) : .hours(24 * 365)
    settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
      config.maxConnectionsPerHost > 0 ? config.maxConnectionsPerHost : 1024
    if config.disableKeepAlives { settings.maximumUsesPerConnection = 1 }
    let proxy = ProxyAddress(config.proxyURL)
    if let proxy {
      settings.proxy = .server(
        host: proxy.host, port: proxy.port,
        authorization: proxy.user.map { .basic(username: $0, password: proxy.password) })
    }
    self.settings = settings
    serverName = config.tls.serverNameOverride.lowercased()
    probe = proxy == nil ? TLSProbe(tls) : nil
  }

  /// Sends a request and waits for the head of the answer.
  func execute(_ request: HTTPClientRequest, deadline: NIODeadline) async throws -> HTTPClientResponse {
    var request = request
    let client = client(for: &request)
    return try await client.execute(request, deadline: deadline)
  }

  /// The client for a request, whose URL is changed where the server goes by another name.
  private func client(for request: inout HTTPClientRequest) -> AsyncHTTPClient.HTTPClient {
    guard !serverName.isEmpty, let address = URLAddress(request.url), address.isSecure else {
      return client(host: "")
    }
    // The pool verifies the host of the URL, and connects to where the override of DNS points. `Host` stays.
    if !request.headers.contains(name: "host") {
      request.headers.add(name: "host", value: address.authority)
    }
    request.url = address.url(host: serverName)
    return client(host: address.host)
  }

  private func client(host: String) -> AsyncHTTPClient.HTTPClient {
    let (client, isNew) = clients.withLock { clients in
      if let client = clients[host] { return (client, false) }
      var settings = settings
      if !host.isEmpty { settings.dnsOverride = [serverName: host] }
      let client = AsyncHTTPClient.HTTPClient(eventLoopGroup: EventLoops.group, configuration: settings)
      clients[host] = client
      return (client, true)
    }
    if isNew, isShutDown.load(ordering: .acquiring) { client.shutdown { _ in } }
    return client
  }

  /// Why the certificate of a URL's server is refused, where the error does not say it; nil when it cannot be told.
  func refusal(of url: String) async -> String? {
    guard let address = URLAddress(url) else { return nil }
    return await probe?.refusal(
      host: address.host, port: address.port, serverName: serverName.isEmpty ? address.host : serverName)
  }

  /// Closes all connections; requests under way fail, later ones too.
  func shutdown() async {
    isShutDown.store(true, ordering: .releasing)
    for client in clients.withLock({ Array($0.values) }) { try? await client.shutdown() }
  }

  deinit {
    // The pool insists on being shut down; after `shutdown()` this has no effect.
    for client in clients.withLock({ Array($0.values) }) { client.shutdown { _ in } }
  }
}

/// The parts of an absolute URL that tell where to connect.
struct URLAddress {
  let isSecure: Bool
  /// Host and port as written, without credentials.
  let authority: String
  /// Without the brackets of IPv6 addresses.
  let host: String
  let port: Int
  /// What follows the authority.
  private let rest: Substring

  init?(_ url: String) {
    guard let start = url.firstRange(of: "://") else { return nil }
    isSecure = url[..<start.lowerBound].lowercased() == "https"
    let text = url[start.upperBound...]
    var authority = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    rest = text[authority.endIndex...]
    if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
    let (host, port) = HostAndPort.split(authority)
    if host.isEmpty { return nil }
    self.authority = String(authority)
    self.host = host
    self.port = port ?? (isSecure ? 443 : 80)
  }

  /// The URL with another host.
  func url(host: String) -> String { "\(isSecure ? "https" : "http")://\(host):\(port)\(rest)" }
}
