internal import LogData
internal import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Syslog messages are parsed before the operators.
final class SyslogStep: Sendable {
  let options: SyslogParser.Options
  /// What becomes of what is none.
  let onError: OnError

  init(options: SyslogParser.Options, onError: OnError) {
    self.options = options
    self.onError = onError
  }
}

/// One of the ways by which records of a receiver come in: they go through operators of its own into batches.
///
/// Whatever is read together on a lane goes on in one batch.
final class LogLane: Sendable {
  private let state: Mutex<LogLaneState>
  private let isTimerSet = Atomic<Bool>(false)
  private let deliveries: LogDeliveries
  private let clock: any PipelineClock

  init(
    config: LogInputConfig, encoding: TextEncoding, syslog: SyslogStep?, deliveries: LogDeliveries,
    meters: LogInputMeters
  ) {
    self.deliveries = deliveries
    clock = meters.clock
    state = Mutex(
      LogLaneState(
        config: config, encoding: encoding, syslog: syslog, context: meters.operatorContext, meters: meters))
  }

  private var monotonic: UInt64 { UInt64(max(0, clock.now.nanoseconds)) }

  /// Takes the records that a reader adds. What fills a batch goes on at once, the rest with ``flush()``.
  @discardableResult
  func read<Result: Sendable>(_ body: (LogLaneState) -> Result) -> Result {
    let (result, ready) = state.withLock { state in
      state.begin(now: clock.unixNanoseconds, monotonic: monotonic)
      let result = body(state)
      return (result, state.takeReady())
    }
    deliver(ready)
    return result
  }

  /// Sends on what has been read.
  func flush() {
    deliver(
      state.withLock { state in
        state.cut()
        return state.takeReady()
      })
    watchHeld()
  }

  /// Sends on what has been read, and all that operators hold.
  func finish() {
    state.withLock { $0.release() }
    flush()
  }

  private func deliver(_ ready: [LogLaneState.Ready]) {
    for item in ready { deliveries.deliver(item.batch, mark: item.mark) }
  }

  /// Comes back when what operators hold is due.
  private func watchHeld() {
    guard let due = state.withLock({ $0.nextDue }),
      !isTimerSet.exchange(true, ordering: .acquiringAndReleasing)
    else { return }
    clock.schedule(at: MonotonicInstant(nanoseconds: Int64(clamping: due))) { [weak self] in self?.expire() }
  }

  private func expire() {
    isTimerSet.store(false, ordering: .releasing)
    state.withLock { state in _ = state.expire(now: monotonic) }
    flush()
  }
}
