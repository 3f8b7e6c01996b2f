@unsafe @preconcurrency import Dispatch
import Glibc
import Synchronization

/// SIGTERM and SIGINT: the first asks for a stop, the second ends the process at once.
final class StopSignals: Sendable {
  private let sources: [any DispatchSourceSignal]
  private let first = Mutex<DispatchTime?>(nil)

  /// Calls `stop` with the signal's name when the first arrives.
  init(_ stop: @escaping @Sendable (String) -> Void) {
    let queue = DispatchQueue(label: "millrace.signals")
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for (source, (number, name)) in zip(sources, [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")]) {
      source.setEventHandler { [self] in
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
