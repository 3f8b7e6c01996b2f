internal import ConfigSchema
package import PipelineKit
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

  private let authenticator: OAuth2Authenticator

  package init(config: Config, context: ComponentContext) {
    authenticator = OAuth2Authenticator(config.settings, context: context)
  }

  package func start() async throws { try await authenticator.start() }
  package func stop() async { await authenticator.stop() }

  package func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    try await authenticator.changes(for: metadata)
  }

  package func wereRefused(_ changes: [HeaderChange]) async -> Bool {
    await authenticator.wereRefused(changes)
  }
}

extension OAuth2ClientConfig {
  /// The same, as Transport takes it.
  var settings: OAuth2Settings {
    var settings = OAuth2Settings()
    settings.clientID = clientID
    settings.clientIDFile = clientIDFile
    settings.clientSecret = clientSecret
    settings.clientSecretFile = clientSecretFile
    settings.tokenURL = tokenURL
    settings.scopes = scopes
    for parameter in endpointParameters {
      settings.endpointParameters += parameter.value.map { (parameter.key, $0) }
    }
    settings.expiryBuffer = expiryBuffer
    settings.http = HTTPClientConfig(timeout: timeout)
    settings.http.tls = tls
    return settings
  }
}
