internal import PipelineKit

extension RequestInterest {
  /// Adds what is wanted of a client that may send to the metadata of its request.
  ///
  /// - Parameters:
  ///   - peer: the client's address with its port; that of a unix socket is none.
  ///   - values: the values of a header by its lower-case name.
  func add(
    to metadata: inout [String: [String]], peer: String, _ authentication: RequestAuthentication?,
    _ values: (String) -> [String]
  ) {
    if wantsAddress, let address = Self.address(of: peer) {
      metadata[RequestMetadata.clientAddressKey] = [address]
    }
    guard wantsIdentity, let authentication else { return }
    for (name, known) in authentication.identity(values) {
      metadata[RequestMetadata.authenticationPrefix + name] = known
    }
  }

  /// The IP address alone; one of IPv4 as such, also on a socket of IPv6.
  private static func address(of peer: String) -> String? {
    guard let host = ListenAddress.split(peer)?.host else { return nil }
    let mapped = "::ffff:"
    return host.hasPrefix(mapped) && host.contains(".") ? String(host.dropFirst(mapped.count)) : host
  }
}
