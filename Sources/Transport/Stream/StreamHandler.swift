/// What stands behind a ``StreamServer``. Called on event loops: implementations never block.
package protocol StreamHandler: Sendable {
  /// Takes a new connection: the reader gets all that comes over it.
  func open(_ peer: StreamPeer, on lane: StreamLane) -> any StreamReader

  /// Called some milliseconds after bytes came on a lane, once for all of them, however many connections they came
  /// over: what was gathered from them can go on.
  func gathered(on lane: StreamLane)
}

/// What reads one connection. Confined to the event loop of its connection.
package protocol StreamReader: AnyObject {
  /// Takes bytes as they came.
  func received(_ bytes: Span<UInt8>)

  /// Nothing more comes: the peer has closed, or the server does. Called once.
  func ended()
}

/// The two ends of a connection.
package struct StreamPeer: Sendable, Hashable {
  /// The client's address; empty when unknown.
  package let remote: HostPort
  /// The address that the client has connected to.
  package let local: HostPort

  package init(remote: HostPort, local: HostPort) {
    self.remote = remote
    self.local = local
  }
}

/// An IP address in text, without brackets, and a port.
package struct HostPort: Sendable, Hashable, CustomStringConvertible {
  package let host: String
  package let port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// `127.0.0.1:514` or `[::1]:514`; empty when unknown.
  package var description: String {
    host.isEmpty ? "" : host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
