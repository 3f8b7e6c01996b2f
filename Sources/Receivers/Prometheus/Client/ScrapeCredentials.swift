internal import ConfigSchema
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization
internal import Transport

/// What requests of a job carry so that targets let them in, files that hold parts of it included.
final class ScrapeCredentials: ClientAuthenticator {
  private struct Texts {
    var user = ""
    var secret = ""
    /// The values of files of `http_headers`, by header and number.
    var headers: [String: [Int: String]] = [:]
  }

  private let config: PrometheusHTTPConfig
  private let context: ComponentContext
  private let oauth2: OAuth2Authenticator?
  private let texts: Mutex<Texts>
  private let files = Mutex<[WatchedFile]>([])

  init(_ config: PrometheusHTTPConfig, context: ComponentContext) {
    self.config = config
    self.context = context
    oauth2 = config.oauth2.map { OAuth2Authenticator($0.settings, context: context) }
    var texts = Texts()
    texts.user = config.basicAuth?.username ?? ""
    texts.secret =
      config.basicAuth?.password.reveal() ?? config.authorization?.credentials.reveal()
      ?? config.bearerToken.reveal()
    self.texts = Mutex(texts)
  }

  /// Whether nothing is ever added.
  var isEmpty: Bool {
    config.basicAuth == nil && config.authorization == nil && config.oauth2 == nil
      && config.bearerToken.isEmpty
      && config.bearerTokenFile.isEmpty && config.headers.allSatisfy(\.value.files.isEmpty)
  }

  func start() async throws {
    try await oauth2?.start()
    try await follow("basic_auth.username_file", config.basicAuth?.usernameFile) { $0.user = $1 }
    try await follow("basic_auth.password_file", config.basicAuth?.passwordFile) { $0.secret = $1 }
    try await follow("authorization.credentials_file", config.authorization?.credentialsFile) {
      $0.secret = $1
    }
    try await follow("bearer_token_file", config.bearerTokenFile) { $0.secret = $1 }
    for header in config.headers {
      for (index, path) in header.value.files.enumerated() {
        try await follow("http_headers.\(header.key).files[\(index)]", path) {
          $0.headers[header.key, default: [:]][index] = $1
        }
      }
    }
  }

  func stop() async {
    for file in files.withLock({ $0 }) { file.stop() }
    await oauth2?.stop()
  }

  private func follow(
    _ key: String, _ path: String?, _ set: @escaping @Sendable (inout Texts, String) -> Void
  ) async throws {
    guard let path, !path.isEmpty else { return }
    let file = WatchedFile(key, path: path, context: context) { [weak self] text in
      let value = try CredentialText.single(text)
      try CredentialText.requireHeaderValue(value)
      self?.texts.withLock { set(&$0, value) }
    }
    try await file.start()
    files.withLock { $0.append(file) }
  }

  func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    let texts = texts.withLock { $0 }
    var changes: [HeaderChange] = []
    for header in config.headers where !header.value.files.isEmpty {
      let read = texts.headers[header.key] ?? [:]
      let values =
        header.value.values + header.value.secrets.map { $0.reveal() }
        + header.value.files.indices.compactMap { read[$0] }
      changes.append(HeaderChange(header.key, values.joined(separator: ", ")))
    }
    if let oauth2 { return changes + (try await oauth2.changes(for: metadata)) }
    if config.basicAuth != nil {
      let pair = Base64.encoded(Array("\(texts.user):\(texts.secret)".utf8))
      changes.append(HeaderChange("authorization", "Basic \(pair)"))
    } else if let authorization = config.authorization {
      let type = authorization.type.isEmpty ? "Bearer" : authorization.type
      // A type alone is what an empty secret leaves.
      changes.append(HeaderChange("authorization", texts.secret.isEmpty ? type : "\(type) \(texts.secret)"))
    } else if !texts.secret.isEmpty {
      changes.append(HeaderChange("authorization", "Bearer \(texts.secret)"))
    }
    return changes
  }

  func wereRefused(_ changes: [HeaderChange]) async -> Bool { await oauth2?.wereRefused(changes) ?? false }
}

extension PrometheusHTTPConfig.OAuth2 {
  /// The same, as Transport takes it.
  var settings: OAuth2Settings {
    var settings = OAuth2Settings()
    settings.clientID = clientID
    settings.clientSecret = clientSecret
    settings.clientSecretFile = clientSecretFile
    settings.scopes = scopes
    settings.tokenURL = tokenURL
    settings.endpointParameters = endpointParameters.map { ($0.key, $0.value) }
    settings.expiryBuffer = .seconds(10)
    settings.http.tls = tls.client
    settings.http.proxyURL = ProxyChoice(proxy).proxy(for: tokenURL) ?? ""
    return settings
  }
}
