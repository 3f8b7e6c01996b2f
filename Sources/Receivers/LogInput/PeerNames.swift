internal import Dispatch
internal import NativeCodecs
internal import Synchronization

/// The names of the addresses that a receiver hears from: looked up beside the work, once each.
///
/// Until a name is known, and where there is none, the address stands for it.
final class PeerNames: Sendable {
  private static let most = 10_000
  private let names = Mutex<[String: String?]>([:])
  private let queue = DispatchQueue(label: "millrace.names")

  /// The name of an address, and whether it will not change.
  func name(of address: String) -> (text: String, isFinal: Bool) {
    let known = names.withLock { names -> String?? in
      if let known = names[address] { return known }
      // Who comes from so many addresses gets no names for the others.
      if names.count < Self.most { names[address] = .some(nil) }
      return nil
    }
    if let known { return known.map { ($0, true) } ?? (address, false) }
    queue.async { [weak self] in
      let name = HostNames.name(ofAddress: address) ?? address
      self?.names.withLock { names in if names[address] != nil { names[address] = name } }
    }
    return (address, false)
  }
}
