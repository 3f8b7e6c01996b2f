internal import NIOCore
internal import Synchronization

/// Asks a server's authenticator about each request, tells the hooks of refusals, and bounds what waits for a decision.
final class RequestAuthentication: Sendable {
  /// Requests of one server that may wait for a decision; more are asked to come back.
  static let pendingLimit = 256
  /// How long a request waits for a decision.
  static let patience = TimeAmount.seconds(30)

  private let authenticator: any ServerAuthenticator
  private let hooks: ServerHooks
  private let pending = Atomic<Int>(0)

  /// Nil when everybody may send.
  init?(_ hooks: ServerHooks) {
    guard let authenticator = hooks.authenticator else { return nil }
    self.authenticator = authenticator
    self.hooks = hooks
  }

  /// The value of `WWW-Authenticate`.
  var challenge: String { authenticator.challenge }

  /// What a client that may send is known by.
  func identity(_ values: (String) -> [String]) -> [String: [String]] { authenticator.identity(values) }

  /// Requests that wait for a decision.
  var waiting: Int { pending.load(ordering: .relaxed) }

  /// Decides about one request.
  ///
  /// - Parameters:
  ///   - values: the values of a header by its lower-case name.
  ///   - peer: the client's address.
  ///   - deliver: called at most once, on any thread, and only when nil was returned.
  func ask(
    _ values: (String) -> [String], peer: String,
    deliver: @escaping @Sendable (AuthenticationDecision) -> Void
  ) -> AuthenticationDecision? {
    let isFull = pending.wrappingAdd(1, ordering: .relaxed).newValue > Self.pendingLimit
    let ticket = Ticket(self, peer: peer, deliver)
    if let decision = authenticator.authenticate(values, later: { ticket.resolve($0) }) {
      ticket.close()
      return told(decision, peer: peer)
    }
    if isFull, ticket.close() {
      hooks.refused?(.authentication)
      return .unavailable("too many requests wait for their credentials to be checked, try again later")
    }
    return nil
  }

  private func told(_ decision: AuthenticationDecision, peer: String) -> AuthenticationDecision {
    switch decision {
    case .allowed: break
    case .denied(let reason):
      hooks.refused?(.authentication)
      hooks.denied?(peer, reason)
    case .unavailable: hooks.refused?(.authentication)
    }
    return decision
  }

  /// A decision that is awaited: comes once, and as a denial when the authenticator forgets it.
  private final class Ticket: Sendable {
    private enum State: Int, AtomicRepresentable { case open, spent }

    private let authentication: RequestAuthentication
    private let peer: String
    private let deliver: @Sendable (AuthenticationDecision) -> Void
    private let state = Atomic(State.open)

    init(
      _ authentication: RequestAuthentication, peer: String,
      _ deliver: @escaping @Sendable (AuthenticationDecision) -> Void
    ) {
      self.authentication = authentication
      self.peer = peer
      self.deliver = deliver
    }

    deinit { resolve(.denied("the credentials were not checked")) }

    /// Gives the place up, and ignores whatever still comes; false when a decision came already.
    @discardableResult
    func close() -> Bool {
      guard state.exchange(.spent, ordering: .relaxed) == .open else { return false }
      authentication.pending.wrappingSubtract(1, ordering: .relaxed)
      return true
    }

    func resolve(_ decision: AuthenticationDecision) {
      guard close() else { return }
      deliver(authentication.told(decision, peer: peer))
    }
  }
}
