internal import ConfigSchema
package import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOPosix
internal import NativeCodecs

/// Makes unary gRPC calls to one server, over one HTTP/2 connection that is made when needed.
///
/// Any number of calls may run at once; those beyond the server's MAX_CONCURRENT_STREAMS wait in order. Every way to
/// fail is a status: an unreachable server or a broken connection is `unavailable`, which callers may retry. A call that
/// the server certainly did not process, because of GOAWAY or a refused stream, is sent once more by the client itself.
package final class GRPCClient: Sendable {
  private let link: GRPCLink
  /// Nil for plaintext.
  private let tls: GRPCClientTLS?
  private let authority: String
  /// What every call sends after the fields that begin with a colon.
  private let baseHeaders: HPACKHeaders
  private let compressor: CompressorPool?
  private let authentication: ClientAuthentication?

  /// Opens nothing yet.
  /// - Parameters:
  ///   - userAgent: such as `Millrace/1.0`, unless the configuration has its own.
  ///   - logger: told of certificates that were renewed or cannot be.
  ///   - authenticator: adds credentials to every call.
  /// - Throws: ``ConnectionError`` for an endpoint that the check of the configuration would have refused.
  package convenience init(
    config: GRPCClientConfig, userAgent: String, logger: Logger? = nil,
    authenticator: (any ClientAuthenticator)? = nil
  ) throws {
    try self.init(
      config: config, userAgent: userAgent, limits: GRPCClientLimits(), logger: logger,
      authenticator: authenticator)
  }

  init(
    config: GRPCClientConfig, userAgent: String, limits: GRPCClientLimits, logger: Logger? = nil,
    authenticator: (any ClientAuthenticator)? = nil
  ) throws {
    let target: GRPCTarget
    switch GRPCTarget.parse(config.endpoint) {
    case .success(let parsed): target = parsed
    case .failure(let problem):
      throw ConnectionError(.unreachable, address: config.endpoint, reason: problem.message)
    }
    tls = config.usesTLS(target) ? GRPCClientTLS(config, target: target, logger: logger) : nil
    link = GRPCLink(
      loop: EventLoops.group.next(), target: target, config: config, limits: limits, tls: tls)
    compressor = config.compression.algorithm.map { CompressorPool($0) }
    authentication = ClientAuthentication(authenticator)
    // As in grpc-go, the name that TLS asks for is also the one that the call is for.
    let name = tls == nil ? "" : config.tls.serverNameOverride
    authority = [config.authority, name].first { !$0.isEmpty } ?? target.authority
    var headers = HPACKHeaders()
    headers.add(name: "te", value: "trailers")
    headers.add(name: "content-type", value: "application/grpc")
    headers.add(name: "user-agent", value: config.userAgent.isEmpty ? userAgent : config.userAgent)
    headers.add(name: "grpc-accept-encoding", value: "identity,gzip,zstd,deflate,snappy")
    if let encoding = compressor?.algorithm.grpcEncoding {
      headers.add(name: "grpc-encoding", value: encoding)
    }
    for header in config.headers {
      Self.add(header.key, header.value.reveal(), to: &headers)
    }
    baseHeaders = headers
  }

  /// Reads the certificates that the configuration names, so that wrong ones are told early; opens no connection.
  ///
  /// Without it the first connection reads them.
  /// - Throws: ``TLSFileError``.
  package func prepare() async throws { _ = try await tls?.contexts.renewed() }

  /// Calls a method and waits for the answer.
  /// - Parameters:
  ///   - path: `/package.Service/Method`.
  ///   - message: the bytes of the request message.
  ///   - metadata: added to the configured headers; values of names that end in `-bin` are sent as base64.
  ///   - timeout: until the answer is complete, waiting and connecting included; zero sets no limit.
  ///   - origin: the metadata of the request that brought the data, for the authenticator.
  /// - Throws: `CancellationError` when the task is cancelled, and nothing else.
  package func unary(
    path: String, message: [UInt8], metadata: [(name: String, value: String)] = [], timeout: Duration,
    origin: [String: [String]] = [:]
  ) async throws -> GRPCReply {
    guard let authentication else {
      return try await call(path: path, message: message, metadata: metadata, changes: [], timeout: timeout)
    }
    do {
      return try await authentication.send(origin, isRefused: { $0.code == .unauthenticated }) { changes in
        try await call(path: path, message: message, metadata: metadata, changes: changes, timeout: timeout)
      }
    } catch let error as CredentialsError {
      return GRPCReply(code: .unavailable, message: "\(error)")
    }
  }

  private func call(
    path: String, message: [UInt8], metadata: [(name: String, value: String)], changes: [HeaderChange],
    timeout: Duration
  ) async throws -> GRPCReply {
    try Task.checkCancellation()
    var headers = HPACKHeaders()
    headers.reserveCapacity(baseHeaders.count + metadata.count + 5)
    headers.add(name: ":method", value: "POST")
    headers.add(name: ":scheme", value: tls == nil ? "http" : "https")
    headers.add(name: ":path", value: path)
    headers.add(name: ":authority", value: authority)
    headers.add(contentsOf: baseHeaders)
    for (name, value) in metadata { Self.add(name, value, to: &headers) }
    headers.apply(changes)
    let (prefix, body): ([UInt8], [UInt8])
    do {
      (prefix, body) = try frame(message)
    } catch {
      return GRPCReply(code: .internalError, message: "\(error)")
    }
    let link = link
    let handle = CallHandle(link: link)
    let reply = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        handle.submit(
          GRPCCall(headers: headers, prefix: prefix, message: body, timeout: timeout, done: continuation))
      }
    } onCancel: {
      handle.cancel()
    }
    if reply.code == .cancelled && !reply.isFromServer { throw CancellationError() }
    return reply
  }

  /// Fails the calls under way, closes the connection, and refuses calls from then on.
  package func shutdown() async {
    let link = link
    try? await link.loop.flatSubmit { link.shutDown() }.get()
  }

  /// The message as gRPC frames it: a flag, four bytes of length, the bytes.
  private func frame(_ message: [UInt8]) throws(CodecError) -> (prefix: [UInt8], body: [UInt8]) {
    guard let compressor, !message.isEmpty else { return (Self.prefix(0, message.count), message) }
    var framed: [UInt8] = [0, 0, 0, 0, 0]
    try compressor.compress(message.span, to: &framed)
    for (index, byte) in Self.prefix(1, framed.count - 5).enumerated() { framed[index] = byte }
    return ([], framed)
  }

  private static func prefix(_ flag: UInt8, _ count: Int) -> [UInt8] {
    let length = UInt32(truncatingIfNeeded: count)
    return [flag] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
  }

  private static func add(_ name: String, _ value: String, to headers: inout HPACKHeaders) {
    let name = name.lowercased()
    headers.add(name: name, value: name.hasSuffix("-bin") ? GRPCText.base64(Array(value.utf8)) : value)
  }
}
