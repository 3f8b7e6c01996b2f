internal import Logging
internal import PipelineKit
internal import Synchronization

/// Logs how a target fares: each change once.
final class ScrapeLog: Sendable {
  private let logger: Logger
  private let metadata: Logger.Metadata
  /// Why the last scrape failed; nil while scrapes succeed.
  private let failure = Mutex<String?>(nil)
  private let changes: RateLimitedLog
  private let losses: RateLimitedLog
  private let refusals: RateLimitedLog

  init(_ target: ScrapeTarget, job: String, context: ComponentContext) {
    logger = context.logger
    metadata = ["job": "\(job)", "target": "\(target.url)"]
    changes = RateLimitedLog(context.logger, clock: context.clock, interval: .seconds(60))
    losses = RateLimitedLog(context.logger, clock: context.clock, interval: .seconds(60))
    refusals = RateLimitedLog(context.logger, clock: context.clock, interval: .seconds(60))
  }

  func scraped(_ failure: ScrapeFailure?) {
    let (earlier, now) = self.failure.withLock { held in
      defer { held = failure?.text }
      return (held, failure?.text)
    }
    if earlier == now { return }
    if let now {
      changes.log(.warning, "a scrape failed", metadata: metadata.merging(["error": "\(now)"]) { $1 })
    } else {
      logger.info("the target can be scraped again", metadata: metadata)
    }
  }

  func lost(_ reason: String) {
    losses.log(
      .warning, "the pipeline did not take the points of a scrape, they are lost",
      metadata: metadata.merging(["reason": "\(reason)"]) { $1 })
  }

  func refused(_ reason: String) {
    refusals.log(
      .warning, "a scrape was left out, the pipeline takes nothing",
      metadata: metadata.merging(["reason": "\(reason)"]) { $1 })
  }
}
