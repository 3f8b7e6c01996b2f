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
