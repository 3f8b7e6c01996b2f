/// Says where credentials would travel unprotected.
package enum ClientExposure {
  /// What to say of credentials that are sent to a URL, or nil when they are protected or stay on the machine.
  package static func ofCredentials(url: String) -> String? {
    guard url.lowercased().hasPrefix("http://") else { return nil }
    let authority = url.dropFirst(7).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let server = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
    return ofCredentials(host: HostAndPort.split(server).host)
  }

  /// The same for a host that is reached in plaintext.
  static func ofCredentials(host: String) -> String? {
    ListenAddress.isLoopback(host)
      ? nil : "credentials go to \(host) in plaintext: anyone on the way can read them; use TLS"
  }
}
