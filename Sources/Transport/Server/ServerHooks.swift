internal import ConfigSchema
internal import Logging
package import PipelineKit

/// What a server asks and tells whoever runs it, besides handing requests to its handler.
package struct ServerHooks: Sendable {
  /// Whose server it is: a later one of the same owner at the same address takes over its socket.
  package var owner: ServerOwner?
  /// What has to come along with requests besides their headers; nil when nothing does.
  package var interest: RequestInterest?
  /// Decides who may send; nil lets everybody in.
  package var authenticator: (any ServerAuthenticator)?
  /// Why no request can be taken at present, asked before a request is read; nil when one can.
  package var gate: (@Sendable () -> String?)?
  /// Told of each refusal below the handler, on event loops.
  package var refused: (@Sendable (RefusalReason) -> Void)?
  /// Told of each connection that opens (1) and that closes (-1).
  package var connectionsChanged: (@Sendable (Int) -> Void)?
  /// Bounds the bytes of requests over all servers of the process; nil leaves it at the bound of the server.
  package var requests: ByteBudget?
  /// Told of each client that may not send, with its address and why, on any thread.
  package var denied: (@Sendable (_ peer: String, _ reason: String) -> Void)?

  package init(
    authenticator: (any ServerAuthenticator)? = nil, gate: (@Sendable () -> String?)? = nil,
    refused: (@Sendable (RefusalReason) -> Void)? = nil, requests: ByteBudget? = nil,
    denied: (@Sendable (_ peer: String, _ reason: String) -> Void)? = nil
  ) {
    self.authenticator = authenticator
    self.gate = gate
    self.refused = refused
    self.requests = requests
    self.denied = denied
  }

  /// The hooks of a component's server: the authenticator that its configuration names, its intake gate, and the
  /// counter `millrace_server_refusals{component,transport,reason}`, and the gauge
  /// `millrace_server_connections{component,transport}`.
  ///
  /// - Throws: a `StartError` when the extension is no authenticator.
  package init(_ auth: ServerAuthConfig?, transport: String, context: ComponentContext) throws {
    if let authenticator = auth?.authenticator {
      self.authenticator = try context.extensions.find(authenticator, as: (any ServerAuthenticator).self)
      let failures = RateLimitedLog(context.logger, clock: context.clock)
      denied = { peer, reason in
        failures.log(
          .warning, "a client failed to authenticate",
          metadata: ["transport": "\(transport)", "peer": "\(peer)", "reason": "\(reason)"])
      }
    }
    owner = ServerOwner(
      collector: ObjectIdentifier(context.metrics), component: context.id, transport: transport)
    interest = context.interest
    let gate = context.gate
    self.gate = { gate.refusal }
    requests = context.memory.requests
    let cells = RefusalReason.allCases.map { reason in
      context.metrics.counter(
        "millrace_server_refusals", help: "Requests and connections that a server refused, by reason.",
        labels: [
          ("component", context.id.description), ("transport", transport), ("reason", reason.rawValue),
        ])
    }
    refused = { reason in cells[reason.index].add(1) }
    let open = context.metrics.gauge(
      "millrace_server_connections", help: "Connections of clients that are open.",
      labels: [("component", context.id.description), ("transport", transport)])
    connectionsChanged = { change in open.add(change) }
  }
}

/// Who replaces a server: the same component of the same collector, for the same protocol.
package struct ServerOwner: Hashable, Sendable {
  let collector: ObjectIdentifier
  let component: ComponentID
  let transport: String
}

/// Why a server refused a connection or a request before its handler saw it.
package enum RefusalReason: String, Sendable, CaseIterable {
  /// As many connections are open as may be.
  case connections
  /// As many requests are open on the connection as may be.
  case streams
  /// The header block is too large, has too many fields, or cannot be decompressed.
  case headers
  /// The request's body or message is too large.
  case bodySize = "body_size"
  /// The body decompresses to too many times its size.
  case compressionRatio = "compression_ratio"
  /// The body cannot be decompressed, or is compressed in a way that is not accepted.
  case encoding
  /// The bytes are not the protocol: malformed HTTP or HTTP/2.
  case malformed
  /// The server holds as many bytes of requests as it may.
  case overload
  /// The collector takes nothing at present (`memory_limiter`).
  case gate
  /// Credentials are missing or wrong.
  case authentication
  /// The TLS handshake failed.
  case tlsHandshake = "tls_handshake"
  /// The client took too long to send a request.
  case slowRequest = "slow_request"
  /// The client did not read its answers.
  case slowReader = "slow_reader"
  /// Too many streams were reset, by the client (rapid reset) or because of its mistakes.
  case resets
  /// Too many control frames: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, CONTINUATION.
  case controlFrames = "control_frames"

  var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
