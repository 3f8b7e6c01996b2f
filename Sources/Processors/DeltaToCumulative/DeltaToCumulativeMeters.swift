internal import PipelineKit

/// The processor's metrics about itself, under the Collector's names.
struct DeltaToCumulativeMeters: Sendable {
  private let streams: SelfMetricCell
  private let added: SelfMetricCell
  private let failed: [SelfMetricCell]

  init(_ context: ComponentContext, _ limits: StreamLimits) {
    let processor = (name: "processor", value: context.id.description)
    let metrics = context.metrics
    let points = "otelcol_deltatocumulative_datapoints"
    let help = "Data points that were added up, or with an error not."
    streams = metrics.gauge(
      "otelcol_deltatocumulative_streams_tracked", help: "Streams that are being added up.",
      labels: [processor])
    added = metrics.counter(points, help: help, labels: [processor])
    failed = AccumulationError.allCases.map { error in
      metrics.counter(points, help: help, labels: [processor, (name: "error", value: error.label)])
    }
    metrics.gauge(
      "otelcol_deltatocumulative_streams_limit", help: "The most streams that are added up.",
      labels: [processor]
    ).set(limits.streams)
    metrics.gauge(
      "otelcol_deltatocumulative_streams_max_stale",
      help: "How long a stream is remembered after its last data point.", unit: "s", labels: [processor]
    ).set(Int((limits.staleness ?? .zero).components.seconds))
  }

  func count(_ error: AccumulationError?) {
    if let error { failed[error.rawValue].add() } else { added.add() }
  }

  func track(_ count: Int) { streams.set(count) }
}
