internal import Logging
package import PipelineKit
internal import Synchronization
internal import TelemetryData

/// Reads log files while they are written, rotated and deleted; loses no line and repeats none.
///
/// One thread of its own finds files, reads them, and hands on what it read; see ``Tailer``. How far a file has been read
/// moves only past lines whose delivery was accepted.
package final class FileLogReceiver: Receiver {
  package typealias Config = FileLogConfig

  package static let descriptor = ComponentDescriptor(
    type: "file_log", deprecatedTypes: ["filelog"], signals: [.logs],
    summary: "Reads log files through rotations, without losing or repeating a line.")

  private struct Life {
    var mailbox: TailMailbox?
    /// Stopped once the thread has ended.
    var ended: StopSignal?
  }

  private let config: FileLogConfig
  private let context: ComponentContext
  private let life = Mutex(Life())

  package init(config: FileLogConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let consumer = outputs.logs else { return }
    do {
      let settings = try TailSettings(config)
      let pipe = try WakePipe()
      let mailbox = TailMailbox(pipe)
      let ended = StopSignal()
      let context = context
      let isStarted = OwnThread.start("file_log") {
        Self.work(settings, context, consumer, mailbox, pipe)
        ended.stop()
      }
      guard isStarted else { throw StartError("the system gives no thread to read files with") }
      life.withLock { $0 = Life(mailbox: mailbox, ended: ended) }
    } catch let problem as GlobPattern.Problem {
      throw StartError("a pattern of files \(problem)")
    } catch let error as FileError {
      throw StartError("cannot wait for files: \(error)")
    }
  }

  package func stop() async {
    let life = life.withLock { life in
      defer { life = Life() }
      return life
    }
    life.mailbox?.post(.stop)
    await life.ended?.wait()
  }

  /// What the thread does.
  private static func work(
    _ settings: TailSettings, _ context: ComponentContext, _ consumer: any Consumer, _ mailbox: TailMailbox,
    _ pipe: WakePipe
  ) {
    let notices = try? FileNotices()
    if notices == nil {
      context.logger.warning("the kernel tells of no changes to files, they are looked at instead")
    }
    let tailer = Tailer(settings, context: context, consumer: consumer, mailbox: mailbox, notices: notices)
    var alarm: MonotonicInstant?
    while true {
      let next = tailer.turn()
      if tailer.isDone { return }
      if let next {
        let now = context.clock.now
        if next <= now { continue }
        // Alarms cannot be taken back, so there is one at a time, for the earliest.
        if alarm.map({ $0 <= now || next < $0 }) ?? true {
          alarm = next
          context.clock.schedule(at: next) { mailbox.post(.alarm) }
        }
      }
      pipe.wait(notices?.descriptor)
    }
  }
}
