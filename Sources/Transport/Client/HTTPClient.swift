internal import AsyncHTTPClient
internal import ConfigSchema
package import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NativeCodecs
internal import Synchronization

/// Talks to HTTP servers over pooled connections.
///
/// HTTP/1.1 in plaintext, HTTP/1.1 or 2 over TLS. Data follows no redirect: a 3xx answer is handed back like any other,
/// since data that silently goes elsewhere is worse than an error that names the place.
package final class HTTPClient: Sendable {
  /// The most bytes of an answer that are kept, enough for an error's explanation.
  package static let keptReplySize = 64 << 10
  /// The most bytes of an answer that are read so that its connection can be used again.
  private static let readReplySize = 1 << 20

  private let connections: TLSRenewal<HTTPConnections>
  private let isShutDown = Atomic(false)
  private let baseHeaders: HTTPHeaders
  private let overriding: HTTPHeaders
  private let compressor: CompressorPool?
  private let timeout: Duration
  private let authentication: ClientAuthentication?

  /// Opens nothing yet.
  /// - Parameters:
  ///   - userAgent: such as `Millrace/1.0`; the configured headers may replace it.
  ///   - logger: told of certificates that were renewed or cannot be.
  ///   - authenticator: adds credentials to every request.
  package init(
    config: HTTPClientConfig, userAgent: String, logger: Logger? = nil,
    authenticator: (any ClientAuthenticator)? = nil
  ) {
    let tls = config.tls
    let files = tls.files
    connections = TLSRenewal(files: files, interval: tls.reloadInterval, logger: logger) {
      content throws(TLSFileError) in
      let configuration = try tls.configuration(files, content)
      // Shows whether key and certificate belong together; without files it would only read the system's CAs.
      if !files.isEmpty { _ = try files.context(configuration) }
      return HTTPConnections(config: config, tls: configuration)
    }
    compressor = config.compression.algorithm.map { CompressorPool($0, level: config.compressionLevel) }
    timeout = config.timeout
    authentication = ClientAuthentication(authenticator)
    var base = HTTPHeaders([("user-agent", userAgent)])
    if config.disableKeepAlives { base.add(name: "connection", value: "close") }
    if let encoding = compressor?.algorithm.contentEncoding {
      base.add(name: "content-encoding", value: encoding)
    }
    baseHeaders = base
    overriding = HTTPHeaders(config.headers.map { ($0.key, $0.value.reveal()) })
  }

  /// Sends a body and waits for the answer.
  /// - Parameters:
  ///   - url: absolute, `http` or `https`.
  ///   - body: not compressed; the client compresses as configured.
  ///   - headers: besides Content-Type, Content-Encoding and User-Agent; the configured headers win over all.
  ///   - origin: the metadata of the request that brought the data, for the authenticator.
  /// - Returns: the answer, whatever its status.
  /// - Throws: ``ConnectionError`` when there is no complete answer; ``CredentialsError`` when the authenticator has
  ///   none; `CancellationError` when the task is cancelled; `CodecError` when the body cannot be compressed.
  package func post(
    url: String, contentType: String, body: [UInt8], headers: [(name: String, value: String)] = [],
    origin: [String: [String]] = [:]
  ) async throws -> HTTPReply {
    guard let authentication else {
      return try await send(url: url, contentType: contentType, body: body, headers: headers, changes: [])
    }
    return try await authentication.send(origin, isRefused: { $0.status == 401 }) { changes in
      try await send(url: url, contentType: contentType, body: body, headers: headers, changes: changes)
    }
  }

  /// Asks for what is at a URL.
  /// - Parameters:
  ///   - url: absolute, `http` or `https`; `http+unix://` with the percent-encoded path of a socket as its host.
  ///   - headers: besides User-Agent; the configured headers win over all.
  ///   - limit: the most bytes of the body that are kept: of a longer one the beginning is, and its connection is
  ///     given up.
  ///   - timeout: in place of the configured one.
  /// - Returns: the answer, whatever its status, its body as it came: compressed if the headers allowed that.
  /// - Throws: as ``post(url:contentType:body:headers:origin:)``.
  package func get(
    url: String, headers: [(name: String, value: String)] = [], limit: Int, timeout: Duration? = nil
  ) async throws -> HTTPReply {
    try await ask(.GET, url: url, headers: headers, limit: limit, timeout: timeout)
  }

  /// Puts an empty body at a URL and reads the answer: how metadata services give out tokens. Otherwise as
  /// ``get(url:headers:limit:timeout:)``.
  package func put(
    url: String, headers: [(name: String, value: String)] = [], limit: Int, timeout: Duration? = nil
  ) async throws -> HTTPReply {
    try await ask(.PUT, url: url, headers: headers, limit: limit, timeout: timeout)
  }

  private func ask(
    _ method: HTTPMethod, url: String, headers: [(name: String, value: String)], limit: Int,
    timeout: Duration?
  ) async throws -> HTTPReply {
    func send(_ changes: [HeaderChange]) async throws -> HTTPReply {
      var request = HTTPClientRequest(url: url)
      request.method = method
      request.headers = baseHeaders
      request.headers.remove(name: "content-encoding")
      for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
      return try await answer(to: request, changes, timeout: timeout ?? self.timeout) {
        try await Self.reply($0, keeping: limit, reading: limit)
      }
    }
    guard let authentication else { return try await send([]) }
    return try await authentication.send([:], isRefused: { $0.status == 401 }, send)
  }

  private func send(
    url: String, contentType: String, body: [UInt8], headers: [(name: String, value: String)],
    changes: [HeaderChange]
  ) async throws -> HTTPReply {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers = baseHeaders
    request.headers.add(name: "content-type", value: contentType)
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    if let compressor {
      request.body = .bytes(ByteBuffer(bytes: try compressor.compress(body)))
    } else {
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    return try await answer(to: request, changes, timeout: timeout) {
      try await Self.reply($0, keeping: Self.keptReplySize, reading: Self.readReplySize)
    }
  }

  /// Sends a request with the configured headers and credentials.
  private func answer(
    to request: HTTPClientRequest, _ changes: [HeaderChange], timeout: Duration,
    _ read: @escaping @Sendable (HTTPClientResponse) async throws -> HTTPReply
  ) async throws -> HTTPReply {
    var request = request
    let url = request.url
    for (name, value) in overriding { request.headers.replaceOrAdd(name: name, value: value) }
    request.headers.apply(changes)
    let deadline: NIODeadline = timeout > .zero ? .now() + TimeAmount(clamping: timeout) : .distantFuture
    if isShutDown.load(ordering: .acquiring) {
      throw ConnectionError(.shutDown, address: url, reason: "")
    }
    var held: HTTPConnections?
    do {
      let connections = try await connections.renewed()
      held = connections
      let response = try await connections.execute(request, deadline: deadline)
      // Deadlines of requests hold until the head of the answer only; a body could trickle in forever.
      guard timeout > .zero else { return try await read(response) }
      if let reply = try await Self.by(deadline, { try await read(response) }) { return reply }
      throw ConnectionError(.timedOut, address: url, reason: "not all of it within \(timeout)")
    } catch {
      if TLSFailureText.isRefusedCertificate(error), let reason = await held?.refusal(of: url) {
        throw ConnectionError(.unreachable, address: url, reason: reason)
      }
      throw Self.failure(error, url: url, timeout: timeout)
    }
  }

  /// Reads the certificates that the configuration names, so that wrong ones are told early; opens no connection.
  ///
  /// Without it the first request reads them.
  /// - Throws: ``TLSFileError``.
  package func prepare() async throws { _ = try await connections.renewed() }

  /// Closes all connections; requests under way fail, later ones too.
  package func shutdown() async {
    isShutDown.store(true, ordering: .releasing)
    await connections.latest?.shutdown()
  }

  /// Keeps the first `limit` bytes of an answer's body; the connection of one longer than `most` bytes is given up.
  private static func reply(
    _ response: HTTPClientResponse, keeping limit: Int, reading most: Int
  ) async throws -> HTTPReply {
    var reply = HTTPReply(status: Int(response.status.code))
    reply.headers = response.headers.map { (name: $0.name, value: $0.value) }
    var read = 0
    for try await buffer in response.body {
      let kept = min(buffer.readableBytes, limit - reply.body.count)
      reply.body.append(contentsOf: buffer.readableBytesView.prefix(kept))
      if kept < buffer.readableBytes { reply.isBodyCut = true }
      read += buffer.readableBytes
      if read > most { break }
    }
    return reply
  }

  /// What an operation gives, or nil when it is not done by a deadline, at which it is cancelled.
  private static func by(
    _ deadline: NIODeadline, _ operation: @escaping @Sendable () async throws -> HTTPReply
  ) async throws -> HTTPReply? {
    try await withThrowingTaskGroup(of: HTTPReply?.self) { group in
      group.addTask { try await operation() }
      group.addTask {
        let timer = EventLoops.group.next().scheduleTask(deadline: deadline) {}
        try await withTaskCancellationHandler {
          try await timer.futureResult.get()
        } onCancel: {
          timer.cancel()
        }
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  private static func failure(_ error: any Error, url: String, timeout: Duration) -> any Error {
    if error is CancellationError || error is ConnectionError { return error }
    guard let error = error as? HTTPClientError else {
      let kind: ConnectionError.Kind = FailureText.isUnreachable(error) ? .unreachable : .interrupted
      return ConnectionError(kind, address: url, reason: FailureText.of(error))
    }
    switch error {
    case .cancelled:
      return Task.isCancelled ? CancellationError() : ConnectionError(.shutDown, address: url, reason: "")
    case .alreadyShutdown: return ConnectionError(.shutDown, address: url, reason: "")
    case .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout:
      return ConnectionError(.timedOut, address: url, reason: "nothing within \(timeout)")
    case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout:
      return ConnectionError(.unreachable, address: url, reason: "no connection within the time for it")
    case .remoteConnectionClosed:
      return ConnectionError(.interrupted, address: url, reason: "the server closed the connection")
    case .invalidURL, .emptyHost, .emptyScheme, .invalidProxyResponse, .proxyAuthenticationRequired:
      return ConnectionError(.unreachable, address: url, reason: error.shortDescription)
    case .redirectCycleDetected, .redirectLimitReached:
      return ConnectionError(.malformed, address: url, reason: error.shortDescription)
    default: return ConnectionError(.interrupted, address: url, reason: error.shortDescription)
    }
  }
}
