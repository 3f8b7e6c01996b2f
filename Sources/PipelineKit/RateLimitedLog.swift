public import Logging
import Synchronization

/// Logs an event that may come in floods: the first at once, then one line per interval with the count of all.
///
/// One instance per kind of event, so that a flood of one kind does not hide another.
public final class RateLimitedLog: Sendable {
  private struct State {
    var mutedUntil: MonotonicInstant?
    var muted = 0
  }
  private let state = Mutex(State())
  private let logger: Logger
  private let clock: any PipelineClock
  private let interval: Duration

  /// Logs to `logger` at most once per `interval`.
  public init(_ logger: Logger, clock: any PipelineClock, interval: Duration = .seconds(10)) {
    self.logger = logger
    self.clock = clock
    self.interval = interval
  }

  /// Logs `message`, or counts it; the next line says in `occurrences` how many it stands for.
  public func log(
    _ level: Logger.Level, _ message: @autoclosure () -> Logger.Message,
    metadata: @autoclosure () -> Logger.Metadata = [:]
  ) {
    guard logger.logLevel <= level else { return }
    let now = clock.now
    let occurrences: Int? = state.withLock { state in
      state.muted += 1
      if let until = state.mutedUntil, now < until { return nil }
      state.mutedUntil = now + interval
      defer { state.muted = 0 }
      return state.muted
    }
    guard let occurrences else { return }
    var metadata = metadata()
    if occurrences > 1 { metadata["occurrences"] = "\(occurrences)" }
    logger.log(level: level, message(), metadata: metadata)
  }
}
