import Dispatch
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A point on the monotonic clock, in nanoseconds since an arbitrary start.
public struct MonotonicInstant: Sendable, Hashable, Comparable {
  public var nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static func < (a: MonotonicInstant, b: MonotonicInstant) -> Bool { a.nanoseconds < b.nanoseconds }
  /// A duration that leads beyond what can be told leads to the last instant there is: never is not at once.
  public static func + (a: MonotonicInstant, d: Duration) -> MonotonicInstant {
    let (sum, overflow) = a.nanoseconds.addingReportingOverflow(d.wholeNanoseconds)
    return MonotonicInstant(nanoseconds: overflow ? (d < .zero ? .min : .max) : sum)
  }
  public static func - (a: MonotonicInstant, b: MonotonicInstant) -> Duration {
    .nanoseconds(a.nanoseconds - b.nanoseconds)
  }
}

extension Duration {
  /// The duration in nanoseconds, clamped to what 64 bits hold.
  public var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (whole, carries) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    if overflow || carries { return seconds < 0 ? .min / 4 : .max / 4 }
    return whole
  }
}

/// Time as components see it: read, wait, and be called back. Injected, so that tests run on a virtual clock.
public protocol PipelineClock: Sendable {
  /// Now, on the monotonic clock.
  var now: MonotonicInstant { get }
  /// Now, in nanoseconds since the Unix epoch.
  var unixNanoseconds: UInt64 { get }
  /// Calls `action` once, at `deadline` or soon after, on some thread; `action` must not block.
  func schedule(at deadline: MonotonicInstant, _ action: @escaping @Sendable () -> Void)
}

extension PipelineClock {
  /// Suspends for `duration`; throws `CancellationError` as soon as the task is cancelled.
  public func sleep(for duration: Duration) async throws {
    let deadline = now + duration
    let waiter = SleepWaiter()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        if waiter.park(continuation) { schedule(at: deadline) { waiter.finish(.success(())) } }
      }
    } onCancel: {
      waiter.finish(.failure(CancellationError()))
    }
  }
}

/// Resumes a sleeping task once, whichever comes first: the deadline or cancellation.
private final class SleepWaiter: Sendable {
  private enum State {
    case idle
    case parked(CheckedContinuation<Void, any Error>)
    case finished(Result<Void, any Error>)
  }
  private let state = Mutex<State>(.idle)

  func park(_ continuation: CheckedContinuation<Void, any Error>) -> Bool {
    let early: Result<Void, any Error>? = state.withLock { state in
      if case .finished(let result) = state { return result }
      state = .parked(continuation)
      return nil
    }
    if let early { continuation.resume(with: early) }
    return early == nil
  }

  func finish(_ result: Result<Void, any Error>) {
    let parked: CheckedContinuation<Void, any Error>? = state.withLock { state in
      defer { state = .finished(result) }
      if case .parked(let continuation) = state { return continuation }
      if case .finished = state { return nil }
      return nil
    }
    parked?.resume(with: result)
  }
}

/// The machine's clocks.
public struct SystemClock: PipelineClock {
  private let timers = DispatchQueue(label: "millrace.timers")

  public init() {}

  public var now: MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(truncatingIfNeeded: DispatchTime.now().uptimeNanoseconds))
  }

  public var unixNanoseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  public func schedule(at deadline: MonotonicInstant, _ action: @escaping @Sendable () -> Void) {
    // Dispatch keeps the upper bits of an instant for itself; 73 years will do.
    let nanoseconds = min(max(1, deadline.nanoseconds), .max / 4)
    timers.asyncAfter(deadline: DispatchTime(uptimeNanoseconds: UInt64(nanoseconds)), execute: action)
  }
}

/// Random numbers as components see them: injected, so that tests are repeatable.
public protocol Randomness: Sendable {
  /// A uniformly distributed number in `0 ..< 1`.
  func unit() -> Double
}

/// The system's random numbers.
public struct SystemRandomness: Randomness {
  public init() {}
  public func unit() -> Double { Double.random(in: 0..<1) }
}
