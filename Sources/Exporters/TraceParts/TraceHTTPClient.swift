internal import Logging
internal import PipelineKit
internal import Synchronization
internal import TraceFormats
internal import Transport

/// The HTTP client of an exporter that sends requests of spans to one URL.
final class TraceHTTPClient: Sendable {
  private let config: HTTPClientConfig
  private let contentType: String
  private let logger: Logger
  private let authenticator: (any ClientAuthenticator)?
  /// Made at start, because a client that was made must be shut down.
  private let client = Mutex<HTTPClient?>(nil)

  init(_ config: HTTPClientConfig, contentType: String, context: ComponentContext) throws {
    self.config = config
    self.contentType = contentType
    logger = context.logger
    authenticator = try context.authenticator(config.auth)
  }

  func start() async throws {
    let client = HTTPClient(
      config: config, userAgent: Product.userAgent, logger: logger, authenticator: authenticator)
    do {
      try await client.prepare()
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
    self.client.withLock { $0 = client }
  }

  func post(_ part: TracePart, _ metadata: RequestMetadata?) async -> TracePartVerdict {
    guard let client = client.withLock({ $0 }) else {
      return .failed(reason: "the exporter is not running", after: nil)
    }
    do {
      let reply = try await client.post(
        url: config.endpoint, contentType: contentType, body: part.body, origin: metadata?.entries ?? [:])
      return TraceReplies.verdict(on: reply)
    } catch {
      return TraceReplies.verdict(on: error)
    }
  }

  func stop() async {
    let client = client.withLock { held in
      defer { held = nil }
      return held
    }
    await client?.shutdown()
  }
}
