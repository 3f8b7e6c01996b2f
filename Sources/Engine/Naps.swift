import PipelineKit
import Synchronization

/// Waits that can all be ended early: those of retries, when a node is to stop trying.
final class Naps: Sendable {
  private struct State {
    var isOver = false
    var lastID = 0
    var sleepers: [Int: CheckedContinuation<Bool, Never>] = [:]
  }
  private let state = Mutex(State())
  private let clock: any PipelineClock

  init(clock: any PipelineClock) { self.clock = clock }

  /// Whether ``end()`` was called.
  var isOver: Bool { state.withLock { $0.isOver } }

  /// Suspends for `duration`; false when the task was cancelled or ``end()`` called before that.
  func sleep(for duration: Duration) async -> Bool {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if !state.isOver { state.sleepers[id] = continuation }
          return state.isOver
        }
        if isOver { return continuation.resume(returning: false) }
        clock.schedule(at: clock.now + duration) { [weak self] in self?.wake(id, true) }
        if Task.isCancelled { wake(id, false) }
      }
    } onCancel: {
      wake(id, false)
    }
  }

  private func wake(_ id: Int, _ isDone: Bool) {
    state.withLock { $0.sleepers.removeValue(forKey: id) }?.resume(returning: isDone)
  }

  /// Ends every wait, and those that would begin later.
  func end() {
    let sleepers = state.withLock { state in
      state.isOver = true
      defer { state.sleepers = [:] }
      return state.sleepers
    }
    for sleeper in sleepers.values { sleeper.resume(returning: false) }
  }
}
