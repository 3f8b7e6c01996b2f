import ConfigSchema
package import PipelineKit
import Synchronization
package import Transport

/// `bearertokenauth`: lets in who knows a token, and sends one along.
///
/// Source: RFC 6750, §2.1. Every token is compared in full, in a time that tells nothing about it.
package final class BearerTokenAuthExtension: ServiceExtension, ServerAuthenticator, ClientAuthenticator {
  package typealias Config = BearerTokenAuthConfig

  package static let descriptor = ComponentDescriptor(
    type: "bearertokenauth", signals: [], summary: "Authenticates with bearer tokens, on servers and clients."
  )

  package static func traits(of config: Config) -> ComponentTraits {
    ComponentTraits(roles: [ServerAuthenticationRole.name, ClientAuthenticationRole.name])
  }

  private let config: Config
  private let header: String
  private let tokens: Mutex<[[UInt8]]>
  private let file: Mutex<WatchedFile?>
  private let context: ComponentContext

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
    header = config.header.lowercased()
    tokens = Mutex(([config.token].compactMap { $0 } + config.tokens).map { Array($0.reveal().utf8) })
    file = Mutex(nil)
  }

  package func start() async throws {
    guard !config.filename.isEmpty else { return }
    let watched = WatchedFile("filename", path: config.filename, context: context) { [weak self] text in
      let lines = CredentialText.lines(text)
      guard !lines.isEmpty else { throw StartError("it holds no token") }
      for line in lines { try CredentialText.requireHeaderValue(line) }
      self?.tokens.withLock { $0 = lines.map { Array($0.utf8) } }
    }
    try await watched.start()
    file.withLock { $0 = watched }
  }

  package func stop() async {
    file.withLock { $0?.stop() }
  }

  // MARK: Servers

  package var challenge: String {
    "\(config.scheme.isEmpty ? "Bearer" : config.scheme) realm=\"millrace\""
  }

  package func authenticate(
    _ values: (String) -> [String], later: @escaping @Sendable (AuthenticationDecision) -> Void
  ) -> AuthenticationDecision? {
    guard let value = values(header).first else { return .denied("the header \(config.header) is missing") }
    guard let candidate = token(in: value) else {
      return .denied("the header \(config.header) does not start with \(config.scheme)")
    }
    let accepted = tokens.withLock { $0 }
    return ConstantTime.contains(candidate, in: accepted) ? .allowed : .denied("the token is not valid")
  }

  /// What follows the scheme, whose letters may be of any case; nil when there is no such scheme.
  private func token(in value: String) -> [UInt8]? {
    if config.scheme.isEmpty { return Array(value.utf8) }
    let count = config.scheme.utf8.count
    guard value.utf8.count > count, HTTPToken.equal(String(value.utf8.prefix(count)) ?? "", config.scheme)
    else { return nil }
    let rest = value.utf8.dropFirst(count)
    guard rest.first == UInt8(ascii: " ") else { return nil }
    return Array(rest.drop { $0 == UInt8(ascii: " ") })
  }

  // MARK: Clients

  package func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    guard let token = tokens.withLock({ $0.first }) else {
      throw CredentialsError("the token is not read yet")
    }
    let text = String(decoding: token, as: UTF8.self)
    return [HeaderChange(header, config.scheme.isEmpty ? text : "\(config.scheme) \(text)")]
  }
}
