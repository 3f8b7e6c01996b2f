internal import PipelineKit
internal import TelemetryData

/// The batch processor's metrics about itself, under the Collector's names.
struct BatchMeters: Sendable {
  private let sizeTriggers: SelfMetricCell
  private let timeoutTriggers: SelfMetricCell
  private let combinations: SelfMetricCell
  private let items: SelfMetricHistogram
  private let bytes: SelfMetricHistogram

  private static let itemBounds = [
    10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000,
    20_000, 30_000, 50_000, 100_000,
  ]
  private static let byteBounds =
    itemBounds + (2...10).map { $0 * 100_000 } + (2...9).map { $0 * 1_000_000 }

  init(_ context: ComponentContext) {
    let labels = [(name: "processor", value: context.id.description)]
    let metrics = context.metrics
    sizeTriggers = metrics.counter(
      "otelcol_processor_batch_batch_size_trigger_send",
      help: "Batches sent because they were large enough.", labels: labels)
    timeoutTriggers = metrics.counter(
      "otelcol_processor_batch_timeout_trigger_send",
      help: "Batches sent because their time had come.", labels: labels)
    combinations = metrics.gauge(
      "otelcol_processor_batch_metadata_cardinality",
      help: "Combinations of metadata values met so far.", labels: labels)
    items = metrics.histogram(
      "otelcol_processor_batch_batch_send_size", bounds: Self.itemBounds,
      help: "Items of the batches sent.", labels: labels)
    bytes = metrics.histogram(
      "otelcol_processor_batch_batch_send_size_bytes", bounds: Self.byteBounds,
      help: "Size of the batches sent.", unit: "By", labels: labels)
  }

  func sent(_ batch: Batch, by trigger: BatchTrigger) {
    switch trigger {
    case .size: sizeTriggers.add()
    case .timeout: timeoutTriggers.add()
    }
    items.record(batch.itemCount)
    bytes.record(batch.byteCount)
  }

  func foundCombination() { combinations.add() }
}
