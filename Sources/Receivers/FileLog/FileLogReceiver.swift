internal import ConfigSchema
internal import Logging
internal import NativeCodecs
package import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Reads log files while they are written, rotated and deleted; loses no line and repeats none.
///
/// One thread of its own finds files, reads them, and hands on what it read; see ``Tailer``. How far a file has been read
/// is stored only past lines whose delivery was accepted. When the receiver is replaced at a reload, its successor goes on
/// with the open files and with what is under way; see ``TailPlace``.
package final class FileLogReceiver: Receiver {
  package typealias Config = FileLogConfig

  package static let descriptor = ComponentDescriptor(
    type: "file_log", deprecatedTypes: ["filelog"], signals: [.logs],
    summary: "Reads log files through rotations, without losing or repeating a line.")

  /// What there is between start and stop.
  private struct Life: Sendable {
    let thread: TailThread
    let place: TailPlace
    let checkpoints: CheckpointLog?
  }

  private let config: FileLogConfig
  private let context: ComponentContext
  private let life = Mutex<Life?>(nil)

  package init(config: FileLogConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let consumer = outputs.logs else { return }
    let (place, estate) = try TailPlace.enter(context) { [weak self] in
      self?.life.withLock { $0 }?.thread.mailbox.post(.alarm)
    }
    do {
      let (checkpoints, stored) = try await openCheckpoints()
      let thread = try TailThread(
        .init(
          settings: TailSettings(config), context: context, consumer: consumer, place: place, estate: estate,
          stored: stored, checkpoints: checkpoints))
      try thread.run()
      life.withLock { $0 = Life(thread: thread, place: place, checkpoints: checkpoints) }
    } catch {
      place.leave(estate, context.clock)
      if let error = error as? SystemCallError { throw StartError("files cannot be read: \(error)") }
      throw error
    }
  }

  private func openCheckpoints() async throws -> (CheckpointLog?, [String: [UInt8]]) {
    guard let reference = config.storage else { return (nil, [:]) }
    let storage = try context.extensions.find(reference, as: (any StorageProvider).self)
    let store = try await storage.openCheckpoints(for: context.id)
    do {
      return (CheckpointLog(store), try await store.values())
    } catch {
      await store.close()
      throw error
    }
  }

  package func run() async throws {
    guard let life = life.withLock({ $0 }), let checkpoints = life.checkpoints else { return }
    await checkpoints.run(life.thread.mailbox)
  }

  package func stop() async {
    let ending = life.withLock { life in
      defer { life = nil }
      return life
    }
    guard let ending else { return }
    let remains = await ending.thread.end()
    if let checkpoints = ending.checkpoints {
      checkpoints.finish()
      if let problem = await checkpoints.write(remains?.changes ?? [:]) {
        context.logger.error(
          "it could not be stored how far files have been read", metadata: ["reason": "\(problem)"])
      }
      await checkpoints.close()
    }
    ending.place.leave(remains?.estate, context.clock)
  }
}
