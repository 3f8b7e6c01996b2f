package import ConfigSchema

/// The role of extensions that check who sends: ``ServerAuthenticator``.
package enum ServerAuthenticationRole: ExtensionRole {
  package static var name: String { "server authentication" }
}

/// The role of extensions that add credentials to what is sent: ``ClientAuthenticator``.
package enum ClientAuthenticationRole: ExtensionRole {
  package static var name: String { "client authentication" }
}

/// Decides who may send to a server. Called on event loops: must not block.
package protocol ServerAuthenticator: Sendable {
  /// What a refused client is told to send, the value of `WWW-Authenticate`: `Basic realm="millrace"`.
  var challenge: String { get }

  /// Decides about a request from its headers.
  ///
  /// - Parameters:
  ///   - values: the values of a header or metadata key (lower-case), in the order they came; none when it is absent.
  ///   - later: called once, on any thread, when the decision takes time (a slow password hash). Dropping it denies.
  /// - Returns: the decision, or nil when it comes through `later`.
  func authenticate(
    _ values: (String) -> [String], later: @escaping @Sendable (AuthenticationDecision) -> Void
  ) -> AuthenticationDecision?

  /// What a client is known by, by the names of the Collector, such as `username`.
  ///
  /// Asked about requests that may go on, and only where something behind the receiver wants to know.
  ///
  /// - Parameter values: as of ``authenticate(_:later:)``.
  func identity(_ values: (String) -> [String]) -> [String: [String]]
}

extension ServerAuthenticator {
  package func identity(_ values: (String) -> [String]) -> [String: [String]] { [:] }
}

/// Whether a request may go on.
package enum AuthenticationDecision: Sendable, Equatable {
  case allowed
  /// Why not, in words that may be shown to the client and logged: never with the credentials.
  case denied(String)
  /// Why nothing can be decided at present: the client should come back.
  case unavailable(String)
}

/// Adds credentials to outgoing requests.
package protocol ClientAuthenticator: Sendable {
  /// What to change in the headers of a request, the configured ones included, in this order.
  ///
  /// - Parameter metadata: of the request that brought the data, by lower-case key; empty where none was kept.
  /// - Throws: ``CredentialsError`` when none can be had (a token endpoint is down): the export is then refused and
  ///   tried again.
  func changes(for metadata: [String: [String]]) async throws -> [HeaderChange]

  /// The server has refused credentials that were added: cached ones should be renewed.
  ///
  /// - Parameter changes: those that were refused, so that newer credentials are not given up with them.
  /// - Returns: whether asking again gives others, so that the request is worth another try at once.
  func wereRefused(_ changes: [HeaderChange]) async -> Bool
}

extension ClientAuthenticator {
  package func wereRefused(_ changes: [HeaderChange]) async -> Bool { false }
}

/// One change of a request's headers.
package struct HeaderChange: Sendable, Hashable {
  /// When the change is made.
  package enum Condition: Sendable, Hashable { case always, whenAbsent, whenPresent }

  /// In lower case.
  package let name: String
  /// The value in place of all the header has; nil removes it.
  package let value: String?
  package let condition: Condition

  package init(_ name: String, _ value: String?, _ condition: Condition = .always) {
    self.name = name.lowercased()
    self.value = value
    self.condition = condition
  }

  /// Whether it is made to a request that has the header, or has it not.
  func applies(isPresent: Bool) -> Bool {
    switch condition {
    case .always: true
    case .whenAbsent: !isPresent
    case .whenPresent: isPresent
    }
  }
}

/// No credentials could be had for an outgoing request, which was therefore not sent. Another try may succeed.
package struct CredentialsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Why, never with the credentials.
  package let reason: String

  package init(_ reason: String) { self.reason = reason }

  package var description: String { "no credentials: \(reason)" }
}

/// `auth` of a server.
package struct ServerAuthConfig: ConfigGroup {
  package var authenticator: ExtensionReference<ServerAuthenticationRole>?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("authenticator", \.authenticator, "The extension that decides who may send.", required: true),
    .unsupported("request_params", "credentials are taken from headers only: send them as a header"),
  ]
}

/// `auth` of a client.
package struct ClientAuthConfig: ConfigGroup {
  package var authenticator: ExtensionReference<ClientAuthenticationRole>?

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("authenticator", \.authenticator, "The extension that adds credentials.", required: true)
  ]
}
