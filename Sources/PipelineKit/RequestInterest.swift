import Synchronization

/// What those behind a receiver want to know of each request besides its headers: who sent it.
///
/// The engine keeps it up to date, also when a reload changes what is behind a receiver that stays. Asking costs one
/// load; a receiver looks nothing up that nobody wants.
public final class RequestInterest: Sendable {
  private static let address: UInt8 = 1
  private static let identity: UInt8 = 2
  private let wanted = Atomic<UInt8>(0)

  /// - Parameter keys: of request metadata that are worked with, headers among them.
  public init(_ keys: [String] = []) { replace(keys) }

  public func replace(_ keys: [String]) {
    var bits: UInt8 = 0
    for key in keys {
      if key == RequestMetadata.clientAddressKey { bits |= Self.address }
      if key.hasPrefix(RequestMetadata.authenticationPrefix) { bits |= Self.identity }
    }
    wanted.store(bits, ordering: .relaxed)
  }

  public var isEmpty: Bool { wanted.load(ordering: .relaxed) == 0 }
  /// Whether the client's address is wanted, as ``RequestMetadata/clientAddressKey``.
  public var wantsAddress: Bool { wanted.load(ordering: .relaxed) & Self.address != 0 }
  /// Whether what the client has proved to be is wanted, behind ``RequestMetadata/authenticationPrefix``.
  public var wantsIdentity: Bool { wanted.load(ordering: .relaxed) & Self.identity != 0 }
}
