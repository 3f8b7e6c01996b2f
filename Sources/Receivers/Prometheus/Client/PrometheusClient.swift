internal import ConfigSchema
internal import Logging
package import PipelineKit
internal import Synchronization
package import Transport

/// The HTTP client of a job or a discovery: Prometheus' settings on Transport's client, with credentials, certificates
/// and proxies. One serves all targets of its job.
package final class PrometheusClient: Sendable {
  /// How many redirects are followed, as Go's client does.
  private static let mostRedirects = 10

  private let settings: HTTPClientConfig
  private let proxies: ProxyChoice
  private let credentials: ScrapeCredentials
  private let logger: Logger
  private let fixedHeaders: [(name: String, value: String)]
  /// By the proxy; empty for none.
  private let clients = Mutex<[String: HTTPClient]>([:])

  /// Opens nothing yet.
  package init(_ config: PrometheusHTTPConfig, context: ComponentContext) {
    var settings = HTTPClientConfig()
    settings.tls = config.tls.client
    settings.forceAttemptHTTP2 = config.enableHTTP2
    settings.mostRedirects = config.followRedirects ? Self.mostRedirects : 0
    self.settings = settings
    proxies = ProxyChoice(config.proxy)
    credentials = ScrapeCredentials(config, context: context)
    logger = context.logger
    fixedHeaders = config.headers.compactMap { header in
      guard header.value.files.isEmpty else { return nil }
      let values = header.value.values + header.value.secrets.map { $0.reveal() }
      return (header.key, values.joined(separator: ", "))
    }
  }

  /// Reads the files that the configuration names; throws a `StartError` that names the one that cannot be used.
  package func start() async throws {
    try await credentials.start()
    do {
      try await client(proxy: "").prepare()
    } catch let error as TLSFileError {
      throw StartError(error.described(in: "tls_config"))
    }
  }

  package func stop() async {
    for client in clients.withLock({ Array($0.values) }) { await client.shutdown() }
    await credentials.stop()
  }

  /// Asks for what is at a URL; see `HTTPClient.get`.
  package func get(
    url: String, headers: [(name: String, value: String)] = [], limit: Int, timeout: Duration
  ) async throws -> HTTPReply {
    try await client(proxy: proxies.proxy(for: url) ?? "")
      .get(url: url, headers: headers + fixedHeaders, limit: limit, timeout: timeout)
  }

  private func client(proxy: String) -> HTTPClient {
    clients.withLock { clients in
      if let client = clients[proxy] { return client }
      var settings = settings
      settings.proxyURL = proxy
      let client = HTTPClient(
        config: settings, userAgent: Product.userAgent, logger: logger,
        authenticator: credentials.isEmpty ? nil : credentials)
      clients[proxy] = client
      return client
    }
  }
}
