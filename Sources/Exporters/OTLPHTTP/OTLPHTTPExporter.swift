internal import Logging
package import PipelineKit
internal import Synchronization
package import TelemetryData
internal import Transport

/// Sends OTLP over HTTP: the batch's bytes as they are, or as OTLP-JSON, one POST per batch.
package final class OTLPHTTPExporter: Exporter {
  package typealias Config = OTLPHTTPExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "otlp_http", deprecatedTypes: ["otlphttp"], summary: "Sends OTLP over HTTP (protobuf or JSON).")

  private let config: OTLPHTTPExporterConfig
  private let urls: [Signal: String]
  /// Made at start, because a client that was made must be shut down.
  private let client = Mutex<HTTPClient?>(nil)
  private let logger: Logger
  private let replies: OTLPReplies
  private let authenticator: (any ClientAuthenticator)?

  package static func problem(of config: OTLPHTTPExporterConfig, carrying signals: [Signal]) -> String? {
    guard let signal = signals.first(where: { config.url(of: $0) == nil }) else { return nil }
    return "there is no address for \(signal.rawValue): set \"endpoint\" or \"\(signal.rawValue)_endpoint\""
  }

  package init(config: OTLPHTTPExporterConfig, context: ComponentContext) throws {
    self.config = config
    var urls: [Signal: String] = [:]
    for signal in context.signals { urls[signal] = config.url(of: signal) }
    self.urls = urls
    logger = context.logger
    replies = OTLPReplies(context: context)
    authenticator = try context.authenticator(config.client.auth)
  }

  package static func delivery(of config: OTLPHTTPExporterConfig) -> DeliverySettings {
    DeliverySettings(queue: config.queue, retry: config.retry, timeout: config.client.timeout)
  }

  package func start() async throws {
    let client = HTTPClient(
      config: config.client, userAgent: Product.userAgent, logger: logger, authenticator: authenticator)
    do {
      try await client.prepare()
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
    self.client.withLock { $0 = client }
  }

  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    guard let client = client.withLock({ $0 }) else {
      return .refused(reason: "the exporter is not running", after: nil)
    }
    guard let url = urls[batch.signal] else {
      return .rejected(reason: "there is no address for \(batch.signal.rawValue)")
    }
    do {
      let reply: HTTPReply
      let origin = metadata?.entries ?? [:]
      switch config.encoding {
      case .proto:
        reply = try await client.post(
          url: url, contentType: "application/x-protobuf", body: batch.bytes, origin: origin)
      case .json:
        var json: [UInt8] = []
        try batch.writeJSON(into: &json)
        reply = try await client.post(url: url, contentType: "application/json", body: json, origin: origin)
      }
      return replies.outcome(of: reply, for: batch)
    } catch {
      return replies.outcome(of: error)
    }
  }

  package func stop() async {
    let client = client.withLock { held in
      defer { held = nil }
      return held
    }
    await client?.shutdown()
  }
}
