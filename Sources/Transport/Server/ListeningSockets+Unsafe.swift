internal import Glibc
internal import NIOCore
internal import Synchronization

/// The listening sockets of this process, for servers that take the place of another one.
///
/// A server listens on the very socket of its predecessor, so that no client is refused between the two. Who may follow
/// whom is told by the place: an address that two servers want by mistake stays in use.
final class ListeningSockets: Sendable {
  /// Where a server listens, and whose it is.
  struct Place: Hashable {
    let owner: ServerOwner
    let endpoint: String
  }

  static let ofProcess = ListeningSockets()

  private let channels = Mutex<[Place: [any Channel]]>([:])

  /// Another descriptor of the socket that listens at `place`, the caller's own; nil when none does.
  ///
  /// Whoever listens there accepts no more: what two event loops wait for, one of them finds gone.
  func takeOver(at place: Place) async -> CInt? {
    guard let channel = current(at: place) else { return nil }
    // On its event loop the channel cannot be closed meanwhile, and another file take the number.
    let descriptor = try? await channel.eventLoop.submit {
      let descriptor = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) {
        fcntl($0, F_DUPFD_CLOEXEC, 0)
      }
      guard let descriptor, descriptor >= 0 else { return CInt?.none }
      try channel.syncOptions?.setOption(.autoRead, value: false)
      return descriptor
    }.get()
    return descriptor ?? nil
  }

  func add(_ channel: any Channel, at place: Place) {
    channels.withLock { $0[place, default: []].append(channel) }
  }

  /// Forgets a channel, which is closed; the one whose socket it had taken over accepts again if it is still there.
  func remove(_ channel: any Channel, at place: Place) async {
    let wasCurrent = channels.withLock { channels in
      let wasCurrent = channels[place]?.last === channel
      channels[place]?.removeAll { $0 === channel }
      if channels[place]?.isEmpty ?? false { channels[place] = nil }
      return wasCurrent
    }
    if wasCurrent { await giveBack(at: place) }
  }

  /// Lets whoever listens at a place accept again.
  func giveBack(at place: Place) async {
    try? await current(at: place)?.setOption(.autoRead, value: true).get()
  }

  private func current(at place: Place) -> (any Channel)? { channels.withLock { $0[place]?.last } }
}
