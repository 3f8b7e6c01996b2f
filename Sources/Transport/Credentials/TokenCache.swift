internal import PipelineKit
internal import Synchronization

/// A token as the endpoint gave it.
struct OAuth2Token: Sendable, Equatable {
  /// The header value: `Bearer abc`.
  let authorization: String
  /// From when on the next one should be asked for; nil for one that does not expire.
  let renewal: MonotonicInstant?
  /// From when on it is worthless.
  let end: MonotonicInstant?

  /// - Parameters:
  ///   - lifetime: from `now` on; nil for ever.
  ///   - buffer: how long before its end it is renewed, at most half of its life.
  init(_ authorization: String, lifetime: Duration?, buffer: Duration, now: MonotonicInstant) {
    self.authorization = authorization
    end = lifetime.map { now + $0 }
    renewal = lifetime.map { now + ($0 - min(buffer, $0 / 2)) }
  }
}

/// Holds the present token; asks for another one early, and once for all that wait.
final class TokenCache: Sendable {
  /// How long after a renewal that failed, or that a refusal asked for, the next one waits while there is a token.
  static let pause = Duration.seconds(10)

  private enum Turn {
    case use(OAuth2Token)
    case fetch
    case wait
  }

  private struct State {
    var token: OAuth2Token?
    var isFetching = false
    /// No renewal before its time until then.
    var quietUntil: MonotonicInstant?
    /// No renewal after a refusal until then.
    var refusalsCountFrom: MonotonicInstant?
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var waiterCount = 0
    /// Counts what ends a wait: failures are shared by those that waited for them.
    var failure: (round: Int, error: CredentialsError)?
    var round = 0

    /// What a caller does now.
    mutating func turn(_ now: MonotonicInstant) -> Turn {
      if let token {
        let isUsable = token.end.map { now < $0 } ?? true
        let isDue = token.renewal.map { now >= $0 } ?? false
        let isQuiet = quietUntil.map { now < $0 } ?? false
        if isUsable, !isDue || isFetching || isQuiet { return .use(token) }
      }
      if isFetching { return .wait }
      isFetching = true
      return .fetch
    }
  }

  private let state = Mutex(State())
  private let clock: any PipelineClock
  private let fetch: @Sendable () async throws -> OAuth2Token

  /// - Parameter fetch: asks the endpoint; throws `CredentialsError`.
  init(clock: any PipelineClock, fetch: @escaping @Sendable () async throws -> OAuth2Token) {
    self.clock = clock
    self.fetch = fetch
  }

  /// The token to send now.
  func token() async throws -> OAuth2Token {
    while true {
      try Task.checkCancellation()
      let (turn, round) = state.withLock { ($0.turn(clock.now), $0.round) }
      switch turn {
      case .use(let token): return token
      case .fetch: return try await renew()
      case .wait:
        await waitForEnd(of: round)
        if let failure = state.withLock({ $0.failure }), failure.round == round { throw failure.error }
      }
    }
  }

  /// Gives up a token that the backend has refused, unless there is another one already.
  /// - Returns: whether asking again gives another one.
  func refused(_ authorization: String) -> Bool {
    let now = clock.now
    return state.withLock { state in
      guard let token = state.token, token.authorization == authorization else { return state.token != nil }
      if let from = state.refusalsCountFrom, now < from { return false }
      // A backend that refuses every token must not make every export ask for one.
      state.refusalsCountFrom = now + Self.pause
      state.token = nil
      return true
    }
  }

  /// Forgets the token: what it was asked for with has changed.
  func forget() { state.withLock { $0.token = nil } }

  private func renew() async throws -> OAuth2Token {
    do {
      let token = try await fetch()
      end { state in
        state.token = token
        state.quietUntil = nil
      }
      return token
    } catch let error as CredentialsError {
      let now = clock.now
      let present = state.withLock { $0.token }
      end { state in
        state.failure = (state.round, error)
        state.quietUntil = now + Self.pause
      }
      // The old one is good until its end.
      if let present, present.end.map({ now < $0 }) ?? true { return present }
      throw error
    } catch {
      // Cancelled: another one of those that wait takes over.
      end { _ in }
      throw error
    }
  }

  private func end(_ change: (inout State) -> Void) {
    let waiting = state.withLock { state in
      change(&state)
      state.isFetching = false
      state.round += 1
      defer { state.waiting = [:] }
      return state.waiting.values.map { $0 }
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Waits until the fetch under way has ended, or the task is cancelled.
  private func waitForEnd(of round: Int) async {
    let id = state.withLock { state in
      state.waiterCount += 1
      return state.waiterCount
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          guard state.round == round, state.isFetching, !Task.isCancelled else { return true }
          state.waiting[id] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
    }
  }
}
