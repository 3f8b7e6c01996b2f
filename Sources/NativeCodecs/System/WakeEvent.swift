internal import CLinux
internal import Glibc

/// Wakes a thread that waits in `poll(2)` for files: an eventfd.
package final class WakeEvent: Sendable {
  /// Readable from ``wake()`` until ``clear()``.
  package let descriptor: CInt

  package init() throws(SystemCallError) {
    descriptor = millrace_eventfd()
    if descriptor < 0 { throw SystemCallError("make an eventfd", code: errno) }
  }

  deinit { close(descriptor) }

  /// Any thread.
  package func wake() { millrace_eventfd_wake(descriptor) }

  /// Waits for the next ``wake()`` again.
  package func clear() { millrace_eventfd_clear(descriptor) }

  /// Waits until one of some descriptors can be read, or has ended, or some time has passed.
  ///
  /// - Parameter milliseconds: nil waits for as long as it takes.
  /// - Returns: for each descriptor, whether reading it would not wait.
  package static func waitForInput(_ descriptors: [CInt], milliseconds: Int?) -> [Bool] {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    guard unsafe poll(&polled, nfds_t(polled.count), milliseconds.map { CInt(clamping: $0) } ?? -1) > 0 else {
      return descriptors.map { _ in false }
    }
    return polled.map { $0.revents != 0 }
  }
}
