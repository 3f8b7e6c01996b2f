internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

extension GRPCConnection {
  /// Asks whether the client may send before its message is received.
  ///
  /// - Returns: false when the decision comes later; the stream is then held.
  /// - Throws: the answer to a client that may not.
  func authenticate(_ headers: HPACKHeaders, on id: HTTP2StreamID) throws(GRPCFailure) -> Bool {
    guard let authentication = shared.authentication else { return true }
    let connection = NIOLoopBound(self, eventLoop: loop)
    let decision = authentication.ask({ headers[$0] }, peer: peer) { decision in
      // Never within this call, which comes before the stream is there.
      connection.eventLoop.execute { connection.value.decided(decision, on: id) }
    }
    guard let decision else { return false }
    if let failure = Self.failure(decision, shared) { throw failure }
    return true
  }

  /// Goes on with the request that waits for this decision; ignored when it is gone.
  private func decided(_ decision: AuthenticationDecision, on id: HTTP2StreamID) {
    guard let index = streams.index(forKey: id), case .deciding = streams.values[index].phase else { return }
    let isClientDone = streams.values[index].isClientDone
    now = .now()
    let unannounced: Int
    do throws(GRPCFailure) {
      if let failure = Self.failure(decision, shared) { throw failure }
      streams.values[index].lastProgress = now
      life.timer.bringForward(to: now + shared.stallTimeout)
      unannounced = try streams.values[index].allow(shared)
    } catch {
      return fail(error, on: id, isClientDone: isClientDone)
    }
    if isClientDone {
      finish(id)
    } else if unannounced > 0 {
      // The window was left to shrink while it was not known whether the message is wanted.
      write(.windowUpdate(windowSizeIncrement: unannounced), to: id)
      flushSoon()
    }
  }

  private static func failure(_ decision: AuthenticationDecision, _ shared: Shared) -> GRPCFailure? {
    switch decision {
    case .allowed: nil
    case .denied(let reason): GRPCFailure(.unauthenticated, reason)
    case .unavailable(let reason):
      GRPCFailure(.unavailable, reason, details: shared.handler.overloadDetails(reason))
    }
  }
}
