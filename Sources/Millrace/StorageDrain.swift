import ConfigSchema
import Console
import Engine
import Extensions
import Glibc
import Logging
import PipelineKit
import TelemetryData

/// Sends what queues hold, batch by batch in order, and removes each once it was taken.
struct StorageDrain {
  private let destination: DrainDestination
  private let patience: Duration
  private let clock = SystemClock()
  private let storage: FileStorageExtension
  private let exporter: any Exporter

  /// - Parameters:
  ///   - patience: how long to try again while nothing is taken.
  init(directory: String, destination: DrainDestination, patience: Duration) throws {
    self.destination = destination
    self.patience = patience
    var settings = FileStorageConfig()
    settings.directory = directory
    settings.timeout = .zero
    let (metrics, status) = (SelfMetrics(), CollectorStatus(clock: clock))
    var look = LogsTelemetryConfig()
    look.level = "WARN"
    let lines = LogLines(LogSettings(look))
    let (clock, ledger) = (clock, Ledger(metrics: metrics))
    func context(_ kind: ComponentKind, _ type: String) -> ComponentContext {
      ComponentContext(
        id: ComponentID(kind: kind, type: type), declaredAt: "the command line", signals: Signal.allCases,
        logger: Logger(label: "millrace") { _ in lines }, clock: clock, randomness: SystemRandomness(),
        ledger: ledger, metrics: metrics, health: status)
    }
    storage = FileStorageExtension(config: settings, context: context(.extension, "file_storage"))
    exporter = try destination.exporter(context(.exporter, "drain"))
  }

  /// Counts of one queue, in batches and items.
  private struct Count {
    var sentBatches = 0
    var sentItems = 0
    /// Items of batches that were taken in part: the endpoint will never have them.
    var rejectedItems = 0
    /// Why batches stay stored.
    var kept: [String: Int] = [:]
    /// Batches that were there and that a damaged file did not give back; nil for an unknown number.
    var lostBatches: Int? = 0
  }

  /// Drains the queues one after the other; whether nothing was left, nothing rejected and nothing lost.
  func run(_ entries: [StorageListing.Entry]) async throws -> Bool {
    try await storage.start()
    var isComplete = true
    do {
      try await exporter.start()
      for entry in entries {
        let queue = try await storage.openStored(entry)
        var (count, stopped) = await drain(queue, name: entry.client.description)
        let (batches, items) = (queue.batches, queue.items)
        await queue.close()
        count.lostBatches = entry.load.map { max(0, $0.batches - count.sentBatches - batches) }
        report(entry, count, leftBatches: batches, leftItems: items, stopped: stopped)
        if batches > 0 || count.rejectedItems > 0 || count.lostBatches != 0 { isComplete = false }
        if stopped != nil { break }
      }
    } catch {
      await exporter.stop()
      await storage.stop()
      throw error
    }
    await exporter.stop()
    await storage.stop()
    if entries.isEmpty { Terminal.out("no queues\n") }
    return isComplete
  }

  /// Sends until the end, or until the endpoint has taken nothing for too long: then why.
  private func drain(_ queue: StoredQueueReader, name: String) async -> (Count, stopped: String?) {
    var count = Count()
    let total = queue.batches
    let showsProgress = isatty(STDERR_FILENO) == 1
    var shown = clock.now
    defer { if showsProgress, count.sentBatches > 0 { Terminal.err("\u{1B}[2K\r") } }
    while true {
      switch await queue.next() {
      case .end: return (count, nil)
      case .unreadable: count.kept["no batch", default: 0] += 1
      case .batch(let lease):
        switch await send(lease.batch, lease.metadata) {
        case .accepted:
          queue.acknowledge(lease)
          count.sentBatches += 1
          count.sentItems += lease.batch.itemCount
        case .partial(let rejected, _):
          queue.acknowledge(lease)
          count.sentBatches += 1
          count.sentItems += lease.batch.itemCount - rejected
          count.rejectedItems += rejected
        case .rejected(let reason): count.kept["rejected: \(reason)", default: 0] += 1
        case .refused(let reason, _): return (count, reason)
        }
      }
      if showsProgress, clock.now - shown > .milliseconds(200) {
        shown = clock.now
        Terminal.err("\r\(name): \(count.sentBatches) of \(total) batches")
      }
    }
  }

  /// Tries until the outcome is final, or patience has ended.
  private func send(_ batch: Batch, _ metadata: RequestMetadata?) async -> Outcome {
    let started = clock.now
    var settings = RetrySettings()
    settings.initialInterval = .milliseconds(200)
    settings.maxInterval = .seconds(5)
    var backoff = Backoff(settings)
    while true {
      let outcome = await exporter.export(batch, metadata: metadata).bounded(to: batch.itemCount)
      guard case .refused(_, let after) = outcome else { return outcome }
      let wait = backoff.next(SystemRandomness(), atLeast: after)
      if clock.now - started + wait > patience { return outcome }
      do { try await clock.sleep(for: wait) } catch { return outcome }
    }
  }

  private func report(
    _ entry: StorageListing.Entry, _ count: Count, leftBatches: Int, leftItems: Int, stopped: String?
  ) {
    var line = "\(entry.client): \(count.sentItems) items in \(count.sentBatches) batches sent"
    line += leftBatches == 0 ? ", nothing is left" : ", \(leftItems) items in \(leftBatches) batches are left"
    if count.lostBatches != 0 {
      line +=
        ", \(count.lostBatches.map { "\($0) batches" } ?? "the rest") of a damaged file could not be read"
    }
    if count.rejectedItems > 0 { line += ", \(count.rejectedItems) items were rejected for good" }
    Terminal.out(line + "\n")
    if let stopped { Terminal.err("\(URLSecrets.masked(destination.url)) takes no more: \(stopped)\n") }
    for (reason, batches) in count.kept.sorted(by: { $0.key < $1.key }) {
      Terminal.err("\(entry.client): \(batches) batches stay stored (\(reason))\n")
    }
  }
}
