import Synchronization

/// Receives the outcome of one delivery, exactly once, on any thread.
public protocol OutcomeHandler: AnyObject, Sendable {
  /// The delivery's outcome is known. Must not block: it may run on an event loop.
  func resolved(_ outcome: Outcome)
  /// The delivery went away without an outcome: a defect of the component that held it.
  ///
  /// By default the sender is told to try again.
  func leaked()
}

extension OutcomeHandler {
  public func leaked() { resolved(.refused(reason: "a component lost the delivery", after: nil)) }
}

/// The one-time promise of an outcome that travels with a batch.
///
/// - Important: Resolved exactly once. A second resolution is ignored; a completion that is released unresolved
///   traps in debug builds and is reported through ``OutcomeHandler/leaked()`` in release builds.
public final class Completion: Sendable {
  /// Whether somebody upstream still answers for the items and will hear the outcome.
  ///
  /// False once an earlier node has answered its sender (a memory batch, say): from there on a failure is a drop,
  /// not a refusal.
  public let isAwaited: Bool
  private let handler: (any OutcomeHandler)?
  private let done = Atomic<Bool>(false)

  /// A completion that tells `handler`; `isAwaited` says whether `handler` leads to a waiting sender.
  public init(_ handler: (any OutcomeHandler)?, isAwaited: Bool = true) {
    self.handler = handler
    self.isAwaited = isAwaited && handler != nil
  }

  /// A completion nobody waits for: the sender has been answered already.
  public static func detached() -> Completion { Completion(nil) }

  /// Tells the handler the outcome; does nothing when it was told before.
  public func resolve(_ outcome: Outcome) {
    guard !done.exchange(true, ordering: .acquiringAndReleasing) else { return }
    handler?.resolved(outcome)
  }

  deinit {
    guard !done.load(ordering: .acquiring) else { return }
    if let handler {
      assertionFailure("a delivery went away without an outcome")
      handler.leaked()
    }
  }
}

/// Passes one outcome to the completions of everything that was merged into a batch.
final class MergedOutcome: OutcomeHandler {
  private let parts: [(completion: Completion, items: Int)]

  init(_ parts: [(completion: Completion, items: Int)]) { self.parts = parts }

  func resolved(_ outcome: Outcome) {
    guard case .partial(var rejected, let message) = outcome else {
      for part in parts { part.completion.resolve(outcome) }
      return
    }
    // Which input held the rejected items is not known: they are laid on the inputs in order, so the sum is right.
    for part in parts {
      let share = min(rejected, part.items)
      rejected -= share
      part.completion.resolve(share == 0 ? .accepted : .partial(rejected: share, message: message))
    }
  }
}

/// Counts down the branches of a fan-out, or the parts of a split, and passes on what they add up to.
final class JoinedOutcome: Sendable {
  /// How branch outcomes combine.
  enum Rule: Sendable { case worstOfCopies, sumOfParts }

  private struct State {
    var pending: Int
    var outcome: Outcome?
    var items = 0
  }
  private let state: Mutex<State>
  private let rule: Rule
  private let upstream: Completion

  init(_ upstream: Completion, count: Int, rule: Rule) {
    self.upstream = upstream
    self.rule = rule
    state = Mutex(State(pending: count))
  }

  /// The completion of one branch of `items` items.
  func branch(items: Int) -> Completion {
    Completion(Branch(joined: self, items: items), isAwaited: upstream.isAwaited)
  }

  private func resolved(_ outcome: Outcome, items: Int) {
    let final: Outcome? = state.withLock { state in
      switch (rule, state.outcome) {
      case (_, nil): state.outcome = outcome
      case (.worstOfCopies, let earlier?): state.outcome = earlier.worse(outcome)
      case (.sumOfParts, let earlier?):
        state.outcome = earlier.joined(items: state.items, with: outcome, otherItems: items)
      }
      state.items += items
      state.pending -= 1
      return state.pending == 0 ? state.outcome : nil
    }
    if let final { upstream.resolve(final) }
  }

  private final class Branch: OutcomeHandler {
    let joined: JoinedOutcome
    let items: Int
    init(joined: JoinedOutcome, items: Int) {
      self.joined = joined
      self.items = items
    }
    func resolved(_ outcome: Outcome) { joined.resolved(outcome, items: items) }
  }
}
