internal import LogData
internal import Logging
internal import NativeCodecs
package import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Reads the journal of systemd through `journalctl`.
///
/// With `storage` the position in the journal moves only past entries that were taken, so that a restart goes on exactly
/// there. While the pipeline refuses, nothing is read, and journalctl waits.
package final class JournaldReceiver: Receiver {
  package typealias Config = JournaldConfig

  package static let descriptor = ComponentDescriptor(
    type: "journald", signals: [.logs], summary: "Reads the journal of systemd through journalctl.")

  package static func traits(of config: JournaldConfig) -> ComponentTraits {
    var traits = ComponentTraits()
    // Two at a time would read each entry twice.
    traits.isExclusive = true
    return traits
  }

  private static let checkpoint = "cursor"
  /// Bytes of records under way above which nothing is read.
  private static let capacity = 4 << 20

  private struct Life {
    let intake: LogIntake
    let pace: ReadingPace
    let cursors: JournalCursors
    let checkpoints: (any Checkpoints)?
    let thread: DedicatedThread
  }

  private let config: JournaldConfig
  private let context: ComponentContext
  private let life = Mutex<Life?>(nil)

  package init(config: JournaldConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let output = outputs.logs else { return }
    var checkpoints: (any Checkpoints)?
    if let storage = config.storage {
      let provider = try context.extensions.find(storage, as: (any StorageProvider).self)
      checkpoints = try await provider.openCheckpoints(for: context.id)
    }
    do {
      let kept = try await checkpoints?.value(of: Self.checkpoint)
      let cursor = kept.map { String(decoding: $0, as: UTF8.self) }
      try start(output, after: cursor ?? LastCursors.ofProcess.take(context), checkpoints)
    } catch {
      await checkpoints?.close()
      throw error
    }
  }

  private func start(
    _ output: any Consumer, after cursor: String?, _ checkpoints: (any Checkpoints)?
  ) throws(StartError) {
    let arguments = config.arguments(after: cursor)
    do {
      let pace = try ReadingPace()
      let cursors = JournalCursors(after: cursor)
      let intake = LogIntake(
        config.input, output: output, laneCount: 1, capacity: Self.capacity, context: context,
        pacing: { pace.setPaused($0) }, settled: { cursors.settled($0) })
      let program = try ChildProcess(arguments)
      let (config, context, lane) = (config, context, intake.lanes[0])
      let thread: DedicatedThread
      do {
        thread = try DedicatedThread("journald") {
          JournalReader(config, lane: lane, pace: pace, cursors: cursors, context: context).run(program)
        }
      } catch {
        program.kill()
        _ = program.wait()
        throw error
      }
      life.withLock {
        $0 = Life(intake: intake, pace: pace, cursors: cursors, checkpoints: checkpoints, thread: thread)
      }
    } catch {
      throw StartError(
        "\(error)",
        help:
          "install systemd's journalctl, or say where it is with journalctl_path (\(config.journalctlPath))")
    }
  }

  /// Keeps how far the journal has been read.
  package func run() async throws {
    guard let life = life.withLock({ $0 }), let checkpoints = life.checkpoints else { return }
    for await cursor in life.cursors.toKeep { await keep(cursor, checkpoints) }
  }

  private func keep(_ cursor: String, _ checkpoints: any Checkpoints) async {
    do {
      try await checkpoints.set([Self.checkpoint: Array(cursor.utf8)])
    } catch {
      context.logger.error(
        "the position in the journal cannot be kept; a restart would repeat entries",
        metadata: ["reason": "\(error)"])
    }
  }

  package func stop() async {
    let life = life.withLock { held in
      defer { held = nil }
      return held
    }
    guard let life else { return }
    life.pace.stop()
    await life.thread.end()
    await life.intake.finish()
    life.cursors.end()
    guard let checkpoints = life.checkpoints else {
      if let cursor = life.cursors.taken { LastCursors.ofProcess.put(cursor, context) }
      return
    }
    if let cursor = life.cursors.taken { await keep(cursor, checkpoints) }
    await checkpoints.close()
  }
}

/// How far receivers without storage had read when a reload replaced them.
private final class LastCursors: Sendable {
  private struct Place: Hashable {
    let collector: ObjectIdentifier
    let id: ComponentID

    init(_ context: ComponentContext) {
      collector = ObjectIdentifier(context.metrics)
      id = context.id
    }
  }
  static let ofProcess = LastCursors()
  private let cursors = Mutex<[Place: String]>([:])

  func put(_ cursor: String, _ context: ComponentContext) {
    cursors.withLock { $0[Place(context)] = cursor }
  }

  func take(_ context: ComponentContext) -> String? {
    cursors.withLock { $0.removeValue(forKey: Place(context)) }
  }
}
