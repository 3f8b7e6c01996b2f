import ConfigSchema
import Logging
package import PipelineKit
import Synchronization
package import Transport

/// `oauth2client`: sends along access tokens that it gets with the client's own credentials (RFC 6749, §4.4).
package final class OAuth2ClientExtension: ServiceExtension, ClientAuthenticator {
  package typealias Config = OAuth2ClientConfig

  package static let descriptor = ComponentDescriptor(
    type: "oauth2client", signals: [],
    summary: "Authenticates clients with OAuth 2.0 access tokens (client credentials).")

  package static func traits(of config: Config) -> ComponentTraits {
    ComponentTraits(roles: [ClientAuthenticationRole.name])
  }

  private let context: ComponentContext
  private let endpoint: TokenEndpoint
  private let config: Config
  private let cache: TokenCache
  private let files = Mutex<[WatchedFile]>([])

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
    let endpoint = TokenEndpoint(config)
    self.endpoint = endpoint
    let clock = context.clock
    let buffer = config.expiryBuffer
    cache = TokenCache(clock: clock) {
      let asked = clock.now
      switch try await endpoint.ask() {
      case .token(let type, let value, let lifetime):
        return OAuth2Token("\(type) \(value)", lifetime: lifetime, buffer: buffer, now: asked)
      case .failure(let reason): throw CredentialsError(reason)
      }
    }
  }

  package func start() async throws {
    do {
      try await endpoint.open(logger: context.logger)
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
    try await follow("client_id_file", config.clientIDFile) { $0.id = $1 }
    try await follow("client_secret_file", config.clientSecretFile) { $0.secret = $1 }
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

/// The endpoint that gives tokens.
final class TokenEndpoint: Sendable {
  /// Who asks.
  struct Client: Sendable {
    var id: String
    var secret: String
  }

  /// How the client tells who it is (RFC 6749, §2.3.1): servers must take the first, some only take the second.
  private enum Style: Sendable { case header, body }

  let client: Mutex<Client>
  private let config: OAuth2ClientConfig
  private let http = Mutex<HTTPClient?>(nil)
  /// The style that has worked.
  private let style = Mutex<Style?>(nil)

  init(_ config: OAuth2ClientConfig) {
    self.config = config
    client = Mutex(Client(id: config.clientID, secret: config.clientSecret.reveal()))
  }

  /// Makes ready to ask; throws a `TLSFileError` for certificates that cannot be used.
  func open(logger: Logger) async throws {
    var settings = HTTPClientConfig(timeout: config.timeout)
    settings.tls = config.tls
    let client = HTTPClient(config: settings, userAgent: Product.userAgent, logger: logger)
    try await client.prepare()
    http.withLock { $0 = client }
  }

  func close() async {
    let client = http.withLock { held in
      defer { held = nil }
      return held
    }
    await client?.shutdown()
  }

  /// Asks for a token; throws `CredentialsError` when there is no answer.
  func ask() async throws -> TokenResponse {
    if let style = style.withLock({ $0 }) { return try await ask(style).response }
    let first = try await ask(.header)
    if case .token = first.response { style.withLock { $0 = .header } }
    guard case .failure = first.response, first.status == 400 || first.status == 401 else {
      return first.response
    }
    let second = try await ask(.body)
    guard case .token = second.response else { return first.response }
    style.withLock { $0 = .body }
    return second.response
  }

  private func ask(_ style: Style) async throws -> (response: TokenResponse, status: Int) {
    guard let http = http.withLock({ $0 }) else { throw CredentialsError("the extension is not running") }
    let client = client.withLock { $0 }
    var fields = [("grant_type", "client_credentials")]
    if !config.scopes.isEmpty { fields.append(("scope", config.scopes.joined(separator: " "))) }
    for parameter in config.endpointParameters {
      for value in parameter.value { fields.append((parameter.key, value.reveal())) }
    }
    var headers = [(name: "accept", value: "application/json")]
    switch style {
    case .header:
      let credentials = "\(FormText.encoded(client.id)):\(FormText.encoded(client.secret))"
      headers.append((name: "authorization", value: "Basic \(Base64.encoded(Array(credentials.utf8)))"))
    case .body: fields += [("client_id", client.id), ("client_secret", client.secret)]
    }
    let reply: HTTPReply
    do {
      reply = try await http.post(
        url: config.tokenURL, contentType: "application/x-www-form-urlencoded",
        body: Array(FormText.encoded(fields).utf8), headers: headers)
    } catch let error as CancellationError {
      throw error
    } catch {
      throw CredentialsError("\(error)")
    }
    return (response(reply, hiding: client.secret), reply.status)
  }

  /// The answer, without the secret should the endpoint repeat it.
  private func response(_ reply: HTTPReply, hiding secret: String) -> TokenResponse {
    guard case .failure(let text) = TokenResponse(reply), !secret.isEmpty else { return TokenResponse(reply) }
    return .failure(text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***"))
  }
}

/// The form encoding of request bodies (WHATWG URL, "application/x-www-form-urlencoded").
enum FormText {
  static func encoded(_ fields: [(String, String)]) -> String {
    fields.map { "\(encoded($0))=\(encoded($1))" }.joined(separator: "&")
  }

  static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2A, 0x2D, 0x2E, 0x5F: out.append(byte)
      case 0x20: out.append(UInt8(ascii: "+"))
      default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
