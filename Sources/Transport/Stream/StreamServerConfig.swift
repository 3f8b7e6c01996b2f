package import ConfigSchema

/// Settings of a ``StreamServer``, spelled as the Collector's `tcplog` receiver has them.
package struct StreamServerConfig: ConfigGroup {
  package var listenAddress = ""
  /// Nil for plaintext.
  package var tls: ServerTLSConfig?
  /// Zero sets no limit.
  package var maxConnections = 10_000
  package var connectionIdleTimeout: Duration = .zero

  package init() {}

  package static let fields: [Field<Self>] = [
    Field("listen_address", \.listenAddress, "Address to listen on, host:port.", required: true),
    Field("tls", \.tls, "Certificate and versions of TLS; plaintext when left out."),
    Field(
      "max_connections", \.maxConnections,
      "Connections open at one time; more are closed when they are accepted. 0 sets no limit.",
      check: .range(0...1_000_000)),
    Field(
      "connection_idle_timeout", \.connectionIdleTimeout,
      "Close a connection over which nothing came for so long; 0 never does.", check: .atLeast(.zero)),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if checker.isPresent(\.listenAddress), let problem = ListenAddress.problem(listenAddress) {
      checker.error(\.listenAddress, problem, help: "write host:port, such as localhost:54525")
    }
    if !checker.isPresent(\.tls), let warning = ListenAddress.exposure(listenAddress) {
      checker.warning(\.listenAddress, warning, help: ListenAddress.exposureHelp)
    }
  }

  var limits: ServerLimits {
    var limits = ServerLimits()
    limits.maxConnections = maxConnections
    return limits
  }
}
