package import ConfigSchema
package import PipelineKit
package import TelemetryData
package import Transport

/// Sends OTLP over gRPC: the batch's bytes as they are, one unary call per batch.
package final class OTLPGRPCExporter: Exporter {
  package typealias Config = OTLPGRPCExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "otlp_grpc", deprecatedTypes: ["otlp"], summary: "Sends OTLP over gRPC.")

  private let config: OTLPGRPCExporterConfig
  private let client: GRPCClient
  private let replies: OTLPReplies

  package init(config: OTLPGRPCExporterConfig, context: ComponentContext) throws {
    self.config = config
    client = try GRPCClient(
      config: config.client, userAgent: Product.userAgent, logger: context.logger,
      authenticator: try context.authenticator(config.client.auth))
    replies = OTLPReplies(context: context)
  }

  package static func delivery(of config: OTLPGRPCExporterConfig) -> DeliverySettings {
    DeliverySettings(queue: config.queue, retry: config.retry, timeout: config.timeout)
  }

  package func start() async throws {
    do {
      try await client.prepare()
    } catch let error as TLSFileError {
      throw StartError("\(error)")
    }
  }

  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    do {
      let reply = try await client.unary(
        path: batch.signal.exportMethod, message: batch.bytes, timeout: config.timeout,
        origin: metadata?.entries ?? [:])
      return replies.outcome(of: reply, for: batch)
    } catch {
      return replies.outcome(of: error)
    }
  }

  package func stop() async { await client.shutdown() }
}

/// The settings of the `otlp_grpc` exporter.
package struct OTLPGRPCExporterConfig: ConfigGroup {
  package var client = GRPCClientConfig(compression: .gzip)
  package var timeout: Duration = .seconds(5)
  package var retry = RetrySettings()
  package var queue = QueueSettings()
  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.client),
    Field("timeout", \.timeout, "How long one try may take; 0 is no limit.", check: .atLeast(.zero)),
    Field("retry_on_failure", \.retry, "Trying again after a retryable failure."),
    Field("sending_queue", \.queue, "The memory queue in front of the backend."),
  ]
}
