import PipelineKit
import Synchronization
import TelemetryData

/// The way from one node to the next ones, with the inline processors and fan-outs between them.
struct Route: Sendable {
  let consumer: any Consumer
  /// The nodes that it ends at.
  let doorways: [Doorway]
}

/// Counts the ways that lead to a node, so that it is closed only once nobody can send to it any more.
final class Doorway: Sendable {
  private struct State {
    var ways = 0
    var waiters: [CheckedContinuation<Void, Never>] = []
  }
  private let state = Mutex(State())

  func open() { state.withLock { $0.ways += 1 } }

  func close() {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      state.ways -= 1
      guard state.ways == 0 else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Suspends until no way leads here.
  func waitUntilUnused() async {
    await withCheckedContinuation { continuation in
      let isUnused = state.withLock { state in
        if state.ways > 0 { state.waiters.append(continuation) }
        return state.ways == 0
      }
      if isUnused { continuation.resume() }
    }
  }
}

/// A place in the graph whose way on can be changed while data flows.
///
/// A delivery goes the way that stood when it came; the old one is given up once the last delivery on it has been handed
/// on, which the ``Doorway`` of each node it led to then knows. Costs a lock and a reference per delivery.
final class SwitchPoint: Consumer {
  /// A route for as long as somebody is on it.
  private final class Way: Sendable {
    let consumer: any Consumer
    private let doorways: [Doorway]

    init(_ route: Route) {
      consumer = route.consumer
      doorways = route.doorways
      for doorway in doorways { doorway.open() }
    }

    deinit {
      for doorway in doorways { doorway.close() }
    }
  }

  private let way = Mutex<Way?>(nil)
  private let ledger: Ledger

  /// A switch that leads nowhere yet: whatever comes is refused, and booked so.
  init(ledger: Ledger) { self.ledger = ledger }

  /// Leads what comes from now on along `route`.
  func point(to route: Route) { replace(Way(route)) }

  /// Leads nowhere any more.
  func close() { replace(nil) }

  private func replace(_ next: Way?) {
    // The old way may be the last of its kind, and must not end under the lock.
    let previous = way.withLock { way in
      defer { way = next }
      return way
    }
    withExtendedLifetime(previous) {}
  }

  func offer(_ delivery: consuming Delivery) {
    guard let way = way.withLock({ $0 }) else { return refuse(delivery) }
    defer { withExtendedLifetime(way) {} }
    way.consumer.offer(delivery)
  }

  func send(_ delivery: consuming Delivery) async {
    guard let way = way.withLock({ $0 }) else { return refuse(delivery) }
    defer { withExtendedLifetime(way) {} }
    await way.consumer.send(delivery)
  }

  private func refuse(_ delivery: consuming Delivery) {
    let batch = delivery.batch
    ledger.record(
      delivery.completion.isAwaited ? .refused : .dropped, batch.itemCount, signal: batch.signal,
      reason: "shutting_down")
    delivery.resolve(.refused(reason: "the collector is shutting down", after: .seconds(1)))
  }
}
