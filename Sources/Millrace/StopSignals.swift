@unsafe @preconcurrency import Dispatch
import Glibc
import Synchronization

/// SIGTERM and SIGINT: the first asks for a stop, the second ends the process at once.
final class StopSignals: Sendable {
  private let sources: [any DispatchSourceSignal]
  private let count = Atomic<Int>(0)

  /// Calls `stop` with the signal's name when the first arrives.
  init(_ stop: @escaping @Sendable (String) -> Void) {
    let queue = DispatchQueue(label: "millrace.signals")
    sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: queue)
    }
    for (source, (number, name)) in zip(sources, [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")]) {
      source.setEventHandler { [self] in
        if count.wrappingAdd(1, ordering: .relaxed).newValue > 1 { _exit(128 + number) }
        stop(name)
      }
      source.resume()
    }
  }

  func cancel() { for source in sources { source.cancel() } }
}
