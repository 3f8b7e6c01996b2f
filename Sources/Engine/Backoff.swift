package import PipelineKit

/// Exponential backoff with jitter, as the Collector's `retry_on_failure` has it.
package struct Backoff {
  private let settings: RetrySettings
  private var interval: Duration

  package init(_ settings: RetrySettings) {
    self.settings = settings
    interval = settings.initialInterval
  }

  /// The next wait: spread around the present interval, and never shorter than the backend asked for.
  ///
  /// `max_interval` bounds the interval before it is spread; it does not shorten what the backend asked for.
  package mutating func next(_ randomness: any Randomness, atLeast floor: Duration?) -> Duration {
    let spread = 1 + settings.randomizationFactor * (2 * randomness.unit() - 1)
    let wait = interval * spread
    // Divided rather than multiplied: a multiplier may be so large that the product has no representation.
    interval =
      interval >= settings.maxInterval / settings.multiplier
      ? settings.maxInterval : interval * settings.multiplier
    return max(wait, floor ?? .zero)
  }
}
