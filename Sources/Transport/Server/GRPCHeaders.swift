internal import NIOCore
internal import NIOHPACK
internal import NativeCodecs
internal import PipelineKit

/// The header blocks of gRPC requests and answers.
enum GRPCHeaders {
  /// The encodings that the server reads, as `grpc-accept-encoding` lists them.
  static let acceptEncoding = "identity,deflate,gzip,zstd,snappy"

  /// The head of every answer that has a message. Constant, so that after its first use on a connection it is a
  /// few bytes of references into the compression table.
  static let success: HPACKHeaders = [
    ":status": "200", "content-type": "application/grpc", "grpc-accept-encoding": acceptEncoding,
  ]

  /// The end of every answer that has a message.
  static let successTrailers: HPACKHeaders = ["grpc-status": "0"]

  /// An answer that is an error: head and end in one block.
  static func failure(_ failure: GRPCFailure) -> HPACKHeaders {
    var headers = HPACKHeaders()
    headers.reserveCapacity(6)
    headers.add(name: ":status", value: String(failure.httpStatus))
    headers.add(name: "content-type", value: "application/grpc")
    headers.add(name: "grpc-accept-encoding", value: acceptEncoding)
    headers.add(name: "grpc-status", value: String(failure.code.rawValue))
    if !failure.message.isEmpty {
      headers.add(
        name: "grpc-message", value: GRPCText.percentEncoded(failure.message), indexing: .nonIndexable)
    }
    if let details = failure.details {
      headers.add(
        name: "grpc-status-details-bin", value: GRPCText.base64(details), indexing: .nonIndexable)
    }
    return headers
  }

  /// Reads the head of a request in one pass.
  static func request(
    _ headers: HPACKHeaders, _ shared: GRPCConnection.Shared, peer: String, now: NIODeadline
  ) throws(GRPCFailure) -> GRPCStream {
    var method = ""
    var path = ""
    var contentType = ""
    var encoding = GRPCStream.Encoding.identity
    var deadline: NIODeadline?
    guard headers.count <= shared.limits.maxHeaderCount else {
      throw GRPCFailure(
        .resourceExhausted, "more than \(shared.limits.maxHeaderCount) header fields", httpStatus: 431,
        reason: .headers)
    }
    for (name, value, _) in headers {
      switch name {
      case ":method": method = value
      case ":path": path = value
      case "content-type": contentType = value
      case "grpc-encoding":
        if let algorithm = CompressionAlgorithm(grpcEncoding: value) {
          encoding = .known(algorithm)
        } else if !value.isEmpty, value != "identity" {
          encoding = .unknown(String(value.prefix(64)))
        }
      case "grpc-timeout":
        guard let nanoseconds = GRPCText.timeoutNanoseconds(value) else {
          throw GRPCFailure(
            .internalError, "malformed grpc-timeout \"\(value.prefix(32))\"", reason: .malformed)
        }
        deadline = now + .nanoseconds(nanoseconds)
      default: break
      }
    }
    guard method == "POST" else {
      throw GRPCFailure(.internalError, "the method is \(method.prefix(32)), gRPC uses POST", httpStatus: 405)
    }
    guard isGRPC(contentType) else {
      throw GRPCFailure(
        .invalidArgument, "invalid gRPC request content-type \"\(contentType.prefix(64))\"", httpStatus: 415)
    }
    guard shared.handler.admits(path: path) else {
      throw GRPCFailure(.unimplemented, "unknown method \(path.prefix(256))")
    }
    var metadata = shared.includesMetadata ? metadata(headers) : [:]
    if let interest = shared.hooks.interest, !interest.isEmpty {
      interest.add(to: &metadata, peer: peer, shared.authentication) { headers[$0] }
    }
    return GRPCStream(path: path, metadata: metadata, encoding: encoding, deadline: deadline, now: now)
  }

  /// `application/grpc`, or that with a `+subtype` or `;parameters`.
  private static func isGRPC(_ contentType: String) -> Bool {
    let base = "application/grpc"
    if contentType == base { return true }
    let prefix = contentType.prefix(base.utf8.count)
    guard HTTPToken.equal(String(prefix), base) else { return false }
    switch contentType.utf8.dropFirst(base.utf8.count).first {
    case nil, UInt8(ascii: "+"), UInt8(ascii: ";"): return true
    default: return false
    }
  }

  /// The fields that are metadata: those of HTTP/2 itself are left out.
  private static func metadata(_ headers: HPACKHeaders) -> [String: [String]] {
    var groups: [String: [String]] = [:]
    for (name, value, _) in headers {
      // grpc-go shows `:authority` to its users, and the Collector passes it on.
      if name.utf8.first == UInt8(ascii: ":"), name != ":authority" { continue }
      groups[name, default: []].append(value)
    }
    return groups
  }
}
