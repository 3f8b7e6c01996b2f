public import ConfigSchema
public import TelemetryData

/// The role of extensions that keep data of other components: ``StorageProvider``.
public enum StorageRole: ExtensionRole {
  public static var name: String { "storage" }
}

/// An extension that keeps data of other components across restarts, such as `file_storage`.
///
/// Clients are named by their ids with the type's current spelling, so that a respelled configuration finds its data.
/// What is opened stays usable until it is closed; its owner closes it before the extension is stopped.
public protocol StorageProvider: ServiceExtension {
  /// Opens the queue of `client`, with what it held when it was closed, or when the process ended.
  ///
  /// A damaged queue is set aside and reported, and is no reason to fail.
  /// - Throws: a ``StartError`` when the place cannot be used, or the queue is open already.
  func openQueue(for client: ComponentID, limits: StoredQueueLimits) async throws -> any DurableBatchQueue

  /// Opens the checkpoints of `client`; the same rules apply.
  func openCheckpoints(for client: ComponentID) async throws -> any Checkpoints
}

extension StorageProvider {
  public static func traits(of config: Config) -> ComponentTraits {
    ComponentTraits(roles: [StorageRole.name])
  }
}

/// How much a durable queue may hold; nil is no limit.
public struct StoredQueueLimits: Sendable, Hashable {
  public var batches: Int?
  public var items: Int?
  public var bytes: Int?

  public init(batches: Int? = nil, items: Int? = nil, bytes: Int? = nil) {
    self.batches = batches
    self.items = items
    self.bytes = bytes
  }

  /// The limit of a `sending_queue` of `size` counted by `sizer`.
  public init(_ size: Int, _ sizer: QueueSizer) {
    switch sizer {
    case .requests: self.init(batches: size)
    case .items: self.init(items: size)
    case .bytes: self.init(bytes: size)
    }
  }
}

/// What a durable queue holds and nobody has acknowledged.
public struct StoredLoad: Sendable, Hashable {
  public var batches: Int
  public var bytes: Int
  /// Items per signal; all of them zero where there are none.
  public var items: [Signal: Int]

  public init(batches: Int, bytes: Int, items: [Signal: Int]) {
    self.batches = batches
    self.bytes = bytes
    self.items = items
  }
}

/// Why a durable queue did not take a batch. Nothing of it was stored.
public enum StorageRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  /// The queue is as full as it may be, and stayed so for as long as the batch could wait.
  case full(String)
  /// The batch alone is larger than the queue may become.
  case tooLarge(String)
  /// Writing failed, most likely because the disk is full.
  case failed(String)
  /// The queue is closed.
  case closed

  /// The refusal as the sender hears it: only a batch that can never fit is not worth another try.
  public var outcome: Outcome {
    if case .tooLarge(let text) = self {
      .rejected(reason: text)
    } else {
      .refused(reason: description, after: nil)
    }
  }

  public var description: String {
    switch self {
    case .full(let text), .failed(let text), .tooLarge(let text): text
    case .closed: "the queue is closed"
    }
  }
}

/// A batch that was read from a durable queue: it stays stored until it is acknowledged.
public struct BatchLease: Sendable {
  /// Its place in the queue.
  public let id: Int64
  public let batch: Batch
  /// Headers of the client's request, without credentials.
  public let metadata: RequestMetadata?

  public init(id: Int64, batch: Batch, metadata: RequestMetadata?) {
    self.id = id
    self.batch = batch
    self.metadata = metadata
  }
}

/// A queue of batches on disk: first in, first out, each delivered at least once.
///
/// Any number of tasks may append and read at the same time.
public protocol DurableBatchQueue: Sendable {
  /// What is stored and not acknowledged, leased batches included. Known without I/O.
  var load: StoredLoad { get }

  /// Appends a batch without suspending; `answer` is called once, when the batch is committed or cannot be.
  ///
  /// Credentials among the metadata (`authorization`, cookies, keys) are never written.
  /// - Parameters:
  ///   - patience: how long the batch may wait for room; zero refuses at once.
  ///   - answer: called on any thread; must not block.
  func append(
    _ batch: Batch, metadata: RequestMetadata?, patience: Duration,
    answer: @escaping @Sendable (Result<Void, StorageRefusal>) -> Void)

  /// The next batch in order; nil once reading has ended or the task was cancelled.
  func next() async -> BatchLease?

  /// Removes a batch for good. Returns at once; a kill before the next commit brings the batch back.
  func acknowledge(_ lease: BatchLease)

  /// Puts a batch back, before all later ones.
  func release(_ lease: BatchLease)

  /// Ends reading: ``next()`` gives nil from now on, while appending goes on.
  func stopReading()

  /// Commits what is pending and closes. What is leased or waiting comes again when the queue is opened.
  func close() async
}

extension DurableBatchQueue {
  /// Appends a batch and returns once it is committed.
  public func append(
    _ batch: Batch, metadata: RequestMetadata? = nil, patience: Duration = .zero
  ) async -> Result<Void, StorageRefusal> {
    await withCheckedContinuation { continuation in
      append(batch, metadata: metadata, patience: patience) { continuation.resume(returning: $0) }
    }
  }
}

/// Small values that survive restarts: how far a file was read, where a cursor stands.
public protocol Checkpoints: Sendable {
  /// The value of `key`; nil when there is none.
  func value(of key: String) async throws -> [UInt8]?
  /// All keys, sorted.
  func keys() async throws -> [String]
  /// All values by their keys, in one read.
  func values() async throws -> [String: [UInt8]]
  /// Sets values, or removes those that are nil: all of them, or none. Returns once they are committed.
  func set(_ values: [String: [UInt8]?]) async throws
  /// Commits what is pending and closes.
  func close() async
}
