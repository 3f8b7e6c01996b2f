package import ConfigSchema
internal import Logging
package import PipelineKit
internal import Synchronization
package import TelemetryData
internal import TraceFormats
package import Transport

/// Sends spans to a Jaeger collector in Thrift's binary protocol over HTTP, one POST for each resource.
package final class JaegerThriftExporter: Exporter {
  package typealias Config = JaegerThriftExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "jaeger_thrift", signals: [.traces],
    summary: "Sends spans to Jaeger in Thrift's binary protocol over HTTP.")

  private let config: JaegerThriftExporterConfig
  private let client: TraceHTTPClient
  private let sender: TracePartSender

  package init(config: JaegerThriftExporterConfig, context: ComponentContext) throws {
    self.config = config
    client = try TraceHTTPClient(config.client, contentType: "application/x-thrift", context: context)
    sender = TracePartSender(context: context, consumers: config.queue.numConsumers)
  }

  package static func delivery(of config: JaegerThriftExporterConfig) -> DeliverySettings {
    DeliverySettings(queue: config.queue, retry: config.retry, timeout: config.client.timeout)
  }

  package func start() async throws { try await client.start() }

  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    let client = client
    return await sender.send(batch) {
      JaegerThriftEncoder().encode($0)
    } post: {
      await client.post($0, metadata)
    }
  }

  package func endedItems(of batch: Batch) -> [EndedItems] { sender.endedItems(of: batch) }

  package func stop() async { await client.stop() }
}

/// The settings of the `jaeger_thrift` exporter: those of the Collector until 0.85.
package struct JaegerThriftExporterConfig: ConfigGroup {
  package var client = HTTPClientConfig(timeout: .seconds(5))
  package var retry = RetrySettings()
  package var queue = QueueSettings()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.client),
    Field("retry_on_failure", \.retry, "Trying again after a retryable failure."),
    Field("sending_queue", \.queue, "The memory queue in front of the backend."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if client.endpoint.isEmpty {
      checker.error(
        \.client.endpoint, "must be set to the URL that takes spans",
        help: "write \"endpoint: http://jaeger:14268/api/traces\"")
    }
  }
}
