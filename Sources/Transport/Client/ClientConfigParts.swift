package import ConfigSchema
package import NativeCodecs

/// How outgoing HTTP bodies are compressed.
package enum HTTPCompression: String, ConfigEnum {
  case none
  case gzip
  case zstd
  case zlib
  case deflate
  /// The snappy block format.
  case snappy
  /// The snappy framing format.
  case snappyFramed = "x-snappy-framed"

  package static var alternatives: [String: HTTPCompression] { ["": .none] }

  /// The codec; nil for none.
  package var algorithm: CompressionAlgorithm? { CompressionAlgorithm(contentEncoding: rawValue) }
}

/// How outgoing gRPC messages are compressed.
package enum GRPCCompression: String, ConfigEnum {
  case none
  case gzip
  case zstd
  /// The snappy framing format.
  case snappy

  package static var alternatives: [String: GRPCCompression] { ["": .none] }

  /// The codec; nil for none.
  package var algorithm: CompressionAlgorithm? { CompressionAlgorithm(grpcEncoding: rawValue) }
}

/// Parameters of a compression.
package struct CompressionParameters: ConfigGroup {
  /// Zero stands for the format's default.
  package var level = 0

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "level", \.level,
      "Compression level: 1 to 9 or -1 (default) for gzip, zlib and deflate; 1, 3, 6 or 11 for zstd; 0 for the default."
    )
  ]
}

/// Pings of a gRPC client on a connection on which nothing arrives.
package struct ClientKeepaliveConfig: ConfigGroup {
  package var time: Duration = .seconds(10)
  package var timeout: Duration = .seconds(10)
  package var permitWithoutStream = false

  package init() {}

  package static let fields: [Field<Self>] = [
    Field(
      "time", \.time,
      "Ping after so long without anything from the server; at least 10s is waited, 0 stands for 10s.",
      check: .atLeast(.zero)),
    Field(
      "timeout", \.timeout, "Close the connection when a ping is not answered in time; 0 stands for 20s.",
      check: .atLeast(.zero)),
    Field(
      "permit_without_stream", \.permitWithoutStream, "Ping also while no call is under way."),
  ]
}

/// Why keys of the client blocks are refused or have no effect: said once.
enum ClientKeyReason {
  static let middlewares = "extensions that wrap clients are not supported by this version: leave the key out"
  static let buffers = "buffers of connections are sized by the work at hand"
}

/// Checks of outgoing headers, the same for HTTP and gRPC.
enum ClientHeaders {
  /// What is wrong with a header, or nil.
  static func problem(name: String, value: Secret) -> String? {
    if !HTTPToken.isName(name) { return "is not a valid header name" }
    if !HTTPToken.isValue(value.reveal()) { return "has a value with characters that headers cannot carry" }
    return nil
  }
}
