import ConfigSchema
import NativeCodecs
package import PipelineKit
import Synchronization
package import Transport

/// `basicauth`: user names and passwords (RFC 7617), checked by servers or sent by clients.
package final class BasicAuthExtension: ServiceExtension, ServerAuthenticator, ClientAuthenticator {
  package typealias Config = BasicAuthConfig

  package static let descriptor = ComponentDescriptor(
    type: "basicauth", signals: [],
    summary: "Authenticates with user names and passwords, on servers (htpasswd) or clients.")

  package static func traits(of config: Config) -> ComponentTraits {
    var traits = ComponentTraits(
      roles: (config.htpasswd == nil ? [] : [ServerAuthenticationRole.name])
        + (config.clientAuth == nil ? [] : [ClientAuthenticationRole.name]))
    if config.htpasswd != nil { traits.toldMetadata = [RequestMetadata.authenticationPrefix + "username"] }
    return traits
  }

  private struct Sender {
    var user: String
    var password: String
  }

  private let config: Config
  private let context: ComponentContext
  private let checker = PasswordChecker()
  private let sender: Mutex<Sender>
  private let files = Mutex<[WatchedFile]>([])

  package init(config: Config, context: ComponentContext) {
    self.config = config
    self.context = context
    sender = Mutex(
      Sender(user: config.clientAuth?.username ?? "", password: config.clientAuth?.password.reveal() ?? ""))
    if let htpasswd = config.htpasswd { checker.replace(HtpasswdFile(htpasswd.inline.reveal()).users) }
  }

  package func start() async throws {
    if let htpasswd = config.htpasswd, !htpasswd.file.isEmpty {
      let inline = HtpasswdFile(htpasswd.inline.reveal())
      try await follow("htpasswd.file", htpasswd.file) { [checker] text in
        let content = HtpasswdFile(text)
        if let problem = content.problem { throw StartError(problem) }
        let users = content.merging(inline).users
        guard !users.isEmpty else { throw StartError("it names no user") }
        checker.replace(users)
      }
    }
    guard let client = config.clientAuth else { return }
    if !client.usernameFile.isEmpty {
      try await follow("client_auth.username_file", client.usernameFile) { [weak self] text in
        let user = try CredentialText.single(text)
        guard !user.contains(":") else { throw StartError("a user must not contain a colon") }
        self?.sender.withLock { $0.user = user }
      }
    }
    if !client.passwordFile.isEmpty {
      try await follow("client_auth.password_file", client.passwordFile) { [weak self] text in
        let password = try CredentialText.single(text)
        self?.sender.withLock { $0.password = password }
      }
    }
  }

  package func stop() async {
    for file in files.withLock({ $0 }) { file.stop() }
  }

  private func follow(
    _ key: String, _ path: String, _ apply: @escaping @Sendable (String) throws -> Void
  ) async throws {
    let file = WatchedFile(key, path: path, context: context, apply: apply)
    try await file.start()
    files.withLock { $0.append(file) }
  }

  // MARK: Servers

  package var challenge: String { "Basic realm=\"millrace\", charset=\"UTF-8\"" }

  package func authenticate(
    _ values: (String) -> [String], later: @escaping @Sendable (AuthenticationDecision) -> Void
  ) -> AuthenticationDecision? {
    guard let value = values("authorization").first else {
      return .denied("the header Authorization is missing")
    }
    guard let (user, password) = Self.credentials(in: value) else {
      return .denied("the header Authorization holds no user and password (RFC 7617)")
    }
    return checker.check(user: user, password: password, later: later)
  }

  package func identity(_ values: (String) -> [String]) -> [String: [String]] {
    guard let (user, _) = values("authorization").first.flatMap(Self.credentials) else { return [:] }
    return ["username": [user]]
  }

  private static func credentials(in value: String) -> (user: String, password: [UInt8])? {
    guard HTTPToken.equal(String(value.prefix(6)), "basic "),
      let bytes = Base64.decoded(CredentialText.trimmed(value.dropFirst(6))),
      let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    return (String(decoding: bytes[..<colon], as: UTF8.self), Array(bytes[(colon + 1)...]))
  }

  // MARK: Clients

  package func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    let sender = sender.withLock { $0 }
    let credentials = Base64.encoded(Array("\(sender.user):\(sender.password)".utf8))
    return [HeaderChange("authorization", "Basic \(credentials)")]
  }
}
