import Logging
import PipelineKit
import Storage
import TelemetryData

/// A ``DurableQueue`` in the pipeline's terms.
struct StoredBatches: DurableBatchQueue {
  private let queue: DurableQueue
  private let client: ComponentID
  private let context: ComponentContext
  private let damaged: SelfMetricCell
  private let closed: @Sendable () -> Void

  init(
    _ queue: DurableQueue, client: ComponentID, context: ComponentContext,
    closed: @escaping @Sendable () -> Void
  ) {
    self.queue = queue
    self.closed = closed
    self.client = client
    self.context = context
    damaged = context.metrics.counter(
      "millrace_storage_damaged_records", help: "Records that could not be read back.",
      labels: [("client", client.description)])
  }

  var load: StoredLoad {
    let totals = queue.totals
    let items = Signal.allCases.map { ($0, totals.itemsByKind[Self.kind($0)] ?? 0) }
    return StoredLoad(
      batches: totals.records, bytes: totals.bytes, items: Dictionary(uniqueKeysWithValues: items))
  }

  func append(
    _ batch: Batch, metadata: RequestMetadata?, patience: Duration,
    answer: @escaping @Sendable (Result<Void, StorageRefusal>) -> Void
  ) {
    queue.append(Self.record(batch, metadata), patience: patience) { result in
      answer(result.mapError(Self.refusal))
    }
  }

  func next() async -> BatchLease? {
    while let lease = await queue.next() {
      if let batch = Self.batch(lease.record) {
        return BatchLease(id: lease.id, batch: batch, metadata: MetadataCodec.decode(lease.record.metadata))
      }
      // Its checksum is right, so it was written like this: by another version, or by a defect.
      queue.acknowledge([lease.id])
      damaged.add(1)
      context.logger.error(
        "a stored record is no batch and is dropped",
        metadata: ["client": "\(client)", "items": "\(lease.record.itemCount)"])
      if let signal = Self.signal(lease.record.kind) {
        context.ledger.record(.dropped, lease.record.itemCount, signal: signal, reason: "damaged_storage")
      }
    }
    return nil
  }

  func acknowledge(_ lease: BatchLease) { queue.acknowledge([lease.id]) }

  func release(_ lease: BatchLease) {
    queue.release(QueueLease(id: lease.id, record: Self.record(lease.batch, lease.metadata)))
  }

  func stopReading() { queue.stopReading() }
  func close() async {
    await queue.close()
    closed()
  }

  private static func record(_ batch: Batch, _ metadata: RequestMetadata?) -> QueueRecord {
    QueueRecord(
      kind: kind(batch.signal), itemCount: batch.itemCount, metadata: MetadataCodec.encode(metadata),
      payload: batch.bytes)
  }

  // MARK: Format

  /// The kinds of record: what a payload is, OTLP protobuf of one signal. Part of the format of the files.
  static func kind(_ signal: Signal) -> UInt8 {
    switch signal {
    case .traces: 1
    case .metrics: 2
    case .logs: 3
    }
  }

  static func signal(_ kind: UInt8) -> Signal? { Signal.allCases.first { Self.kind($0) == kind } }

  static func batch(_ record: QueueRecord) -> Batch? {
    guard let signal = signal(record.kind) else { return nil }
    return try? Batch(bytes: record.payload, signal: signal, validation: .framing)
  }

  private static func refusal(_ error: StorageError) -> StorageRefusal {
    switch error {
    case .full: .full("\(error)")
    case .tooLarge: .tooLarge("\(error)")
    case .closed: .closed
    default: .failed("\(error)")
    }
  }
}

/// A ``CheckpointStore`` in the pipeline's terms.
struct StoredCheckpoints: Checkpoints {
  let store: CheckpointStore

  func value(of key: String) async throws -> [UInt8]? { try await store.value(of: key) }
  func keys() async throws -> [String] { try await store.keys() }
  func values() async throws -> [String: [UInt8]] { try await store.values() }

  func set(_ values: [String: [UInt8]?]) async throws {
    try await store.apply(
      values.map { key, value in value.map { .set(key: key, value: $0) } ?? .delete(key: key) })
  }

  func close() async { await store.close() }
}
