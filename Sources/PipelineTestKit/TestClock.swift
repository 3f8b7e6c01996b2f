package import PipelineKit
internal import Synchronization

/// A clock that stands still until a test moves it.
///
/// Timers fire on the thread that calls ``advance(by:)``, in the order of their deadlines, each at its own
/// time.
package final class TestClock: PipelineClock {
  private struct Timer {
    let deadline: MonotonicInstant
    let order: Int
    let action: @Sendable () -> Void
  }

  private struct State {
    var now = MonotonicInstant(nanoseconds: 0)
    var timers: [Timer] = []
    var made = 0

    mutating func nextTimer(by end: MonotonicInstant) -> Timer? {
      let due = timers.indices.filter { timers[$0].deadline <= end }
      guard
        let first = due.min(by: {
          (timers[$0].deadline, timers[$0].order) < (timers[$1].deadline, timers[$1].order)
        })
      else {
        now = end
        return nil
      }
      let timer = timers.remove(at: first)
      if timer.deadline > now { now = timer.deadline }
      return timer
    }
  }

  private let state = Mutex(State())
  private let start: UInt64

  /// - Parameter unixStart: Nanoseconds since the Unix epoch at which the clock stands first; by default
  ///   2026-01-02T03:04:05.678Z.
  package init(unixStart: UInt64 = 1_767_323_045_678_000_000) { start = unixStart }

  package var now: MonotonicInstant { state.withLock { $0.now } }
  package var unixNanoseconds: UInt64 { start &+ UInt64(clamping: now.nanoseconds) }
  /// How many timers are waiting.
  package var pendingTimers: Int { state.withLock { $0.timers.count } }

  package func schedule(at deadline: MonotonicInstant, _ action: @escaping @Sendable () -> Void) {
    let isDue = state.withLock { state in
      if deadline <= state.now { return true }
      state.timers.append(Timer(deadline: deadline, order: state.made, action: action))
      state.made += 1
      return false
    }
    if isDue { action() }
  }

  /// Moves the clock on and fires what is due on the way.
  package func advance(by duration: Duration) {
    let end = now + duration
    while let timer = state.withLock({ $0.nextTimer(by: end) }) { timer.action() }
  }
}

/// Random numbers that are always the same.
package struct FixedRandomness: Randomness {
  private let value: Double
  package init(_ value: Double = 0.5) { self.value = value }
  package func unit() -> Double { value }
}
