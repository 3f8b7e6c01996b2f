internal import NIOCore

/// One deadline of a connection, moved often and reached seldom.
///
/// Moving the deadline later costs no timer operation: the timer that is set looks at the deadline when it fires and
/// sets itself again. Confined to the event loop.
final class WatchTimer {
  private let loop: any EventLoop
  private var deadline: NIODeadline?
  private var timer: Scheduled<Void>?
  private var timerAt = NIODeadline.distantFuture
  private var onExpiry: (() -> Void)?

  init(loop: any EventLoop) { self.loop = loop }

  /// Sets what happens when a deadline is reached.
  func whenExpired(_ action: @escaping () -> Void) { onExpiry = action }

  /// Moves the deadline; nil means none.
  func set(_ deadline: NIODeadline?) {
    self.deadline = deadline
    guard let deadline, deadline < timerAt else { return }
    timer?.cancel()
    schedule(deadline)
  }

  /// Moves the deadline if the new one is earlier.
  func bringForward(to deadline: NIODeadline) {
    if let current = self.deadline, current <= deadline { return }
    set(deadline)
  }

  /// Ends the timer and forgets the action, which may hold its owner.
  func end() {
    timer?.cancel()
    timer = nil
    timerAt = .distantFuture
    deadline = nil
    onExpiry = nil
  }

  private func schedule(_ at: NIODeadline) {
    timerAt = at
    timer = loop.assumeIsolated().scheduleTask(deadline: at) { self.fire() }
  }

  private func fire() {
    timer = nil
    timerAt = .distantFuture
    guard let deadline else { return }
    if NIODeadline.now() < deadline {
      schedule(deadline)
    } else {
      self.deadline = nil
      onExpiry?()
    }
  }
}

extension TimeAmount {
  /// A Swift duration, at most about 292 years.
  init(clamping duration: Duration) {
    let (seconds, attoseconds) = duration.components
    guard seconds < 9_000_000_000 else {
      self = .seconds(9_000_000_000)
      return
    }
    self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
