internal import NIOCore

extension HTTPConnection {
  /// Asks whether the client may send before anything else is done for its request.
  ///
  /// A preflight passes: browsers send it without credentials, and it is answered from the configuration alone.
  func authenticate() {
    guard let authentication = shared.authentication, shared.cors?.preflight(current) == nil else {
      return admit()
    }
    let connection = NIOLoopBound(self, eventLoop: loop)
    let exchange = exchange
    let headers = current.headers
    let decision = authentication.ask({ headers.all($0) }, peer: peer) { decision in
      // Never within this call, when the request does not wait yet.
      connection.eventLoop.execute { connection.value.decided(decision, exchange: exchange) }
    }
    if let decision { return act(on: decision) }
    phase = .deciding
    setDeadline(after: RequestAuthentication.patience)
  }

  /// Goes on with the request that waits for this decision; ignored when it is gone.
  private func decided(_ decision: AuthenticationDecision, exchange: UInt64) {
    guard case .deciding = phase, exchange == self.exchange else { return }
    act(on: decision)
    resume()
  }

  private func act(on decision: AuthenticationDecision) {
    switch decision {
    case .allowed: admit()
    case .denied(let reason):
      var answer = shared.handler.failure(401, reason, contentType: current.contentType)
      if let challenge = shared.authentication?.challenge {
        answer.headers.append(("WWW-Authenticate", challenge))
      }
      refuse(answer)
    case .unavailable(let reason): refuse(shared.retryable(reason, contentType: current.contentType))
    }
  }
}
