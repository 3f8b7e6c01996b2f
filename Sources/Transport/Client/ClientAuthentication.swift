internal import NIOHPACK
internal import NIOHTTP1
package import PipelineKit

extension ComponentContext {
  /// The authenticator that a client's configuration names; nil when it names none.
  ///
  /// - Throws: a `StartError` when the extension is no authenticator.
  package func authenticator(_ auth: ClientAuthConfig?) throws -> (any ClientAuthenticator)? {
    guard let reference = auth?.authenticator else { return nil }
    return try extensions.find(reference, as: (any ClientAuthenticator).self)
  }
}

/// Adds an authenticator's credentials to requests, and asks for others when they are refused.
struct ClientAuthentication: Sendable {
  private let authenticator: any ClientAuthenticator

  /// Nil when nothing is added.
  init?(_ authenticator: (any ClientAuthenticator)?) {
    guard let authenticator else { return nil }
    self.authenticator = authenticator
  }

  /// Sends a request with credentials; once more when they are refused and there may be others.
  ///
  /// - Throws: ``CredentialsError`` when there are none, and what `send` throws.
  func send<Reply: Sendable>(
    _ metadata: [String: [String]], isRefused: (Reply) -> Bool,
    _ send: ([HeaderChange]) async throws -> Reply
  ) async throws -> Reply {
    let changes = try await changes(for: metadata)
    let reply = try await send(changes)
    guard isRefused(reply), await authenticator.wereRefused(changes) else { return reply }
    return try await send(try await self.changes(for: metadata))
  }

  private func changes(for metadata: [String: [String]]) async throws -> [HeaderChange] {
    do {
      return try await authenticator.changes(for: metadata)
    } catch let error as CancellationError {
      throw error
    } catch let error as CredentialsError {
      throw error
    } catch {
      throw CredentialsError("\(error)")
    }
  }
}

extension HTTPHeaders {
  mutating func apply(_ changes: [HeaderChange]) {
    for change in changes where change.applies(isPresent: contains(name: change.name)) {
      remove(name: change.name)
      if let value = change.value { add(name: change.name, value: value) }
    }
  }
}

extension HPACKHeaders {
  mutating func apply(_ changes: [HeaderChange]) {
    for change in changes where change.applies(isPresent: contains(name: change.name)) {
      remove(name: change.name)
      if let value = change.value { add(name: change.name, value: value) }
    }
  }
}
