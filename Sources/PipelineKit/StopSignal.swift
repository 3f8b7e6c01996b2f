import Synchronization

/// Tells everything that waits that it is time to stop, and lets tasks wait for a time or for that.
///
/// Not the cancellation of tasks: who is told to stop still has something to send.
package final class StopSignal: Sendable {
  private struct State {
    package var isStopped = false
    var next = 0
    var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package var isStopped: Bool { state.withLock { $0.isStopped } }

  package func stop() {
    let waiters = state.withLock { state in
      state.isStopped = true
      defer { state.waiters = [:] }
      return Array(state.waiters.values)
    }
    for waiter in waiters { waiter.resume(returning: false) }
  }

  /// Suspends until a time; returns false as soon as it is time to stop, or the task is cancelled.
  package func wait(until deadline: MonotonicInstant, _ clock: any PipelineClock) async -> Bool {
    await wait { id in clock.schedule(at: deadline) { [weak self] in self?.resume(id, true) } }
  }

  /// Suspends for a time; returns false as ``wait(until:_:)`` does.
  package func wait(for duration: Duration, _ clock: any PipelineClock) async -> Bool {
    await wait(until: clock.now + duration, clock)
  }

  /// Suspends until it is time to stop, or the task is cancelled.
  package func wait() async { _ = await wait { _ in } }

  private func wait(_ schedule: (Int) -> Void) async -> Bool {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isStopped || Task.isCancelled { return true }
          state.waiters[id] = continuation
          return false
        }
        if isOver { continuation.resume(returning: false) } else { schedule(id) }
      }
    } onCancel: {
      resume(id, false)
    }
  }

  private func resume(_ id: Int, _ value: Bool) {
    state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: value)
  }
}
