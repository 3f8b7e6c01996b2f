internal import PipelineKit

/// What a `file_log` receiver tells of itself.
struct TailMeters: Sendable {
  let openFiles: SelfMetricCell
  let readingFiles: SelfMetricCell
  let truncations: SelfMetricCell
  let rotations: SelfMetricCell
  let unreadable: SelfMetricCell
  let rejected: SelfMetricCell

  init(_ context: ComponentContext) {
    let labels = [("receiver", context.id.description)]
    let metrics = context.metrics
    openFiles = metrics.gauge(
      "otelcol_fileconsumer_open_files", help: "Files that are open.", labels: labels)
    readingFiles = metrics.gauge(
      "otelcol_fileconsumer_reading_files", help: "Files that are being read.", labels: labels)
    truncations = metrics.counter(
      "millrace_file_log_truncations", help: "Files that became shorter or were written anew.", labels: labels
    )
    rotations = metrics.counter(
      "millrace_file_log_rotations", help: "Files that were renamed or deleted while they were read.",
      labels: labels)
    unreadable = metrics.counter(
      "millrace_file_log_unreadable_files", help: "Files that could not be opened or read, once per reason.",
      labels: labels)
    rejected = metrics.counter(
      "millrace_file_log_rejected_records", help: "Records that nobody would take.", labels: labels)
  }
}
