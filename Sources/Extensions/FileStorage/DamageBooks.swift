import Logging
import PipelineKit
import Storage
import TelemetryData

/// Says what damaged databases cost: in the log, in self-metrics and in the ledger.
struct DamageBooks: Sendable {
  private let context: ComponentContext
  private let databases: SelfMetricCell

  init(_ context: ComponentContext) {
    self.context = context
    databases = context.metrics.counter(
      "millrace_storage_damaged_databases", help: "Damaged databases that were set aside.",
      labels: [("extension", context.id.description)])
  }

  func book(_ report: DamageReport) {
    databases.add(1)
    let client = FileStorageExtension.client(of: report.key)
    var lost = 0
    for (kind, items) in report.lostItems ?? [:] {
      guard let signal = StoredBatches.signal(kind) else { continue }
      lost += items
      context.metrics.counter(
        "millrace_storage_lost_items", help: "Stored items that a damaged database could not give back.",
        labels: [("client", client.description), ("signal", signal.rawValue)]
      ).add(items)
      // Found later, they are among what the queue was booked to hold, and its owner misses them at the end.
      guard report.isOpening else { continue }
      context.ledger.record(.restored, items, signal: signal, reason: client.description)
      context.ledger.record(.dropped, items, signal: signal, reason: "damaged_storage")
    }
    context.logger.error(
      "a damaged database was set aside, a new one is started",
      metadata: [
        "client": "\(client)", "error": "\(report.reason)",
        "kept_as": "\(report.setAside ?? "nothing, it could not be renamed")",
        "rows_saved": "\(report.salvaged)", "rows_lost": "\(report.lost.map(String.init) ?? "unknown")",
        "items_lost": "\(report.lostItems == nil ? "unknown" : "\(lost)")",
      ])
  }
}
