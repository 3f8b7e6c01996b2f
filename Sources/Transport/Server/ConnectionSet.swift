internal import NIOCore
internal import Synchronization

/// The open connections of one server.
final class ConnectionSet: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  /// How many are open.
  var count: Int { state.withLock { $0.channels.count } }

  /// The open connections.
  var all: [any Channel] { state.withLock { Array($0.channels.values) } }

  /// Whether ``beginDraining()`` was called: connections that come late close at once.
  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// Marks the set, and returns the connections that are open.
  func beginDraining() -> [any Channel] {
    state.withLock {
      $0.isDraining = true
      return Array($0.channels.values)
    }
  }

  /// Counts a connection until it is closed.
  func insert(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    state.withLock { $0.channels[id] = channel }
    channel.closeFuture.whenComplete { _ in self.remove(id) }
  }

  private func remove(_ id: ObjectIdentifier) {
    let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.channels[id] = nil
      guard state.channels.isEmpty else { return [] }
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Returns when no connection is open.
  func waitUntilEmpty() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if !state.channels.isEmpty { state.waiters.append(continuation) }
        return state.channels.isEmpty
      }
      if isEmpty { continuation.resume() }
    }
  }
}
