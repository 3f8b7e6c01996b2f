package import ConfigSchema
internal import Logging
package import PipelineKit
internal import Synchronization

/// What a client asks for access tokens with (RFC 6749, §4.4).
package struct OAuth2Settings: Sendable {
  package var clientID = ""
  /// Empty for none.
  package var clientIDFile = ""
  package var clientSecret: Secret = ""
  package var clientSecretFile = ""
  package var tokenURL = ""
  package var scopes: [String] = []
  package var endpointParameters: [(name: String, value: Secret)] = []
  /// How long before its end a token is renewed.
  package var expiryBuffer: Duration = .seconds(300)
  /// Of the connection to the endpoint.
  package var http = HTTPClientConfig(timeout: .seconds(10))

  package init() {}
}

/// Sends along access tokens that it gets with the client's own credentials.
package final class OAuth2Authenticator: ClientAuthenticator {
  private let context: ComponentContext
  private let endpoint: TokenEndpoint
  private let settings: OAuth2Settings
  private let cache: TokenCache
  private let files = Mutex<[WatchedFile]>([])

  package init(_ settings: OAuth2Settings, context: ComponentContext) {
    self.settings = settings
    self.context = context
    let endpoint = TokenEndpoint(settings)
    self.endpoint = endpoint
    let clock = context.clock
    let buffer = settings.expiryBuffer
    cache = TokenCache(clock: clock) {
      let asked = clock.now
      switch try await endpoint.ask() {
      case .token(let type, let value, let lifetime):
        return OAuth2Token("\(type) \(value)", lifetime: lifetime, buffer: buffer, now: asked)
      case .failure(let reason): throw CredentialsError(reason)
      }
    }
  }

  /// Reads the files it needs; throws a `StartError` that names the key of the one that cannot be used.
  package func start() async throws {
    do {
      try await endpoint.open(logger: context.logger)
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
    try await follow("client_id_file", settings.clientIDFile) { $0.id = $1 }
    try await follow("client_secret_file", settings.clientSecretFile) { $0.secret = $1 }
  }

  package func stop() async {
    for file in files.withLock({ $0 }) { file.stop() }
    await endpoint.close()
  }

  private func follow(
    _ key: String, _ path: String,
    _ set: @escaping @Sendable (inout TokenEndpoint.Client, String) -> Void
  ) async throws {
    guard !path.isEmpty else { return }
    let file = WatchedFile(key, path: path, context: context) { [endpoint, cache] text in
      let value = try CredentialText.single(text)
      endpoint.client.withLock { set(&$0, value) }
      cache.forget()
    }
    try await file.start()
    files.withLock { $0.append(file) }
  }

  package func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    [HeaderChange("authorization", try await cache.token().authorization)]
  }

  package func wereRefused(_ changes: [HeaderChange]) async -> Bool {
    guard let sent = changes.last(where: { $0.name == "authorization" })?.value else { return false }
    return cache.refused(sent)
  }
}
