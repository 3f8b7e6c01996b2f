package import ConfigSchema

/// Settings of an HTTP/1.1 server: the Collector's `confighttp` server block.
package struct HTTPServerConfig: ConfigGroup {
  /// host:port, or the path of a socket file when `transport` is `unix`.
  package var endpoint = "localhost:4318"
  package var transport = ListenTransport.tcp
  /// Nil for plaintext.
  package var tls: ServerTLSConfig?
  package var cors: CORSConfig?
  /// Applies to the decompressed body. Zero stands for the default, as in the Collector.
  package var maxRequestBodySize: ByteCount = .mebibytes(20)
  package var includeMetadata = false
  package var responseHeaders = ConfigMap<Secret>()
  package var compressionAlgorithms: [RequestCompression] = RequestCompression.allCases
  package var readTimeout: Duration = .zero
  package var readHeaderTimeout: Duration = .seconds(60)
  package var writeTimeout: Duration = .seconds(30)
  package var idleTimeout: Duration = .seconds(60)
  package var keepAlivesEnabled = true
  package var limits = ServerLimits()

  package var auth: ServerAuthConfig?

  package init() {}

  /// A server with another default address.
  package init(endpoint: String) { self.endpoint = endpoint }

  package static let fields: [Field<Self>] = [
    Field(
      "endpoint", \.endpoint, "Address to listen on, host:port; a path when `transport` is `unix`.",
      check: .nonEmpty),
    Field("transport", \.transport, "Kind of socket."),
    Field("cors", \.cors, "Which web pages may send from a browser; absent: none."),
    Field(
      "max_request_body_size", \.maxRequestBodySize,
      "Largest request body after decompression; 0 stands for 20MiB.", check: .atLeast(0)),
    Field(
      "include_metadata", \.includeMetadata, "Keep the request headers with the data, for later components."),
    Field("response_headers", \.responseHeaders, "Headers added to every answer."),
    Field(
      "compression_algorithms", \.compressionAlgorithms,
      "Content-Encodings accepted; `\"\"` stands for no compression."),
    Field(
      "read_timeout", \.readTimeout, "Longest time for reading one whole request; 0 sets no limit.",
      check: .atLeast(.zero)),
    Field(
      "read_header_timeout", \.readHeaderTimeout,
      "Longest time for reading the headers of one request; 0 sets no limit.", check: .atLeast(.zero)),
    Field(
      "write_timeout", \.writeTimeout,
      "Longest time a client may leave an answer unread; 0 sets no limit.", check: .atLeast(.zero)),
    Field(
      "idle_timeout", \.idleTimeout,
      "Longest pause between two requests, and within a request body; 0 sets no limit.",
      check: .atLeast(.zero)),
    Field("keep_alives_enabled", \.keepAlivesEnabled, "Whether a connection serves more than one request."),
    Field("limits", \.limits, "What all clients together may take."),
    Field("tls", \.tls, "Certificate and versions of TLS; plaintext when left out."),
    Field("auth", \.auth, "Who may send; absent: everybody."),
    .unsupported("middlewares", UnsupportedReason.middlewares),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if transport == .tcp, let problem = ListenAddress.problem(endpoint) {
      checker.error(\.endpoint, problem, help: "write host:port, such as localhost:4318")
    }
    if transport == .tcp, !checker.isPresent(\.tls), let warning = ListenAddress.exposure(endpoint) {
      checker.warning(\.endpoint, warning, help: ListenAddress.exposureHelp)
    }
    for header in responseHeaders {
      if !HTTPToken.isName(header.key) || !HTTPToken.isValue(header.value.reveal()) {
        checker.error(\.responseHeaders, at: header.key, "is not a valid HTTP header")
      }
    }
  }

  /// The limit that applies, in bytes.
  package var bodyLimit: Int { maxRequestBodySize.bytes == 0 ? 20 << 20 : maxRequestBodySize.bytes }
}

/// A Content-Encoding of requests.
package enum RequestCompression: String, ConfigEnum {
  /// No compression.
  case none = ""
  case gzip
  case zstd
  case zlib
  /// The snappy block format.
  case snappy
  case deflate
  /// The snappy framing format.
  case snappyFramed = "x-snappy-framed"
}
