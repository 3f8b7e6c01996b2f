import ConfigSchema

/// A component configuration that uses every kind of field.
struct SampleConfig: ConfigGroup {
  var endpoint = "localhost:4317"
  var timeout: Duration = .seconds(5)
  var compression = Compression.gzip
  var token: Secret = ""
  var headers: ConfigMap<Secret> = [:]
  var grpc: ServerSection?
  var http: ServerSection?
  var queue = QueueSection()
  var retry = RetrySection()
  var tags: [String] = []
  var ratio: Double = 0.5
  var limit: Int?
  var maxBody: ByteCount = .mebibytes(20)
  var verbose = false
  var raw: ConfigNode?

  static let fields: [Field<Self>] = [
    Field(
      "endpoint", \.endpoint, "Where to send to, host:port.", check: .all(.nonEmpty, .hostPort),
      aliases: ["address"]),
    Field("timeout", \.timeout, "How long one attempt may take.", check: .atLeast(.zero)),
    Field("compression", \.compression, "How bodies are compressed."),
    Field("token", \.token, "Sent as a bearer token."),
    Field("headers", \.headers, "Sent with every request."),
    Field("grpc", \.grpc, "Serves gRPC."),
    Field(
      "http", \.http, "Serves HTTP.", initial: ServerSection(endpoint: "localhost:4318")),
    Field("sending_queue", \.queue, "Holds what waits to be sent."),
    .group(\.retry),
    Field("tags", \.tags, "Words to attach."),
    Field("ratio", \.ratio, "The share to keep.", check: .range(0...1)),
    Field("limit", \.limit, "How many at most.", check: .atLeast(1)),
    Field("max_body", \.maxBody, "The largest body."),
    Field("verbose", \.verbose, "Whether to say more."),
    Field("raw", \.raw, "Decoded later."),
    .unsupported("tpm", "keys in a TPM cannot be used; use key_file"),
    .accepted("use_internal_logger", "output always goes to the standard output"),
    .deprecated("queue_length", use: "sending_queue.queue_size", \.queue.size),
  ]

  func check(_ checker: inout ConfigChecker) {
    if queue.minSize > queue.size {
      checker.error(
        \.queue.minSize, "must not be larger than queue_size, which is \(queue.size)",
        help: "lower min_size or raise queue_size")
    }
    if verbose, tags.isEmpty { checker.warning(\.tags, "verbose output without tags says little") }
  }

  enum Compression: String, ConfigEnum { case gzip, zstd, snappy, none }
}

struct ServerSection: ConfigGroup {
  var endpoint = "localhost:4317"
  var maxStreams = 0

  init(endpoint: String) { self.endpoint = endpoint }
  init() {}

  static let fields: [Field<Self>] = [
    Field("endpoint", \.endpoint, "Address to listen on, host:port.", check: .hostPort),
    Field("max_concurrent_streams", \.maxStreams, "Streams per connection; 0 means no limit."),
  ]
}

struct QueueSection: ConfigGroup {
  var enabled = true
  var size = 1000
  var minSize = 0

  static let fields: [Field<Self>] = [
    Field("enabled", \.enabled, "Whether to queue."),
    Field("queue_size", \.size, "How many may wait.", check: .atLeast(1)),
    Field("min_size", \.minSize, "The smallest batch."),
  ]
}

struct RetrySection: ConfigGroup {
  var initialInterval: Duration = .seconds(5)
  var maxInterval: Duration = .seconds(30)

  static let fields: [Field<Self>] = [
    Field("initial_interval", \.initialInterval, "The first pause."),
    Field("max_interval", \.maxInterval, "The longest pause."),
  ]

  func check(_ checker: inout ConfigChecker) {
    if initialInterval > maxInterval {
      checker.error(\.maxInterval, "must not be shorter than initial_interval")
    }
  }
}
