internal import NIOCore
internal import NIOPosix
internal import NativeCodecs
internal import Synchronization

/// The open connections of one server.
final class ConnectionSet: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false
    var waiters: [CheckedContinuation<Void, Never>] = []
    var nextRelief = NIODeadline.distantPast
    /// The most connections since memory was last given back.
    var peak = 0

    /// Whether so many connections have ended that their memory is worth giving back.
    mutating func endsPeak() -> Bool {
      guard peak >= 1000, channels.count <= peak / 4 else { return false }
      peak = channels.count
      return true
    }
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

  /// The event that asks a connection to give up what arrives too slowly, since the server holds as much as it may.
  struct MakeRoom: Sendable {}

  /// Asks every connection to make room, at most four times per second.
  ///
  /// Each is asked in a fresh turn of its event loop: the caller may be in the middle of receiving a body.
  func makeRoom() {
    let now = NIODeadline.now()
    let channels = state.withLock { state -> [any Channel] in
      guard now >= state.nextRelief else { return [] }
      state.nextRelief = now + .milliseconds(250)
      return Array(state.channels.values)
    }
    for channel in channels {
      channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(MakeRoom()) }
    }
  }

  /// Counts a connection until it is closed.
  func insert(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    state.withLock { state in
      state.channels[id] = channel
      state.peak = max(state.peak, state.channels.count)
    }
    channel.closeFuture.whenComplete { _ in self.remove(id) }
  }

  private func remove(_ id: ObjectIdentifier) {
    let (waiters, endsPeak) = state.withLock { state -> ([CheckedContinuation<Void, Never>], Bool) in
      state.channels[id] = nil
      let endsPeak = state.endsPeak()
      guard state.channels.isEmpty else { return ([], endsPeak) }
      defer { state.waiters = [] }
      return (state.waiters, endsPeak)
    }
    if endsPeak { NIOThreadPool.singleton.submit { _ in Allocator.giveBack() } }
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
