internal import LogData
internal import PipelineKit
internal import Synchronization
internal import TelemetryData

/// One of the ways by which records of a receiver come in: they go through operators of its own into batches.
///
/// Whatever is read together on a lane goes on in one batch.
final class LogLane: Sendable {
  private let state: Mutex<LogLaneState>
  private let isTimerSet = Atomic<Bool>(false)
  private let deliveries: LogDeliveries
  private let clock: any PipelineClock

  init(
    config: LogInputConfig, syslog: SyslogParser.Options? = nil, deliveries: LogDeliveries,
    meters: LogInputMeters, clock: any PipelineClock
  ) {
    self.deliveries = deliveries
    self.clock = clock
    let environment = ExpressionEnvironment(
      variables: meters.variables, now: { clock.unixNanoseconds })
    state = Mutex(
      LogLaneState(config: config, syslog: syslog, environment: environment, meters: meters))
  }

  private var monotonic: UInt64 { UInt64(max(0, clock.now.nanoseconds)) }

  /// Takes the records that a reader adds. What fills a batch goes on at once, the rest with ``flush()``.
  func read(_ body: (inout LogLaneState) -> Void) {
    deliver(
      state.withLock { state in
        state.begin(now: clock.unixNanoseconds, monotonic: monotonic)
        body(&state)
        return state.takeReady()
      })
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
