/// What became of a batch, as told to whoever sent it.
///
/// An outcome answers one question for the sender: is it still responsible for these items? `accepted` and
/// `partial` take the responsibility over, `refused` hands it back for a later try, `rejected` says that trying
/// again cannot help. The cases are ordered by how bad they are, so that a fan-out can report its worst branch.
public enum Outcome: Sendable, Equatable {
  /// Every item was taken: stored, queued, or acknowledged by the backend.
  case accepted
  /// Taken, except for `rejected` items that the backend will never take; `message` says why.
  case partial(rejected: Int, message: String)
  /// Nothing was taken, and it can be tried again: a full queue, an unreachable backend. `after` is the wait that
  /// the refusing side asked for.
  case refused(reason: String, after: Duration?)
  /// Nothing was taken, and another try would end the same way.
  case rejected(reason: String)

  /// Whether the sender may forget the items.
  public var isAccepted: Bool {
    switch self {
    case .accepted, .partial: true
    case .refused, .rejected: false
    }
  }

  /// How bad the outcome is for the sender: 0 accepted, 1 partial, 2 rejected, 3 refused.
  ///
  /// A refusal outranks a rejection: where one branch of a fan-out can be tried again, the sender must be told to.
  public var severity: Int {
    switch self {
    case .accepted: 0
    case .partial: 1
    case .rejected: 2
    case .refused: 3
    }
  }

  /// The outcome of two branches that got the same items: the worse one, with the longer wait.
  public func worse(_ other: Outcome) -> Outcome {
    if case .refused(let reason, let after) = self, case .refused(_, let otherAfter) = other {
      return .refused(reason: reason, after: [after, otherAfter].compactMap(\.self).max())
    }
    if case .partial(let rejected, _) = self, case .partial(let otherRejected, _) = other {
      return rejected >= otherRejected ? self : other
    }
    return severity >= other.severity ? self : other
  }

  /// The outcome of two parts of one batch: rejected items of both parts add up.
  ///
  /// `items` and `otherItems` are the item counts of the two parts.
  public func joined(items: Int, with other: Outcome, otherItems: Int) -> Outcome {
    switch (self, other) {
    case (.refused, _), (_, .refused), (.accepted, .accepted), (.rejected, .rejected):
      return worse(other)
    default:
      let (count, message) = rejection(of: items)
      let (otherCount, otherMessage) = other.rejection(of: otherItems)
      return .partial(rejected: count + otherCount, message: message.isEmpty ? otherMessage : message)
    }
  }

  /// The outcome for so many items, whatever a backend says: no more are rejected than there are, and no fewer than
  /// none.
  public func bounded(to items: Int) -> Outcome {
    guard case .partial(let rejected, let message) = self else { return self }
    return rejected <= 0 || items <= 0
      ? .accepted : .partial(rejected: min(rejected, items), message: message)
  }

  private func rejection(of items: Int) -> (Int, String) {
    switch self {
    case .partial(let rejected, let message): (rejected, message)
    case .rejected(let reason): (items, reason)
    case .accepted, .refused: (0, "")
    }
  }
}
