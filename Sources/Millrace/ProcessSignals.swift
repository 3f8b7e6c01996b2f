@unsafe @preconcurrency import Dispatch
import Glibc
import Synchronization

/// SIGTERM and SIGINT: the first asks for a stop, the second ends the process at once. SIGHUP asks for a reload.
final class ProcessSignals: Sendable {
  private let sources: [any DispatchSourceSignal]
  private let first = Mutex<DispatchTime?>(nil)

  /// Calls `stop` with the signal's name when the first SIGTERM or SIGINT arrives, and `reload` at every SIGHUP.
  init(stop: @escaping @Sendable (String) -> Void, reload: @escaping @Sendable () -> Void) {
    let queue = DispatchQueue(label: "millrace.signals")
    let handled = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, "SIGHUP")]
    sources = handled.map { number, _ in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for (source, (number, name)) in zip(sources, handled) {
      source.setEventHandler { [self] in
        if number == SIGHUP { return reload() }
        // Tools that signal a process and then its group send one stop twice: that is not a second one.
        let now = DispatchTime.now()
        let earlier = first.withLock { first in
          defer { first = first ?? now }
          return first
        }
        guard let earlier else { return stop(name) }
        if now > earlier + .milliseconds(300) { _exit(128 + number) }
      }
      source.resume()
    }
  }

  func cancel() { for source in sources { source.cancel() } }
}
