internal import NativeCodecs
internal import Synchronization

/// Tells a thread that reads when to pause and when to stop.
final class ReadingPace: Sendable {
  /// Readable when something has changed.
  let wake: WakeEvent
  private let paused = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)

  init() throws(SystemCallError) { wake = try WakeEvent() }

  var isPaused: Bool { paused.load(ordering: .acquiring) }
  var isStopping: Bool { stopping.load(ordering: .acquiring) }

  func setPaused(_ isPaused: Bool) {
    paused.store(isPaused, ordering: .releasing)
    if !isPaused { wake.wake() }
  }

  func stop() {
    stopping.store(true, ordering: .releasing)
    wake.wake()
  }

  /// Waits until something can be read from one of some descriptors, something has changed, or time has passed; which
  /// of the descriptors are ready.
  func wait(for descriptors: [CInt], milliseconds: Int?) -> [Bool] {
    var ready = WakeEvent.waitForInput(descriptors + [wake.descriptor], milliseconds: milliseconds)
    if ready.removeLast() { wake.clear() }
    return ready
  }
}
