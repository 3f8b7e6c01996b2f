import Synchronization

/// Bounds the bytes of the requests that all servers of the process are receiving or have not answered.
///
/// Each server has a bound of its own; this one keeps many servers from adding up.
public final class ByteBudget: Sendable {
  private struct Server {
    weak let owner: (any AnyObject & Sendable)?
    let makeRoom: @Sendable () -> Void
  }
  private let limitBytes: Atomic<Int>
  private let heldBytes = Atomic<Int>(0)
  /// The largest single request that must fit.
  private let leastBytes = Atomic<Int>(0)
  private let servers = Mutex<[Server]>([])

  /// - Parameter limit: in bytes.
  public init(limit: Int) { limitBytes = Atomic(limit) }

  /// Bytes that may be held: what was set, or more where the largest single request needs it.
  public var limit: Int {
    max(limitBytes.load(ordering: .relaxed), leastBytes.load(ordering: .relaxed))
  }
  /// Bytes held now.
  public var held: Int { heldBytes.load(ordering: .relaxed) }
  /// Whether nothing more can be taken.
  public var isExhausted: Bool { held >= limit }

  /// Changes the limit; what is held already stays.
  public func setLimit(_ bytes: Int) { limitBytes.store(bytes, ordering: .relaxed) }

  /// Joins a server: one request of `largest` bytes always has room when nothing else is held, and `makeRoom` is called,
  /// on any thread, whenever another server finds none.
  public func join(
    _ owner: any AnyObject & Sendable, largest: Int, makeRoom: @escaping @Sendable () -> Void
  ) {
    leastBytes.max(largest, ordering: .relaxed)
    servers.withLock { servers in
      servers.removeAll { $0.owner == nil }
      servers.append(Server(owner: owner, makeRoom: makeRoom))
    }
  }

  /// Takes bytes, or takes none and returns false when that would go over the limit.
  public func take(_ bytes: Int) -> Bool {
    if heldBytes.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit { return true }
    heldBytes.wrappingSubtract(bytes, ordering: .relaxed)
    for server in servers.withLock({ $0 }) where server.owner != nil { server.makeRoom() }
    return false
  }

  /// Gives bytes back.
  public func give(_ bytes: Int) { heldBytes.wrappingSubtract(bytes, ordering: .relaxed) }
}
