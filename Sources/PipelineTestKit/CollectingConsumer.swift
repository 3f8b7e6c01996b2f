package import PipelineKit
internal import Synchronization
package import TelemetryData

/// The far end of a pipeline under test: keeps what arrives, and answers as told.
package final class CollectingConsumer: Consumer {
  /// A delivery that arrived.
  package struct Arrival: Sendable {
    package let batch: Batch
    package let metadata: RequestMetadata?
    package let completion: Completion
  }

  private struct State {
    var arrivals: [Arrival] = []
    var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Mutex(State())
  private let outcome: (@Sendable (Batch) -> Outcome)?

  /// - Parameter outcome: The answer to each delivery; without it the test resolves ``Arrival/completion``
  ///   itself.
  package init(answering outcome: (@Sendable (Batch) -> Outcome)? = { _ in .accepted }) {
    self.outcome = outcome
  }

  /// What has arrived so far.
  package var arrivals: [Arrival] { state.withLock { $0.arrivals } }
  /// The item counts of what has arrived so far.
  package var itemCounts: [Int] { arrivals.map(\.batch.itemCount) }

  package func offer(_ delivery: consuming Delivery) {
    let arrival = Arrival(batch: delivery.batch, metadata: delivery.metadata, completion: delivery.completion)
    let woken = state.withLock { state in
      state.arrivals.append(arrival)
      let count = state.arrivals.count
      defer { state.waiters.removeAll { $0.count <= count } }
      return state.waiters.filter { $0.count <= count }
    }
    if let outcome { arrival.completion.resolve(outcome(arrival.batch)) }
    for waiter in woken { waiter.continuation.resume() }
  }

  package func send(_ delivery: consuming Delivery) async { offer(delivery) }

  /// Suspends until at least `count` deliveries have arrived.
  package func arrived(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.arrivals.count >= count { return true }
        state.waiters.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}

/// Keeps the outcome of one delivery.
package final class OutcomeProbe: OutcomeHandler {
  private let outcomes = Mutex<[Outcome]>([])
  package init() {}

  /// The outcome; nil while it is not known.
  package var outcome: Outcome? { outcomes.withLock { $0.first } }
  /// How often it was told, which must be once.
  package var count: Int { outcomes.withLock { $0.count } }

  package func resolved(_ outcome: Outcome) { outcomes.withLock { $0.append(outcome) } }
}
