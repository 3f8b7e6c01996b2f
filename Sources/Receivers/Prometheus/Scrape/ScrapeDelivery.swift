internal import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Hands the batches of scrapes to the pipeline.
struct ScrapeDelivery: Sendable {
  let consumer: any Consumer
  let clock: any PipelineClock
  let meters: ScrapeMeters

  /// Hands batches on, in their order; what is refused is offered again until a time, or until it is time to stop.
  ///
  /// - Returns: why something was not taken; nil when all was.
  func deliver(_ batches: [Batch], until deadline: MonotonicInstant, _ stop: StopSignal) async -> String? {
    var problem: String?
    for batch in batches where !batch.isEmpty {
      if let reason = await deliver(batch, until: deadline, stop) { problem = reason }
    }
    return problem
  }

  private func deliver(
    _ batch: Batch, until deadline: MonotonicInstant, _ stop: StopSignal
  ) async -> String? {
    var pause = Duration.milliseconds(100)
    while true {
      switch await offer(batch) {
      case .accepted: return nil
      case .partial(let rejected, let message):
        meters.lost(rejected, "rejected")
        return message
      case .rejected(let reason):
        meters.lost(batch.itemCount, "rejected")
        return reason
      case .refused(let reason, let after):
        let next = clock.now + max(after ?? .zero, pause)
        pause = min(pause * 2, .seconds(5))
        let isOver = next >= deadline || stop.isStopped
        let isWaited = isOver ? false : await stop.wait(until: next, clock)
        if !isWaited, isOver || Task.isCancelled {
          meters.lost(batch.itemCount, "refused")
          return reason
        }
      }
    }
  }

  private func offer(_ batch: Batch) async -> Outcome {
    await withCheckedContinuation { continuation in
      consumer.offer(Delivery(batch, handler: Answer(continuation)))
    }
  }

  /// Resumes the task that offered.
  private final class Answer: OutcomeHandler {
    private let continuation: CheckedContinuation<Outcome, Never>

    init(_ continuation: CheckedContinuation<Outcome, Never>) { self.continuation = continuation }

    func resolved(_ outcome: Outcome) { continuation.resume(returning: outcome) }
  }
}
