import ConfigSchema
import Logging
package import PipelineKit
import Storage
import Synchronization

/// `file_storage`: keeps the queues and checkpoints of other components in a directory, one SQLite database each.
package final class FileStorageExtension: StorageProvider {
  package typealias Config = FileStorageConfig

  package static let descriptor = ComponentDescriptor(
    type: "file_storage", signals: [], summary: "Keeps sending queues and checkpoints on disk.")

  package static func traits(of config: FileStorageConfig) -> ComponentTraits {
    ComponentTraits(
      roles: [StorageRole.name],
      note: config.fsync ? nil : "a power cut can cost the last moments, unless fsync is true")
  }

  private let config: FileStorageConfig
  private let context: ComponentContext
  private let removalFailures: RateLimitedLog
  private let directory = Mutex<StorageDirectory?>(nil)
  /// The abandoned queues that were told of; nil where nobody asks, since somebody reads them all.
  private let toldOf = Mutex<Set<StorageKey>?>([])
  /// How long after the start, and after a client has closed its queue, others have to open theirs.
  private static let pause = Duration.seconds(10)

  package init(config: FileStorageConfig, context: ComponentContext) {
    self.config = config
    self.context = context
    removalFailures = RateLimitedLog(context.logger, clock: context.clock)
  }

  package func start() async throws {
    let permissions =
      config.createDirectory ? FileStorageConfig.permissions(config.directoryPermissions) : nil
    do {
      let opened = try await StorageDirectory.open(config.directory, creating: permissions, options: options)
      directory.withLock { $0 = opened }
    } catch { throw Self.explained(error) }
    context.logger.info("storage is ready", metadata: ["directory": "\(config.directory)"])
    tellOfAbandonedQueues()
  }

  /// Warns, after a while, of what waits in queues that no component has open.
  private func tellOfAbandonedQueues() {
    let (clock, logger) = (context.clock, context.logger)
    clock.schedule(at: clock.now + Self.pause) { [weak self] in
      self?.directory.withLock { $0 }?.findAbandoned { [weak self] queues in
        for (key, totals) in queues {
          guard self?.toldOf.withLock({ $0?.insert(key).inserted }) ?? false else { continue }
          logger.warning(
            "a stored queue belongs to no component that runs",
            metadata: [
              "client": "\(Self.client(of: key))", "items": "\(totals.items)",
              "help": "send it on with millrace storage drain, or bring back an exporter of that name",
            ])
        }
      }
    }
  }

  /// Gives the directory up; what is still open keeps it until it is closed.
  package func stop() async { directory.withLock { $0 = nil } }

  package func openQueue(
    for client: ComponentID, limits: StoredQueueLimits
  ) async throws -> any DurableBatchQueue {
    let limits = QueueLimits(records: limits.batches, items: limits.items, bytes: limits.bytes)
    do {
      let queue = try await opened().openQueue(Self.key(client), limits: limits)
      if queue.totals.records > 0 {
        context.logger.info(
          "a stored queue is continued",
          metadata: [
            "client": "\(client)", "batches": "\(queue.totals.records)", "items": "\(queue.totals.items)",
            "bytes": "\(queue.totals.bytes)",
          ])
      }
      _ = toldOf.withLock { $0?.remove(Self.key(client)) }
      return StoredBatches(queue, client: client, context: context) { [weak self] in
        self?.tellOfAbandonedQueues()
      }
    } catch { throw Self.explained(error) }
  }

  /// Opens a queue that is listed, to read what it holds now.
  package func openStored(_ entry: StorageListing.Entry) async throws -> StoredQueueReader {
    toldOf.withLock { $0 = nil }
    do { return StoredQueueReader(try await opened().openQueue(entry.key)) } catch {
      throw Self.explained(error)
    }
  }

  package func openCheckpoints(for client: ComponentID) async throws -> any Checkpoints {
    do { return StoredCheckpoints(store: try await opened().openCheckpoints(Self.key(client))) } catch {
      throw Self.explained(error)
    }
  }

  /// `kind_type`, and `-name` for a named one; types are written with `_` only, so that no two ids meet.
  static func key(_ client: ComponentID) -> StorageKey {
    let stem = "\(client.kind.rawValue)_\(client.type)"
    return StorageKey(client.name.isEmpty ? stem : "\(stem)-\(client.name)")
  }

  /// The id behind a key; a key of another form stands for an exporter of that name.
  static func client(of key: StorageKey) -> ComponentID {
    let parts = key.text.split(separator: "_", maxSplits: 1)
    guard parts.count == 2, let kind = ComponentKind(rawValue: String(parts[0])) else {
      return ComponentID(kind: .exporter, type: key.text)
    }
    let named = parts[1].split(separator: "-", maxSplits: 1)
    return ComponentID(
      kind: kind, type: named.first.map(String.init) ?? "", name: named.count > 1 ? String(named[1]) : "")
  }

  private func opened() throws(StorageError) -> StorageDirectory {
    guard let directory = directory.withLock({ $0 }) else { throw .closed }
    return directory
  }

  private static func explained(_ error: StorageError) -> StartError {
    switch error {
    case .unusableDirectory:
      StartError("\(error)", help: "create it, or set create_directory: true, and check who may write to it")
    case .inUse:
      StartError(
        "\(error)", help: "give each process a directory of its own, or stop the other one first",
        isInUse: true)
    default: StartError("\(error)")
    }
  }

  // MARK: What storage reports

  private var options: StorageOptions {
    var options = StorageOptions()
    options.syncsEveryCommit = config.fsync
    options.maxFileBytes = config.maxSize.bytes > 0 ? config.maxSize.bytes : nil
    options.lockTimeout = config.timeout
    options.compaction.onStart = config.compaction.onStart
    options.compaction.onRebound = config.compaction.onRebound
    options.compaction.reboundNeeded = config.compaction.reboundNeededThresholdMiB << 20
    options.compaction.reboundTrigger = config.compaction.reboundTriggerThresholdMiB << 20
    let clock = context.clock
    options.timer = { delay, action in clock.schedule(at: clock.now + delay, action) }
    options.unixSeconds = { Int(clock.unixNanoseconds / 1_000_000_000) }
    let (context, removalFailures) = (context, removalFailures)
    let damage = DamageBooks(context)
    options.report = { event in
      switch event {
      case .damaged(let report): damage.book(report)
      case .removalFailed(let key, let error):
        removalFailures.log(
          .error, "delivered records cannot be removed, they may come twice after a restart",
          metadata: ["client": "\(key)", "error": "\(error)"])
      case .compacted(let key, let before, let after):
        context.logger.info(
          "a database was made smaller",
          metadata: ["client": "\(key)", "before": "\(before)", "after": "\(after)"])
      }
    }
    return options
  }
}
