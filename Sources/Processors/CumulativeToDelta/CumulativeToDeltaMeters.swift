internal import PipelineKit
internal import TelemetryData

/// The processor's metrics about itself, under the Collector's names.
struct CumulativeToDeltaMeters: Sendable {
  private let streams: SelfMetricCell
  private let converted: [MetricKind: SelfMetricCell]
  private let dropped: [MetricKind: [SelfMetricCell]]

  init(_ context: ComponentContext) {
    let processor = (name: "processor", value: context.id.description)
    let metrics = context.metrics
    streams = metrics.gauge(
      "otelcol_cumulativetodelta_streams_tracked", help: "Streams whose last value is known.",
      labels: [processor])
    var converted: [MetricKind: SelfMetricCell] = [:]
    var dropped: [MetricKind: [SelfMetricCell]] = [:]
    for (kind, name) in [
      (MetricKind.sum, "sum"), (.histogram, "histogram"), (.exponentialHistogram, "exponential_histogram"),
    ] {
      let type = (name: "metric_type", value: name)
      converted[kind] = metrics.counter(
        "otelcol_cumulativetodelta_datapoints", help: "Data points made into deltas.",
        labels: [processor, type])
      dropped[kind] = DeltaDrop.allCases.map { drop in
        metrics.counter(
          "otelcol_cumulativetodelta_datapoints_dropped",
          help: "Data points that could not be made into deltas.",
          labels: [processor, type, (name: "reason", value: drop.reason)])
      }
    }
    self.converted = converted
    self.dropped = dropped
  }

  func convert(_ kind: MetricKind) { converted[kind]?.add() }
  func drop(_ kind: MetricKind, _ reason: DeltaDrop) { dropped[kind]?[reason.rawValue].add() }
  func track(_ count: Int) { streams.set(count) }
}
