internal import Logging
internal import NativeCodecs
internal import PipelineKit
internal import Synchronization

/// The thread of a receiver that finds and reads files.
final class TailThread: Sendable {
  /// What the thread begins with.
  struct Start: Sendable {
    let settings: TailSettings
    let context: ComponentContext
    let consumer: any Consumer
    let place: TailPlace
    let estate: TailEstate?
    let stored: [String: [UInt8]]
    let checkpoints: CheckpointLog?
  }

  let mailbox: TailMailbox
  private let start: Start
  private let event: WakeEvent
  private let ended = StopSignal()
  private let remains = Mutex<(changes: CheckpointChanges, estate: TailEstate)?>(nil)

  /// - Throws: when the process can open nothing more.
  init(_ start: Start) throws(SystemCallError) {
    self.start = start
    if let estate = start.estate {
      event = estate.event
      mailbox = estate.mailbox
    } else {
      event = try WakeEvent()
      mailbox = TailMailbox(event)
    }
  }

  /// Starts it.
  ///
  /// - Throws: when the system gives no thread.
  func run() throws(SystemCallError) {
    _ = try DedicatedThread("file_log") { [self] in
      work()
      ended.stop()
    }
  }

  /// Lets it end, and waits until it has: once all that is under way has its outcome, at once when a successor takes that
  /// over or the task is cancelled.
  ///
  /// - Returns: what is still to be stored, and what a successor needs.
  func end() async -> (changes: CheckpointChanges, estate: TailEstate)? {
    mailbox.post(.stop)
    await withTaskCancellationHandler {
      await ended.wait()
    } onCancel: {
      mailbox.post(.abandon)
    }
    return remains.withLock { remains in
      defer { remains = nil }
      return remains
    }
  }

  private func work() {
    let context = start.context
    let notices = start.estate?.notices ?? (try? FileNotices())
    if notices == nil {
      context.logger.warning("the kernel tells of no changes to files, they are looked at instead")
    }
    let place = start.place
    // The other half is for connections.
    let mostHandles = max(64, HandleLimit.raise() / 2)
    let tailer = Tailer(
      start.settings, context: context, consumer: start.consumer, mailbox: mailbox, notices: notices,
      mostHandles: mostHandles, estate: start.estate, stored: start.stored, checkpoints: start.checkpoints,
      isAwaited: { place.isAwaited })
    var alarm: MonotonicInstant?
    while true {
      let next = tailer.turn()
      if tailer.isDone { break }
      if let next {
        let now = context.clock.now
        if next <= now { continue }
        // Alarms cannot be taken back, so there is one at a time, for the earliest.
        if alarm.map({ $0 <= now || next < $0 }) ?? true {
          alarm = next
          let mailbox = mailbox
          context.clock.schedule(at: next) { mailbox.post(.alarm) }
        }
      }
      _ = WakeEvent.waitForInput(
        [event.descriptor] + (notices.map { [$0.descriptor] } ?? []), milliseconds: nil)
      event.clear()
    }
    let left = (tailer.takeChanges(), TailEstate(tailer, event))
    remains.withLock { $0 = left }
  }
}
