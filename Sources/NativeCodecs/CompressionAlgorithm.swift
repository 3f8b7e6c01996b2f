/// A compressed byte format that this module reads and writes; the raw value is its HTTP content-coding name.
package enum CompressionAlgorithm: String, Sendable, CaseIterable {
  /// RFC 1952; several members one after the other are read as one stream.
  case gzip
  /// RFC 1950.
  case zlib
  /// What HTTP calls `deflate`: RFC 1950 when written; a raw RFC 1951 stream is recognised when read.
  case deflate
  /// RFC 8878; several frames one after the other are read as one stream.
  case zstd
  /// One snappy block, with its length up front. HTTP's `snappy`, and remote write.
  case snappy
  /// The snappy framing format with CRC-32C per chunk. gRPC's `snappy` and HTTP's `x-snappy-framed`.
  case snappyFramed = "x-snappy-framed"

  /// The algorithm an HTTP `Content-Encoding` names, in any letter case; nil for `identity` and unknown names.
  package init?(contentEncoding: some StringProtocol) {
    switch contentEncoding.lowercased() {
    case "gzip", "x-gzip": self = .gzip
    case "zlib": self = .zlib
    case "deflate": self = .deflate
    case "zstd": self = .zstd
    case "snappy": self = .snappy
    case "x-snappy-framed": self = .snappyFramed
    default: return nil
    }
  }

  /// The algorithm a `grpc-encoding` names; nil for `identity` and unknown names.
  ///
  /// gRPC's `snappy` is the framing format, as Go's codec of that name writes it.
  package init?(grpcEncoding: some StringProtocol) {
    switch grpcEncoding.lowercased() {
    case "gzip": self = .gzip
    case "deflate": self = .deflate
    case "zstd": self = .zstd
    case "snappy": self = .snappyFramed
    default: return nil
    }
  }

  /// The name in `Content-Encoding`.
  package var contentEncoding: String { rawValue }

  /// The name in `grpc-encoding`, or nil for formats gRPC has no name for.
  package var grpcEncoding: String? {
    switch self {
    case .gzip: "gzip"
    case .deflate: "deflate"
    case .zstd: "zstd"
    case .snappyFramed: "snappy"
    case .zlib, .snappy: nil
    }
  }

  /// The compression levels that may be asked for, as the Collector lists them; -1 is the format's default.
  ///
  /// Empty for the snappy formats, which have none.
  package var levels: [Int] {
    switch self {
    case .gzip, .zlib, .deflate: [-1] + Array(1...9)
    case .zstd: [1, 3, 6, 11]
    case .snappy, .snappyFramed: []
    }
  }
}
