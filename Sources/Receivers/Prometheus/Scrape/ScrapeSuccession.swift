internal import ConfigSchema
internal import PipelineKit
internal import PrometheusData
internal import Synchronization

/// What a pool leaves to the one that takes its place when the receiver is replaced at a reload.
///
/// A job that the new configuration has unchanged goes on with all that was known of its targets, so that their series
/// have no end between two scrapes. The successor starts while its predecessor still runs: it announces itself here, and
/// the loops of the predecessor then hand over instead of telling the end of their series.
final class ScrapeSuccession: Sendable {
  /// Which pools succeed each other: those of one collector, one receiver, and one job that reads the same.
  struct Key: Hashable, Sendable {
    let collector: ObjectIdentifier
    let receiver: ComponentID
    let job: [ConfigLiteral]
    let trimsSuffixes: Bool

    init(_ job: ScrapeJob, trimsSuffixes: Bool, _ context: ComponentContext) {
      collector = ObjectIdentifier(context.metrics)
      receiver = context.id
      self.job = job.sections
      self.trimsSuffixes = trimsSuffixes
    }
  }

  /// What is handed over to one successor.
  final class Inheritance: Sendable {
    /// Stopped when nothing more will be handed over.
    let isComplete = StopSignal()
    private let states = Mutex<[ScrapeTarget: Held]>([:])

    fileprivate func put(_ target: ScrapeTarget, _ state: consuming ScrapeState) {
      let held = Held(state)
      states.withLock { $0[target] = held }
    }

    /// What was known of a target; nil when nothing was, or it was taken already.
    func take(_ target: ScrapeTarget) -> ScrapeState? {
      states.withLock { $0.removeValue(forKey: target) }?.take()
    }

    /// The targets that nobody has taken over.
    var targets: [ScrapeTarget] { states.withLock { Array($0.keys) } }
  }

  private final class Held: Sendable {
    private let state: Mutex<ScrapeState?>

    init(_ state: consuming ScrapeState) { self.state = Mutex(state) }

    func take() -> ScrapeState? { state.withLock { $0.take() } }
  }

  private static let running = Mutex<[Key: [ScrapeSuccession]]>([:])

  private let key: Key
  private let successor = Mutex<Inheritance?>(nil)
  private let predecessor = Mutex<ScrapeSuccession?>(nil)

  init(_ key: Key) { self.key = key }

  /// Enters a pool that has started, and announces it to the one in whose place it comes.
  /// - Returns: what that one will hand over; nil when there is none.
  func enter() -> Inheritance? {
    let last = Self.running.withLock { running in
      defer { running[key, default: []].append(self) }
      return running[key]?.last
    }
    guard let last else { return nil }
    let inheritance = Inheritance()
    last.successor.withLock { $0 = inheritance }
    predecessor.withLock { $0 = last }
    return inheritance
  }

  /// Takes nothing more from the predecessor, which then tells the end of its series itself.
  func renounce() {
    let last = predecessor.withLock { $0.take() }
    last?.close()
  }

  /// Hands a target over, if there is a successor.
  /// - Returns: the state when there is none.
  func handOver(_ target: ScrapeTarget, _ state: consuming ScrapeState) -> ScrapeState? {
    var state: ScrapeState? = consume state
    successor.withLock { successor in
      if let successor, let given = state.take() { successor.put(target, given) }
    }
    return state
  }

  /// Says that nothing more is handed over.
  func close() {
    successor.withLock { $0.take() }?.isComplete.stop()
  }

  /// Takes out a pool that has ended, or never ran.
  func leave() {
    renounce()
    close()
    Self.running.withLock { running in
      running[key]?.removeAll { $0 === self }
      if running[key]?.isEmpty ?? false { running[key] = nil }
    }
  }
}
