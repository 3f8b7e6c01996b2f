// Tells ThreadSanitizer about continuations that are resumed before their task waits for them.
//
// The Swift runtime says that whoever resumes a task comes before what the task does next, but the half of the task is
// only said where it was suspended. One that need not be goes straight on, and ThreadSanitizer reports races that are
// none. `Tests/Sanitizers/run thread` loads these functions in place of those in libswift_Concurrency: they do the same,
// and say it; nothing of them is in the product.

// The names that the functions stand for are longer than a line.
// swift-format-ignore-file

@_silgen_name("millrace_tsan_resumed") private func resumed()

@_silgen_name("$ss23withCheckedContinuation9isolation8function_xScA_pSgYi_SSyScCyxs5NeverOGXEtYalF")
public func waitForContinuation<T>(
  isolation: isolated (any Actor)?, function: String, _ body: (CheckedContinuation<T, Never>) -> Void
) async -> sending T {
  let result = await withUnsafeContinuation { body(CheckedContinuation(continuation: $0, function: function)) }
  resumed()
  return result
}

@_silgen_name("$ss31withCheckedThrowingContinuation9isolation8function_xScA_pSgYi_SSyScCyxs5Error_pGXEtYaKlF")
public func waitForThrowingContinuation<T>(
  isolation: isolated (any Actor)?, function: String, _ body: (CheckedContinuation<T, any Error>) -> Void
) async throws -> sending T {
  defer { resumed() }
  return try await withUnsafeThrowingContinuation {
    body(CheckedContinuation(continuation: $0, function: function))
  }
}
