import Dispatch

/// Runs what may block (disks, the C library's resolver) beside the cooperative pool.
enum BlockingWork {
  /// One after the other would let a silent DNS server hold up files: a few threads at most.
  private static let queue = DispatchQueue(
    label: "millrace.discovery", attributes: .concurrent, autoreleaseFrequency: .inherit)

  static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try work() }) }
    }
  }

  static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: work()) }
    }
  }
}
