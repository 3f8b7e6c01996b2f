internal import CLinux
internal import Glibc
internal import Synchronization

/// A thread of its own for work that blocks: reading files, pipes and sockets.
///
/// Such work never runs on event loops or on the threads that run tasks, all of which others wait for.
package final class DedicatedThread: Sendable {
  private struct State {
    var isOver = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  /// What the new thread gets.
  private final class Work {
    let name: String
    let body: () -> Void
    let thread: DedicatedThread
    init(_ name: String, _ body: @escaping () -> Void, _ thread: DedicatedThread) {
      self.name = name
      self.body = body
      self.thread = thread
    }
  }
  private let state = Mutex(State())

  /// Starts a thread that runs `body` and ends.
  ///
  /// - Parameter name: what tools such as `top -H` show; Linux keeps the first 15 bytes.
  package init(_ name: String, _ body: sending @escaping () -> Void) throws(SystemCallError) {
    // The C library takes a pointer for the new thread, which turns it back into the object: retained here, released
    // there, once each.
    let work = unsafe Unmanaged.passRetained(Work(name, body, self))
    var id = pthread_t()
    let result = unsafe pthread_create(
      &id, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let work = unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        unsafe millrace_name_thread(String(decoding: work.name.utf8.prefix(15), as: UTF8.self))
        work.body()
        work.thread.ended()
        return nil
      }, work.toOpaque())
    guard result == 0 else {
      unsafe work.release()
      throw SystemCallError("start a thread", code: result)
    }
    pthread_detach(id)
  }

  private func ended() {
    let waiters = state.withLock { state in
      state.isOver = true
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns when the thread has ended.
  package func end() async {
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if !state.isOver { state.waiters.append(continuation) }
        return state.isOver
      }
      if isOver { continuation.resume() }
    }
  }
}
