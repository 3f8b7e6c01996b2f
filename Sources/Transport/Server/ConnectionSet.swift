internal import NIOCore
internal import NIOPosix
internal import NativeCodecs
internal import Synchronization

/// The open connections of one server.
final class ConnectionSet: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    /// Connections by client address; empty unless they are limited.
    var peers: [String: Int] = [:]
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

  /// How many connections one set takes.
  struct Limits: Sendable {
    var total = Int.max
    var perPeer = Int.max

    init() {}

    init(_ limits: ServerLimits) {
      if limits.maxConnections > 0 { total = limits.maxConnections }
      if limits.maxConnectionsPerPeer > 0 { perPeer = limits.maxConnectionsPerPeer }
    }
  }

  private let state = Mutex(State())
  private let limits: Limits
  private let changed: (@Sendable (Int) -> Void)?

  /// - Parameter changed: told of each connection that opens (1) and that closes (-1).
  init(limits: Limits = Limits(), changed: (@Sendable (Int) -> Void)? = nil) {
    self.limits = limits
    self.changed = changed
  }

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

  /// Counts a connection until it is closed; false when there are as many as may be.
  func insert(_ channel: any Channel) -> Bool {
    let id = ObjectIdentifier(channel)
    let peer = limits.perPeer == .max ? nil : channel.remoteAddress?.ipAddress
    let isTaken = state.withLock { state in
      guard state.channels.count < limits.total else { return false }
      if let peer {
        let count = state.peers[peer, default: 0]
        guard count < limits.perPeer else { return false }
        state.peers[peer] = count + 1
      }
      state.channels[id] = channel
      state.peak = max(state.peak, state.channels.count)
      return true
    }
    guard isTaken else { return false }
    changed?(1)
    channel.closeFuture.whenComplete { _ in self.remove(id, peer) }
    return true
  }

  private func remove(_ id: ObjectIdentifier, _ peer: String?) {
    changed?(-1)
    let (waiters, endsPeak) = state.withLock { state -> ([CheckedContinuation<Void, Never>], Bool) in
      state.channels[id] = nil
      if let peer, let count = state.peers[peer] { state.peers[peer] = count > 1 ? count - 1 : nil }
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
