internal import Dispatch
internal import Logging
package import PipelineKit
internal import Synchronization
package import TelemetryData
internal import WireFormat

/// Writes batches to files: OTLP-JSON lines, or length-prefixed messages, compressed or not.
///
/// A batch is handed to the operating system before its sender is answered, whole or not at all: what a full
/// disk left of it is cut off again, and the sender is told to come back. Everything that may block runs on a
/// thread of the exporter's own.
package final class FileExporter: Exporter {
  package typealias Config = FileExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "file", summary: "Writes OTLP as JSON lines or protobuf to files, with rotation and compression.")

  private struct State {
    var files: OpenFiles
    var encoder: RecordEncoder
    var record: [UInt8] = []
    var isFailing = false
    var isSyncScheduled = false
  }

  private let config: FileExporterConfig
  private let context: ComponentContext
  private let calls: any FileCalls
  private let groups: ResourceGroups?
  /// Whether a line is written while it is made. Rotation must know its length first.
  private let writesPieces: Bool
  /// Runs one thing at a time; the state is only used on it.
  private let queue: DispatchQueue
  /// Waits for the disk, so that batches need not.
  private let syncQueue: DispatchQueue
  private let state: Mutex<State>
  private let failureLog: RateLimitedLog
  private let missingLog: RateLimitedLog

  package convenience init(config: FileExporterConfig, context: ComponentContext) {
    self.init(config: config, context: context, calls: SystemFileCalls())
  }

  /// An exporter whose writes go through `calls`, for tests of failing disks.
  package init(config: FileExporterConfig, context: ComponentContext, calls: any FileCalls) {
    self.config = config
    self.context = context
    self.calls = calls
    groups = ResourceGroups(config)
    writesPieces = config.format == .json && config.compression == .none && config.rotation == nil
    queue = DispatchQueue(label: "millrace.\(context.id)")
    syncQueue = DispatchQueue(label: "millrace.\(context.id).sync")
    state = Mutex(State(files: OpenFiles(config, calls: calls), encoder: RecordEncoder(config)))
    failureLog = RateLimitedLog(context.logger, clock: context.clock)
    missingLog = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// One batch at a time, and no queue or retries, as in the Collector.
  package static func delivery(of config: FileExporterConfig) -> DeliverySettings {
    DeliverySettings(concurrency: 1)
  }

  /// Two instances would write into each other's records.
  package static func traits(of config: FileExporterConfig) -> ComponentTraits {
    var traits = ComponentTraits(delivery: delivery(of: config))
    traits.isExclusive = true
    return traits
  }

  package func start() async throws {
    if groups != nil { return }
    let failure: FileError? = await onQueue { exporter in
      exporter.state.withLock { state in
        do throws(FileError) {
          try state.files.open(exporter.config.path, isFirst: !exporter.context.isSuccessor)
          state.files.removeBackups(of: exporter.config.path, at: exporter.context.clock.unixNanoseconds)
          return nil
        } catch {
          return error
        }
      }
    }
    guard let failure else { return }
    let isMissing = failure.code == FilePrimitives.noSuchFile && !config.createDirectory
    throw StartError(
      "\(failure) (exporter \(context.id), \(context.declaredAt))",
      help: isMissing ? "create the directory, or set create_directory: true" : nil)
  }

  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    await onQueue { $0.write(batch) }
  }

  package func stop() async {
    await onQueue { exporter in
      let dirty = exporter.state.withLock { state in
        state.files.closeAll()
        return state.files.takeDirty()
      }
      exporter.sync(dirty)
    }
    // Syncs that were under way end before the exporter is gone.
    await withCheckedContinuation { continuation in syncQueue.async { continuation.resume() } }
  }

  private func onQueue<Value: Sendable>(_ body: @escaping @Sendable (FileExporter) -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: body(self)) }
    }
  }
}

// What runs on the exporter's own thread.
extension FileExporter {
  private func write(_ batch: Batch) -> Outcome {
    if batch.isEmpty { return .accepted }
    var itemsWithoutPath = 0
    var parts = [(path: config.path, batch: batch)]
    if let groups {
      let division = groups.divide(batch)
      parts = division.parts
      itemsWithoutPath = division.itemsWithoutPath
    }
    let outcome = state.withLock { write(parts, &$0) }
    guard outcome == .accepted, itemsWithoutPath > 0 else { return outcome }
    return missing(itemsWithoutPath, of: batch)
  }

  private func write(_ parts: [(path: String, batch: Batch)], _ state: inout State) -> Outcome {
    let now = context.clock.unixNanoseconds
    var record = state.record
    state.record = []
    defer { state.record = record }
    do {
      for part in parts where writesPieces {
        var pieces = LinePieces(part.batch)
        while try pieces.next(&record) {
          try state.files.append(record.span, to: part.path, unixNanoseconds: now)
        }
      }
      for part in parts where !writesPieces {
        try state.encoder.encode(part.batch, into: &record)
        try state.files.append(record.span, to: part.path, unixNanoseconds: now)
      }
    } catch let error as WireError {
      state.files.rollBack()
      return .rejected(reason: "\(context.id): the batch has no JSON form: \(error)")
    } catch let error as RecordEncoder.Failure {
      state.files.rollBack()
      return .rejected(reason: "\(context.id): \(error.reason)")
    } catch {
      state.files.rollBack()
      state.isFailing = true
      failureLog.log(.error, "cannot write telemetry", metadata: ["error": "\(error)"])
      return .refused(reason: "\(context.id) \(error)", after: nil)
    }
    state.files.commit()
    if state.isFailing {
      state.isFailing = false
      context.logger.info("writing telemetry again", metadata: ["path": "\(config.path)"])
    }
    for error in state.files.takeRemovalErrors() {
      context.logger.warning("cannot remove a rotated file", metadata: ["error": "\(error)"])
    }
    scheduleSync(&state)
    return .accepted
  }

  private func missing(_ items: Int, of batch: Batch) -> Outcome {
    let attribute = config.groupBy.resourceAttribute
    missingLog.log(
      .warning, "rejected items of resources without the attribute that names their file",
      metadata: ["attribute": "\(attribute)", "items": "\(items)"])
    let message = "the resource has no string attribute \(attribute), which \(context.id) groups by"
    return items == batch.itemCount
      ? .rejected(reason: message) : .partial(rejected: items, message: message)
  }

  private func scheduleSync(_ state: inout State) {
    guard config.flushInterval > .zero, !state.isSyncScheduled else { return }
    state.isSyncScheduled = true
    context.clock.schedule(at: context.clock.now + config.flushInterval) {
      self.queue.async {
        let dirty = self.state.withLock { state in
          state.isSyncScheduled = false
          return state.files.takeDirty()
        }
        self.syncQueue.async { self.sync(dirty) }
      }
    }
  }

  private func sync(_ files: [(path: String, descriptor: Int32)]) {
    for file in files {
      if case .failure(let failure) = calls.sync(file.descriptor) {
        let error = FileError("sync", file.path, code: failure.code)
        failureLog.log(.error, "written telemetry may not be on the disk", metadata: ["error": "\(error)"])
      }
      FilePrimitives.close(file.descriptor)
    }
  }
}
