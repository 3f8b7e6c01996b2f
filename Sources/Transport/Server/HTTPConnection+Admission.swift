internal import NIOCore
internal import NativeCodecs

extension HTTPConnection {
  /// What is the same for all connections of a server.
  struct Shared: Sendable {
    let handler: any HTTPRequestHandler
    let hooks: ServerHooks
    let authentication: RequestAuthentication?
    let budget: AdmissionBudget
    let connections: ConnectionSet
    let patience: TimeAmount
    let pool = DecompressorPool()
    let writer: HTTPAnswerWriter
    let cors: CORSPolicy?
    let bodyLimit: Int
    let includesMetadata: Bool
    let keepsAlive: Bool
    let readTimeout: TimeAmount?
    let readHeaderTimeout: TimeAmount?
    let writeTimeout: TimeAmount?
    let idleTimeout: TimeAmount?
    let limits: ServerLimits
    private let allowsIdentity: Bool
    private let algorithms: [CompressionAlgorithm]

    init(
      config: HTTPServerConfig, handler: any HTTPRequestHandler, hooks: ServerHooks, budget: AdmissionBudget,
      connections: ConnectionSet, patience: TimeAmount
    ) {
      self.handler = handler
      self.hooks = hooks
      authentication = RequestAuthentication(hooks)
      self.budget = budget
      self.connections = connections
      self.patience = patience
      writer = HTTPAnswerWriter(responseHeaders: config.responseHeaders)
      cors = CORSPolicy(config.cors)
      bodyLimit = config.bodyLimit
      limits = config.limits
      includesMetadata = config.includeMetadata
      keepsAlive = config.keepAlivesEnabled
      readTimeout = Self.limit(config.readTimeout)
      readHeaderTimeout = Self.limit(config.readHeaderTimeout)
      writeTimeout = Self.limit(config.writeTimeout)
      idleTimeout = Self.limit(config.idleTimeout)
      // An empty list stands for all, as in the Collector.
      let enabled =
        config.compressionAlgorithms.isEmpty ? RequestCompression.allCases : config.compressionAlgorithms
      allowsIdentity = enabled.contains(.none)
      algorithms = enabled.compactMap { CompressionAlgorithm(rawValue: $0.rawValue) }
    }

    private static func limit(_ duration: Duration) -> TimeAmount? {
      duration > .zero ? TimeAmount(clamping: duration) : nil
    }
  }

  /// What to do with a request whose head is there.
  enum Verdict {
    case refuse(HTTPAnswer)
    case receive(CompressionAlgorithm?)
  }
}

extension HTTPConnection.Shared {
  /// Decides from the head alone.
  func verdict(_ request: RequestLine) -> HTTPConnection.Verdict {
    if let answer = cors?.preflight(request) { return .refuse(answer) }
    if let answer = handler.admit(
      method: request.method, path: request.path, contentType: request.contentType)
    {
      return .refuse(answer)
    }
    if request.hasUnknownExpectation {
      return .refuse(handler.failure(417, "unknown expectation", contentType: request.contentType))
    }
    var compression: CompressionAlgorithm?
    if let name = request.contentEncoding, !name.isEmpty, !HTTPToken.equal(name, "identity") {
      guard let algorithm = CompressionAlgorithm(contentEncoding: name), algorithms.contains(algorithm) else {
        return .refuse(unknownEncoding(name, request))
      }
      compression = algorithm
    } else if !allowsIdentity {
      return .refuse(unknownEncoding("identity", request))
    }
    if compression == nil, let length = request.contentLength, length > bodyLimit {
      return .refuse(answer(to: .tooLarge, contentType: request.contentType))
    }
    if let reason = hooks.gate?() {
      hooks.refused?(.gate)
      return .refuse(retryable(reason, contentType: request.contentType))
    }
    return .receive(compression)
  }

  /// Counts a refusal.
  func count(_ reason: RefusalReason) { hooks.refused?(reason) }

  /// The answer that asks the client to come back later.
  func retryable(_ reason: String, contentType: String?) -> HTTPAnswer {
    var answer = handler.failure(503, reason, contentType: contentType)
    if !answer.headers.contains(where: { HTTPToken.equal($0.0, "Retry-After") }) {
      answer.headers.append(("Retry-After", "1"))
    }
    return answer
  }

  /// The answer when a body cannot be received; counts the refusal.
  func answer(to failure: BodyReceiver.Failure, contentType: String?) -> HTTPAnswer {
    switch failure {
    case .tooDense:
      count(.compressionRatio)
      return handler.failure(
        413, "the request body decompresses to more than \(limits.maxDecompressionRatio) times its size",
        contentType: contentType)
    case .tooLarge:
      count(.bodySize)
      return handler.failure(
        413, "the request body is larger than \(bodyLimit) bytes after decompression",
        contentType: contentType)
    case .corrupt(let reason):
      count(.encoding)
      return handler.failure(400, reason, contentType: contentType)
    case .overloaded:
      count(.overload)
      return retryable("too many request bytes are under way, try again later", contentType: contentType)
    }
  }

  private func unknownEncoding(_ name: String, _ request: RequestLine) -> HTTPAnswer {
    count(.encoding)
    let names = algorithms.map(\.contentEncoding) + (allowsIdentity ? ["identity"] : [])
    let list = names.joined(separator: ", ")
    var answer = handler.failure(
      415, "unsupported Content-Encoding \"\(name.prefix(64))\", supported: \(list)",
      contentType: request.contentType)
    answer.headers.append(("Accept-Encoding", list))
    return answer
  }
}
