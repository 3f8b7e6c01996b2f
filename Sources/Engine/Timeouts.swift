import DequeModule
import PipelineKit
import Synchronization

/// Timeouts that are all equally long: any number of them needs one timer of the clock, and one that is not needed any
/// more leaves nothing behind.
///
/// A clock's timer lasts until its time has come; one for each export would keep thousands alive.
final class Timeouts: Sendable {
  private struct Wait {
    let deadline: MonotonicInstant
    var continuation: CheckedContinuation<Bool, Never>?
  }

  private struct State {
    /// In the order they began, which is the order they end; numbered from `first`.
    var waits = Deque<Wait>()
    var first = 0
    var isTimerSet = false

    mutating func dropFinished() {
      while let wait = waits.first, wait.continuation == nil { dropFirst() }
    }

    mutating func dropFirst() {
      waits.removeFirst()
      first += 1
    }
  }

  private let state = Mutex(State())
  private let clock: any PipelineClock
  let duration: Duration

  init(after duration: Duration, clock: any PipelineClock) {
    self.duration = duration
    self.clock = clock
  }

  /// Suspends until the timeout has passed, and is true then; false as soon as the task is cancelled.
  func wait() async -> Bool {
    let number = Mutex<Int?>(nil)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let id = begin(continuation)
        number.withLock { $0 = id }
        // Cancelled before there was a number to cancel by.
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      if let id = number.withLock({ $0 }) { cancel(id) }
    }
  }

  private func begin(_ continuation: CheckedContinuation<Bool, Never>) -> Int {
    let deadline = clock.now + duration
    let (id, needsTimer) = state.withLock { state in
      state.waits.append(Wait(deadline: deadline, continuation: continuation))
      defer { state.isTimerSet = true }
      return (state.first + state.waits.count - 1, !state.isTimerSet)
    }
    if needsTimer { setTimer(deadline) }
    return id
  }

  private func cancel(_ id: Int) {
    let continuation: CheckedContinuation<Bool, Never>? = state.withLock { state in
      let index = id - state.first
      guard index >= 0, index < state.waits.count else { return nil }
      defer {
        state.waits[index].continuation = nil
        state.dropFinished()
      }
      return state.waits[index].continuation
    }
    continuation?.resume(returning: false)
  }

  private func setTimer(_ deadline: MonotonicInstant) {
    clock.schedule(at: deadline) { [weak self] in self?.fire(deadline) }
  }

  private func fire(_ instant: MonotonicInstant) {
    let now = max(clock.now, instant)
    let (due, next) = state.withLock { state in
      var due: [CheckedContinuation<Bool, Never>] = []
      while let wait = state.waits.first, wait.continuation == nil || wait.deadline <= now {
        if let continuation = wait.continuation { due.append(continuation) }
        state.dropFirst()
      }
      state.isTimerSet = !state.waits.isEmpty
      return (due, state.waits.first?.deadline)
    }
    for continuation in due { continuation.resume(returning: true) }
    if let next { setTimer(next) }
  }
}
