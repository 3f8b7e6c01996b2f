internal import PipelineKit
internal import PrometheusData
internal import Synchronization
internal import TelemetryData

/// What the scrapes of a job count.
final class ScrapeMeters: Sendable {
  private let labels: [(name: String, value: String)]
  private let metrics: SelfMetrics
  private let scrapes: SelfMetricCell
  private let up: SelfMetricCell
  private let down: SelfMetricCell
  private let duplicates: SelfMetricCell
  private let future: SelfMetricCell
  private let invalidHistograms: SelfMetricCell

  init(job: String, _ context: ComponentContext) {
    metrics = context.metrics
    labels = [("receiver", context.id.description), ("job", job)]
    scrapes = metrics.counter(
      "millrace_prometheus_scrapes", help: "Scrapes of targets, those that failed among them.", labels: labels
    )
    let targets = "Targets by how their last scrape ended."
    up = metrics.gauge("millrace_prometheus_targets", help: targets, labels: labels + [("state", "up")])
    down = metrics.gauge("millrace_prometheus_targets", help: targets, labels: labels + [("state", "down")])
    let dropped = "Samples of expositions that were left out."
    func samples(_ reason: String, _ labels: [(name: String, value: String)]) -> SelfMetricCell {
      context.metrics.counter(
        "millrace_prometheus_dropped_samples", help: dropped, labels: labels + [("reason", reason)])
    }
    duplicates = samples("duplicate", labels)
    future = samples("future", labels)
    invalidHistograms = samples("invalid_histogram", labels)
  }

  /// Counts a scrape, and what it left out.
  func count(_ counts: ScrapeCounts) {
    scrapes.add()
    if counts.duplicates > 0 { duplicates.add(counts.duplicates) }
    if counts.future > 0 { future.add(counts.future) }
    if counts.invalidHistograms > 0 { invalidHistograms.add(counts.invalidHistograms) }
  }

  func failed(_ reason: String) {
    metrics.counter(
      "millrace_prometheus_scrape_failures", help: "Scrapes that failed.",
      labels: labels + [("reason", reason)]
    ).add()
  }

  /// Counts points that the pipeline did not take.
  func lost(_ points: Int, _ reason: String) {
    metrics.counter(
      "millrace_prometheus_lost_points", help: "Points of scrapes that the pipeline did not take in time.",
      labels: labels + [("reason", reason)]
    ).add(points)
  }

  /// A target has gone from one state to another; nil for neither up nor down.
  func moved(from: Bool?, to: Bool?) {
    if from == to { return }
    if let from { (from ? up : down).add(-1) }
    if let to { (to ? up : down).add(1) }
  }
}
