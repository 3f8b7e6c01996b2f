package import ConfigSchema

/// Settings of a gRPC server: the Collector's `configgrpc` server block.
package struct GRPCServerConfig: ConfigGroup {
  /// host:port, or the path of a socket file when `transport` is `unix`.
  package var endpoint = "localhost:4317"
  package var transport = ListenTransport.tcp
  /// Nil for plaintext.
  package var tls: ServerTLSConfig?
  /// Mebibytes; applies before and after decompression. Zero stands for the default.
  package var maxRecvMsgSizeMiB = 4
  /// Zero stands for no limit of the user's; the server then allows ``defaultConcurrentStreams``.
  package var maxConcurrentStreams = 0
  package var keepalive: KeepaliveServerConfig?
  package var includeMetadata = false
  package var limits = GRPCServerLimits()

  package var auth: ServerAuthConfig?

  package init() {}

  /// A server with another default address.
  package init(endpoint: String) { self.endpoint = endpoint }

  package static let fields: [Field<Self>] = [
    Field(
      "endpoint", \.endpoint, "Address to listen on, host:port; a path when `transport` is `unix`.",
      check: .nonEmpty),
    Field("transport", \.transport, "Kind of socket."),
    Field(
      "max_recv_msg_size_mib", \.maxRecvMsgSizeMiB,
      "Largest message in MiB, before and after decompression; 0 stands for 4.", check: .range(0...2047)),
    Field(
      "max_concurrent_streams", \.maxConcurrentStreams,
      "Requests that one connection may have open; 0 stands for 4096.", check: .range(0...0x7FFF_FFFF)),
    Field("keepalive", \.keepalive, "Pings and the life of connections."),
    Field(
      "include_metadata", \.includeMetadata, "Keep the request metadata with the data, for later components."),
    Field("limits", \.limits, "What all clients together may take."),
    .accepted("read_buffer_size", "the read buffer adapts to the traffic"),
    .accepted("write_buffer_size", "answers that are ready together are written together"),
    Field("tls", \.tls, "Certificate and versions of TLS; plaintext when left out."),
    Field("auth", \.auth, "Who may send; absent: everybody."),
    .unsupported("middlewares", UnsupportedReason.middlewares),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if transport == .tcp, let problem = ListenAddress.problem(endpoint) {
      checker.error(\.endpoint, problem, help: "write host:port, such as localhost:4317")
    }
    if transport == .tcp, !checker.isPresent(\.tls), let warning = ListenAddress.exposure(endpoint) {
      checker.warning(\.endpoint, warning, help: ListenAddress.exposureHelp)
    }
  }

  /// Streams allowed per connection when the user sets no limit: enough for any exporter, and a bound.
  static let defaultConcurrentStreams = 4096

  /// The limit that applies, in bytes.
  var messageLimit: Int { (maxRecvMsgSizeMiB == 0 ? 4 : maxRecvMsgSizeMiB) << 20 }

  /// The streams that one connection may have open.
  var streamLimit: Int { maxConcurrentStreams == 0 ? Self.defaultConcurrentStreams : maxConcurrentStreams }
}
