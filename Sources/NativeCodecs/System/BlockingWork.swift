import Dispatch
import Synchronization

/// Runs what may block for a while (disks, the C library's resolver) beside the cooperative pool.
package enum BlockingWork {
  /// One after the other would let a silent DNS server hold up files.
  private static let queue = DispatchQueue(label: "millrace.blocking", attributes: .concurrent)

  /// Waits for the result, or for the end of the task: work under way is then left to end by itself.
  package static func run<Value: Sendable>(
    _ work: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let waiter = Waiter<Value>()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        waiter.park(continuation)
        // What was cancelled before there was anything to resume.
        if Task.isCancelled { return waiter.finish(.failure(CancellationError())) }
        queue.async { waiter.finish(Result { try work() }) }
      }
    } onCancel: {
      waiter.finish(.failure(CancellationError()))
    }
  }

  /// Resumes a task once.
  private final class Waiter<Value: Sendable>: Sendable {
    private let parked = Mutex<CheckedContinuation<Value, any Error>?>(nil)

    func park(_ continuation: CheckedContinuation<Value, any Error>) {
      parked.withLock { $0 = continuation }
    }

    func finish(_ result: Result<Value, any Error>) {
      let continuation = parked.withLock { parked in
        defer { parked = nil }
        return parked
      }
      continuation?.resume(with: result)
    }
  }
}
