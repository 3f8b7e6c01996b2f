internal import ConfigSchema
internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization

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
  private let settings: OAuth2Settings
  private let http = Mutex<HTTPClient?>(nil)
  /// The style that has worked.
  private let style = Mutex<Style?>(nil)

  init(_ settings: OAuth2Settings) {
    self.settings = settings
    client = Mutex(Client(id: settings.clientID, secret: settings.clientSecret.reveal()))
  }

  /// Makes ready to ask; throws a `TLSFileError` for certificates that cannot be used.
  func open(logger: Logger) async throws {
    let client = HTTPClient(config: settings.http, userAgent: Product.userAgent, logger: logger)
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
    if !settings.scopes.isEmpty { fields.append(("scope", settings.scopes.joined(separator: " "))) }
    fields += settings.endpointParameters.map { ($0.name, $0.value.reveal()) }
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
        url: settings.tokenURL, contentType: "application/x-www-form-urlencoded",
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
