internal import ConfigSchema

/// Why a request got no answer: the connection, not the server, failed it.
///
/// The server may or may not have processed the request, except where `kind` is `unreachable`.
package struct ConnectionError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// No connection could be made, so nothing was sent.
    case unreachable
    /// The connection broke before the answer was complete.
    case interrupted
    /// The time for the request is over.
    case timedOut
    /// What came back is not the protocol.
    case malformed
    /// The client was shut down.
    case shutDown
  }

  package let kind: Kind
  /// host:port or URL of the server, without what lets somebody in.
  package let address: String
  /// In words, such as `connection refused`.
  package let reason: String

  package init(_ kind: Kind, address: String, reason: String) {
    self.kind = kind
    self.address = URLSecrets.masked(address)
    self.reason = reason
  }

  package var description: String {
    switch kind {
    case .unreachable: "cannot connect to \(address): \(reason)"
    case .interrupted: "connection to \(address) broke: \(reason)"
    case .timedOut: "no answer from \(address): \(reason)"
    case .malformed: "invalid answer from \(address): \(reason)"
    case .shutDown: "client of \(address) is shut down"
    }
  }
}
