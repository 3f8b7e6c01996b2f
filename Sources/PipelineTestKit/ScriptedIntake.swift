package import PipelineKit
internal import Synchronization
package import TelemetryData

/// An intake that plays a script to a buffering processor: deliveries, pauses on a ``TestClock``, and the
/// end.
///
/// It needs no second task: a pause moves the clock, and comes back as a deadline where the processor's lies
/// within.
package final class ScriptedIntake: Intake {
  /// One step of the script.
  package enum Step: Sendable {
    case batch(Batch, metadata: RequestMetadata? = nil, OutcomeProbe? = nil)
    case pause(Duration)
    /// Runs at this point, for checks between the steps.
    case check(@Sendable () -> Void)
  }

  private struct State {
    var steps: [Step]
    var position = 0
    var pauseEnd: MonotonicInstant?
    /// What came while the reader waited for more.
    var gathered: [Arrival] = []

    /// - Returns: how many items are gathered now.
    mutating func gather(_ arrival: Arrival) -> Int {
      gathered.append(arrival)
      return gathered.reduce(0) { $0 + $1.batch.itemCount }
    }
  }
  private let state: Mutex<State>
  private let clock: TestClock
  private let gathers: Bool

  /// - Parameter gathers: whether a reader with a deadline is woken as the engine's channel does: for as many items as
  ///   it asked for, not for each batch. What then waits is in ``poll()``.
  package init(_ steps: [Step], clock: TestClock, gathers: Bool = false) {
    state = Mutex(State(steps: steps))
    self.clock = clock
    self.gathers = gathers
  }

  private struct Arrival {
    let batch: Batch
    let metadata: RequestMetadata?
    let probe: OutcomeProbe?

    var delivery: Delivery { Delivery(batch, metadata: metadata, completion: Completion(probe)) }
  }

  private enum Next {
    case batch(Arrival)
    case wait(MonotonicInstant)
    case check(@Sendable () -> Void)
    case end
  }

  package func poll() -> Delivery? {
    state.withLock { $0.gathered.isEmpty ? nil : $0.gathered.removeFirst() }?.delivery
  }

  package func next(before deadline: MonotonicInstant?, gathering items: Int) async -> IntakeEvent {
    if let delivery = poll() { return .delivery(delivery) }
    while true {
      switch step() {
      case .batch(let arrival):
        guard gathers, deadline != nil else { return .delivery(arrival.delivery) }
        let gathered = state.withLock { $0.gather(arrival) }
        if gathered >= items, let delivery = poll() { return .delivery(delivery) }
      case .wait(let end):
        if let deadline, deadline <= end {
          if deadline > clock.now { clock.advance(by: deadline - clock.now) }
          return .deadline
        }
        clock.advance(by: end - clock.now)
        state.withLock { $0.pauseEnd = nil }
      case .check(let check): check()
      case .end:
        if let delivery = poll() { return .delivery(delivery) }
        return .closed
      }
    }
  }

  private func step() -> Next {
    let now = clock.now
    return state.withLock { state in
      if let end = state.pauseEnd { return .wait(end) }
      guard state.position < state.steps.count else { return .end }
      defer { state.position += 1 }
      switch state.steps[state.position] {
      case .batch(let batch, let metadata, let probe):
        return .batch(Arrival(batch: batch, metadata: metadata, probe: probe))
      case .pause(let duration):
        state.pauseEnd = now + duration
        return .wait(now + duration)
      case .check(let check): return .check(check)
      }
    }
  }
}
