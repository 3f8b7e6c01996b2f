import ConfigSchema
import Logging
import PipelineKit
import TelemetryData

/// Tries to export a batch until the outcome is final: timeout, backoff, and what is logged about them.
final class ExportTries: Sendable {
  /// How trying ended.
  enum End: Sendable {
    /// The backend has answered for good, or it was given up for the reason that is named; some items may have ended in
    /// ways of their own.
    case final(Outcome, giveUpReason: String, ended: [EndedItems])
    /// ``stop()`` was called, or the task cancelled, before there was a final outcome.
    case stopped(Outcome)
  }

  private let exporter: any Exporter
  private let settings: DeliverySettings
  private let maxElapsedTime: Duration
  private let parts: EngineParts
  private let logger: Logger
  private let retries: RateLimitedLog
  /// The ends of the tries under way; nil without a timeout.
  private let timeouts: Timeouts?
  private let requests: SelfMetricCell
  private let stopping = StopSignal()

  init(
    _ id: ComponentID, _ exporter: any Exporter, _ settings: DeliverySettings, logger: Logger,
    parts: EngineParts
  ) {
    self.exporter = exporter
    self.settings = settings
    self.parts = parts
    self.logger = logger
    maxElapsedTime = settings.maxElapsedTime
    retries = RateLimitedLog(logger, clock: parts.clock)
    timeouts = settings.timeout.flatMap { $0 > .zero ? Timeouts(after: $0, clock: parts.clock) : nil }
    requests = parts.metrics.gauge(
      "otelcol_exporter_in_flight_requests", help: "Requests under way to the backend.",
      labels: [("exporter", id.description)])
  }

  /// Starts no more tries; those under way are finished, waits for the next one end at once.
  func stop() { stopping.stop() }

  /// Suspends for `duration`; false when ``stop()`` was called before that.
  func pause(for duration: Duration) async -> Bool { await stopping.wait(for: duration, parts.clock) }

  /// What became of single items of a batch; to be asked once, when there are no more tries.
  func endedItems(of batch: Batch) -> [EndedItems] { exporter.endedItems(of: batch) }

  /// Whether ``stop()`` was called.
  var isStopped: Bool { stopping.isStopped }

  /// Tries, waits and tries again; `waiting` is called with true before each wait, and with false after it.
  func untilDone(
    _ batch: Batch, metadata: RequestMetadata?, waiting: (Bool) -> Void = { _ in }
  ) async -> End {
    let started = parts.clock.now
    var backoff = Backoff(settings.retry ?? RetrySettings())
    while true {
      let outcome = await tryOnce(batch, metadata: metadata)
      guard case .refused(let reason, let after) = outcome else {
        let ended = endedItems(of: batch)
        // Who tells of single items has told it.
        if ended.isEmpty { log(outcome, batch) }
        return .final(outcome, giveUpReason: "", ended: ended)
      }
      guard let retry = settings.retry, retry.enabled else {
        if Task.isCancelled { return .stopped(outcome) }
        logGivenUp(batch, reason, "retries are off")
        return .final(outcome, giveUpReason: "retries_disabled", ended: endedItems(of: batch))
      }
      let wait = backoff.next(parts.randomness, atLeast: after)
      if maxElapsedTime > .zero, parts.clock.now - started + wait > maxElapsedTime {
        logGivenUp(batch, reason, "max_elapsed_time has passed")
        return .final(outcome, giveUpReason: "retries_exhausted", ended: endedItems(of: batch))
      }
      retries.log(
        .warning, "export failed, will try again",
        metadata: [
          "error": "\(reason)", "items": "\(batch.itemCount)",
          "retry_in": "\(GoDuration.text(.milliseconds(wait.wholeNanoseconds / 1_000_000)))",
        ])
      waiting(true)
      defer { waiting(false) }
      if await !stopping.wait(for: wait, parts.clock) { return .stopped(outcome) }
    }
  }

  private func tryOnce(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    requests.add(1)
    defer { requests.add(-1) }
    let outcome = await exportInTime(batch, metadata: metadata)
    return outcome.bounded(to: batch.itemCount)
  }

  private enum TryEvent: Sendable {
    case answered(Outcome)
    case timedOut
    case notTimed
  }

  private func exportInTime(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    guard let timeouts else { return await exporter.export(batch, metadata: metadata) }
    let exporter = exporter
    return await withTaskGroup(of: TryEvent.self) { group in
      group.addTask { .answered(await exporter.export(batch, metadata: metadata)) }
      group.addTask { await timeouts.wait() ? .timedOut : .notTimed }
      defer { group.cancelAll() }
      var isLate = false
      for await event in group {
        switch event {
        case .timedOut:
          isLate = true
          group.cancelAll()
        case .notTimed: continue
        case .answered(.refused) where isLate: break
        // Also when it comes late: a batch that was taken must not be sent again.
        case .answered(let outcome): return outcome
        }
      }
      return .refused(reason: "no answer within \(timeouts.duration)", after: nil)
    }
  }

  private func log(_ outcome: Outcome, _ batch: Batch) {
    switch outcome {
    case .accepted, .refused: break
    case .partial(let rejected, let message):
      logger.warning(
        "the backend rejected part of a batch",
        metadata: ["rejected": "\(rejected)", "items": "\(batch.itemCount)", "message": "\(message)"])
    case .rejected(let reason):
      logger.error(
        "the backend rejected a batch, it is not tried again",
        metadata: ["error": "\(reason)", "items": "\(batch.itemCount)"])
    }
  }

  func logGivenUp(_ batch: Batch, _ error: String, _ why: String) {
    logger.error(
      "export given up", metadata: ["error": "\(error)", "why": "\(why)", "items": "\(batch.itemCount)"])
  }
}
