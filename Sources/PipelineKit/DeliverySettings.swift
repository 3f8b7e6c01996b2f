public import ConfigSchema

/// What a queue counts.
public enum QueueSizer: String, ConfigEnum, CaseIterable { case requests, items, bytes }

/// What a batch inside a queue counts.
public enum BatchSizer: String, ConfigEnum, CaseIterable { case items, bytes }

/// `sending_queue.batch`: gather queued requests into larger ones.
public struct QueueBatchSettings: ConfigGroup {
  public var flushTimeout: Duration = .milliseconds(200)
  public var minSize = 8192
  public var maxSize = 0
  public var sizer: BatchSizer = .items
  public init() {}

  public static let fields: [Field<Self>] = [
    Field(
      "flush_timeout", \.flushTimeout, "Send what has gathered after this time, however little.",
      check: .atLeast(.milliseconds(1))),
    Field("min_size", \.minSize, "Send as soon as this much has gathered.", check: .atLeast(0)),
    Field("max_size", \.maxSize, "Split what is larger than this; 0 is no limit.", check: .atLeast(0)),
    Field("sizer", \.sizer, "What the sizes count."),
    .unsupported(
      "partition", "requests cannot be partitioned by metadata here; use the batch processor's metadata_keys"),
  ]

  public func check(_ checker: inout ConfigChecker) {
    if maxSize > 0, maxSize < minSize {
      checker.error(\.maxSize, "must be 0 or at least min_size (\(minSize))")
    }
  }
}

/// `sending_queue`: a bounded queue between the pipeline and the backend, in memory or on disk.
public struct QueueSettings: ConfigGroup {
  public var enabled = true
  public var numConsumers = 10
  public var queueSize = 1000
  public var sizer: QueueSizer = .requests
  public var waitForResult = false
  public var blockOnOverflow = false
  public var batch: QueueBatchSettings?
  public var storage: ExtensionReference<StorageRole>?
  public init() {}

  public static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Whether to queue at all; without a queue the sender waits for the backend."),
    Field("num_consumers", \.numConsumers, "Requests under way at the same time.", check: .range(1...10_000)),
    Field(
      "queue_size", \.queueSize,
      "How much the queue holds, counted by `sizer`; a memory queue whose sizer is not `bytes` never holds more "
        + "than `service.memory.queue_limit`.",
      check: .atLeast(1)),
    Field(
      "sizer", \.sizer, "What `queue_size` counts; bytes are those a request takes in memory, or on disk."),
    Field("wait_for_result", \.waitForResult, "Answer the sender only once the backend has answered."),
    Field("block_on_overflow", \.blockOnOverflow, "Wait for room when full, instead of refusing."),
    Field("batch", \.batch, "Gather queued requests into larger ones."),
    Field(
      "storage", \.storage,
      "The storage extension that keeps the queue on disk; absent: it is in memory. Senders are then answered once "
        + "their data is committed, and what is stored survives the process."),
  ]

  public func check(_ checker: inout ConfigChecker) {
    if storage != nil, waitForResult {
      checker.error(
        \.waitForResult, "cannot be combined with storage",
        help: "leave it out: senders are answered once their data is on disk")
    }
    if storage != nil, !enabled {
      checker.error(\.storage, "has no effect while the queue is not enabled", help: "set enabled: true")
    }
    if let batch, sizer.rawValue == batch.sizer.rawValue, batch.minSize > queueSize {
      checker.error(
        \.batch, "min_size (\(batch.minSize)) does not fit into queue_size (\(queueSize))",
        help: "raise queue_size or lower batch.min_size")
    }
  }
}

/// `retry_on_failure`: exponential backoff with jitter.
public struct RetrySettings: ConfigGroup {
  public var enabled = true
  public var initialInterval: Duration = .seconds(5)
  public var randomizationFactor = 0.5
  public var multiplier = 1.5
  public var maxInterval: Duration = .seconds(30)
  /// Nil stands for five minutes, and for no limit where the queue is durable.
  public var maxElapsedTime: Duration?
  /// What it is for a queue in memory.
  public static let defaultMaxElapsedTime = Duration.seconds(300)
  public init() {}

  public static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Whether to try again after a retryable failure."),
    Field("initial_interval", \.initialInterval, "Wait before the second try.", check: .atLeast(.zero)),
    Field(
      "randomization_factor", \.randomizationFactor,
      "Each wait is spread by this share of itself, either way.", check: .range(0...1)),
    Field("multiplier", \.multiplier, "Each wait is this many times the one before.", check: .atLeast(1)),
    Field("max_interval", \.maxInterval, "The longest wait between two tries.", check: .atLeast(.zero)),
    Field(
      "max_elapsed_time", \.maxElapsedTime,
      "Give up after this time; 0 never gives up. Absent: 5m, or never where the queue is durable.",
      check: .atLeast(.zero)),
  ]

  public func check(_ checker: inout ConfigChecker) {
    if let maxElapsedTime, maxElapsedTime > .zero, maxElapsedTime < initialInterval {
      checker.error(\.maxElapsedTime, "must be 0 or at least initial_interval")
    }
  }
}

/// How the engine hands batches to an exporter: queue, retries, and the time one try may take.
public struct DeliverySettings: Sendable {
  /// The memory queue; nil or disabled means that the sender waits for the backend.
  public var queue: QueueSettings?
  public var retry: RetrySettings?
  /// How long one try may take; nil or zero is no limit.
  public var timeout: Duration?
  /// Tries under way at the same time where there is no queue.
  public var concurrency: Int

  public init(
    queue: QueueSettings? = nil, retry: RetrySettings? = nil, timeout: Duration? = nil, concurrency: Int = 10
  ) {
    self.queue = queue
    self.retry = retry
    self.timeout = timeout
    self.concurrency = concurrency
  }

  /// Whether the queue is kept by a storage extension.
  public var isDurable: Bool { queue.map { $0.enabled && $0.storage != nil } ?? false }

  /// How long a batch is tried; zero is for ever.
  public var maxElapsedTime: Duration {
    retry?.maxElapsedTime ?? (isDurable ? .zero : RetrySettings.defaultMaxElapsedTime)
  }
}
