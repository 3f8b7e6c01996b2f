internal import NIOCore
internal import NIOPosix

/// Turns the `endpoint` of a server into addresses to bind, the way Go's `net.Listen` does.
enum ListenAddress {
  /// What is wrong with a host:port, or nil. An empty host is fine: it means every address.
  static func problem(_ endpoint: String) -> String? { split(endpoint) == nil ? "is not host:port" : nil }

  /// The host without brackets, and the port; nil when the text is not host:port.
  static func split(_ endpoint: String) -> (host: String, port: Int)? {
    guard let colon = endpoint.lastIndex(of: ":"),
      let port = UInt16(endpoint[endpoint.index(after: colon)...])
    else { return nil }
    var host = endpoint[..<colon]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]") else { return nil }
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    return (String(host), Int(port))
  }

  /// What to say of an address that other machines reach in plaintext, or nil when it is loopback (or no address).
  ///
  /// Names other than `localhost` are not resolved: they count as reachable.
  static func exposure(_ endpoint: String) -> String? {
    guard let (host, _) = split(endpoint), !isLoopback(host) else { return nil }
    return
      "\(endpoint) is reachable from other machines in plaintext: anyone on the way can read and change the data"
  }

  static let exposureHelp =
    "set `tls` with cert_file and key_file, or listen on localhost; fine where the network is trusted, as within a pod"

  /// Whether a host is this machine, as far as its text tells.
  static func isLoopback(_ host: String) -> Bool {
    let host = host.lowercased()
    if host == "localhost" || host.hasSuffix(".localhost") { return true }
    guard let address = try? SocketAddress(ipAddress: host, port: 0), let text = address.ipAddress else {
      return false
    }
    return text == "::1" || text.hasPrefix("127.") || text.lowercased().hasPrefix("::ffff:127.")
  }

  /// The addresses to try in turn; the first that can be bound is the one.
  ///
  /// An empty host, `0.0.0.0` and `::` mean every address of both families where the system has both, and a name
  /// prefers IPv4, as in Go. `localhost` needs no resolver.
  static func candidates(host: String, port: Int) async throws -> [SocketAddress] {
    switch host {
    case "", "0.0.0.0", "::":
      return try [
        SocketAddress(ipAddress: "::", port: port), SocketAddress(ipAddress: "0.0.0.0", port: port),
      ]
    case "localhost":
      return try [
        SocketAddress(ipAddress: "127.0.0.1", port: port), SocketAddress(ipAddress: "::1", port: port),
      ]
    default:
      if let literal = try? SocketAddress(ipAddress: host, port: port) { return [literal] }
      return try await NIOThreadPool.singleton.runIfActive {
        [try SocketAddress.makeAddressResolvingHost(host, port: port)]
      }
    }
  }

  /// `127.0.0.1:4317`, `[::1]:4317`, or the path of a socket file.
  static func text(_ address: SocketAddress?) -> String {
    guard let address else { return "" }
    if let path = address.pathname { return path }
    guard let ip = address.ipAddress, let port = address.port else { return "" }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }
}
