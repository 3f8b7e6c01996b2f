package import ConfigSchema

/// What one server lets its clients take, where the Collector has no key of its own.
///
/// The defaults are far above what well-behaved exporters need, and keep a server that nobody tuned within a few
/// hundred mebibytes whatever its clients do. Each refusal is counted by its ``RefusalReason``.
package struct ServerLimits: ConfigGroup {
  /// Connections open at one time; zero sets no limit. Those beyond it are closed as soon as they are accepted.
  package var maxConnections = 10_000
  /// The same for one client address; zero sets no limit, since many senders may share the address of a proxy.
  package var maxConnectionsPerPeer = 0
  /// Names and values of the headers of one request. Go's servers take 1 MiB; exporters send less than 1 KiB, and the
  /// largest tokens have about 16 KiB.
  package var maxHeaderBytes: ByteCount = .kibibytes(32)
  /// Header fields of one request, trailers included.
  package var maxHeaderCount = 256
  /// How many bytes a compressed body may become per byte received, beyond the first ``freeOutput`` bytes; zero sets no
  /// limit. With gzip, batches of telemetry compress 5 to 50 times and records that are the same to the last bit
  /// about 300 times; a bomb is made to reach a thousand times, and with zstd much more.
  package var maxDecompressionRatio = 500
  /// Bytes of requests held at one time, from the first byte received to the answer.
  package var maxInflightBytes: ByteCount = .mebibytes(64)

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "max_connections", \.maxConnections,
      "Connections open at one time; more are closed when they are accepted. 0 sets no limit.",
      check: .range(0...1_000_000)),
    Field(
      "max_connections_per_peer", \.maxConnectionsPerPeer,
      "Connections of one client address; 0 sets no limit.", check: .range(0...1_000_000)),
    Field(
      "max_header_bytes", \.maxHeaderBytes, "Names and values of the headers of one request together.",
      check: .range(.kibibytes(1) ... .mebibytes(1))),
    Field(
      "max_header_count", \.maxHeaderCount, "Header fields of one request.", check: .range(8...10_000)),
    Field(
      "max_decompression_ratio", \.maxDecompressionRatio,
      "Times its size that a compressed body may become, beyond the first MiB; 0 sets no limit.",
      check: .range(0...1_000_000)),
    Field(
      "max_inflight_bytes", \.maxInflightBytes,
      "Bytes of requests held at one time; one body of the largest size always has room.",
      check: .atLeast(.mebibytes(1))),
  ]

  /// Decompressed bytes that no ratio is asked of: little enough to be harmless, and small bodies compress best.
  static let freeOutput = 1 << 20
}

/// What one gRPC server lets its clients take: besides the limits of every server, those of HTTP/2.
package struct GRPCServerLimits: ConfigGroup {
  package var shared = ServerLimits()
  /// Requests open on all connections together. An open request costs about 1 KiB besides its message.
  package var maxStreams = 50_000
  /// From accepting to the client's confirmation of the server's settings.
  package var handshakeTimeout: Duration = .seconds(60)
  /// gRPC itself has no such limit; a unary client sends in one go, and what is received meanwhile is memory.
  package var stallTimeout: Duration = .seconds(60)
  /// As in the HTTP server.
  package var writeTimeout: Duration = .seconds(30)
  /// Requests given up by the client, or broken so that the server has to reset them. A client whose deadlines pass
  /// all at once may do many, and then connects again.
  package var maxResetsPerSecond = 100
  /// PING, SETTINGS, PRIORITY and WINDOW_UPDATE frames each; a fifth of it may come at once. Clients that estimate
  /// their bandwidth ping once per round trip.
  package var maxControlFramesPerSecond = 500

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.shared),
    Field(
      "max_streams", \.maxStreams, "Requests open on all connections together.",
      check: .range(1...10_000_000)),
    Field(
      "handshake_timeout", \.handshakeTimeout,
      "Longest time in which a new connection must show that it speaks HTTP/2.",
      check: .atLeast(.milliseconds(1))),
    Field(
      "stall_timeout", \.stallTimeout,
      "Longest pause within a request, and longest time for one header block.",
      check: .atLeast(.milliseconds(1))),
    Field(
      "write_timeout", \.writeTimeout, "Longest time a client may leave an answer unread.",
      check: .atLeast(.milliseconds(1))),
    Field(
      "max_resets_per_second", \.maxResetsPerSecond,
      "Requests per second and connection that may end in a reset.", check: .range(1...1000)),
    Field(
      "max_control_frames_per_second", \.maxControlFramesPerSecond,
      "PING, SETTINGS, PRIORITY and WINDOW_UPDATE frames per second and connection.",
      check: .range(5...10_000)),
  ]
}
