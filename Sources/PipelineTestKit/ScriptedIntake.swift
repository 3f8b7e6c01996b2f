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
  }
  private let state: Mutex<State>
  private let clock: TestClock

  package init(_ steps: [Step], clock: TestClock) {
    state = Mutex(State(steps: steps))
    self.clock = clock
  }

  private enum Next {
    case batch(Batch, RequestMetadata?, OutcomeProbe?)
    case wait(MonotonicInstant)
    case check(@Sendable () -> Void)
    case end
  }

  package func poll() -> Delivery? { nil }

  package func next(before deadline: MonotonicInstant?, gathering items: Int) async -> IntakeEvent {
    while true {
      switch step() {
      case .batch(let batch, let metadata, let probe):
        return .delivery(Delivery(batch, metadata: metadata, completion: Completion(probe)))
      case .wait(let end):
        if let deadline, deadline <= end {
          if deadline > clock.now { clock.advance(by: deadline - clock.now) }
          return .deadline
        }
        clock.advance(by: end - clock.now)
        state.withLock { $0.pauseEnd = nil }
      case .check(let check): check()
      case .end: return .closed
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
      case .batch(let batch, let metadata, let probe): return .batch(batch, metadata, probe)
      case .pause(let duration):
        state.pauseEnd = now + duration
        return .wait(now + duration)
      case .check(let check): return .check(check)
      }
    }
  }
}
