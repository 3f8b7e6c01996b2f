package import ConfigSchema
package import PipelineKit
package import TelemetryData
internal import TraceFormats
package import Transport

/// Sends spans to Zipkin, one POST for each batch.
package final class ZipkinExporter: Exporter {
  package typealias Config = ZipkinExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "zipkin", signals: [.traces], summary: "Sends spans to Zipkin (JSON v2 or protobuf).")

  private let config: ZipkinExporterConfig
  private let client: TraceHTTPClient
  private let sender: TracePartSender

  package init(config: ZipkinExporterConfig, context: ComponentContext) throws {
    self.config = config
    client = try TraceHTTPClient(config.client, contentType: config.format.contentType, context: context)
    sender = TracePartSender(context: context, consumers: config.queue.numConsumers)
  }

  package static func delivery(of config: ZipkinExporterConfig) -> DeliverySettings {
    DeliverySettings(queue: config.queue, retry: config.retry, timeout: config.client.timeout)
  }

  package func start() async throws { try await client.start() }

  package func export(_ batch: Batch, metadata: RequestMetadata?) async -> Outcome {
    let client = client
    return await sender.send(batch) { batch in
      ZipkinEncoder(
        config.format == .json ? .json : .protobuf, defaultServiceName: config.defaultServiceName
      ).encode(batch)
    } post: {
      await client.post($0, metadata)
    }
  }

  package func endedItems(of batch: Batch) -> [EndedItems] { sender.endedItems(of: batch) }

  package func stop() async { await client.stop() }
}

/// The forms of Zipkin's second format.
package enum ZipkinFormat: String, ConfigEnum, CaseIterable {
  case json, proto

  var contentType: String {
    switch self {
    case .json: "application/json"
    case .proto: "application/x-protobuf"
    }
  }
}

/// The settings of the `zipkin` exporter.
package struct ZipkinExporterConfig: ConfigGroup {
  package var client = HTTPClientConfig(timeout: .seconds(5))
  package var format = ZipkinFormat.json
  package var defaultServiceName = "<missing service name>"
  package var retry = RetrySettings()
  package var queue = QueueSettings()

  package init() {}

  package static let fields: [Field<Self>] = [
    .group(\.client),
    Field("format", \.format, "The form of the body: JSON or protobuf."),
    Field(
      "default_service_name", \.defaultServiceName,
      "The name of services whose resource has no `service.name`."),
    Field("retry_on_failure", \.retry, "Trying again after a retryable failure."),
    Field("sending_queue", \.queue, "The memory queue in front of the backend."),
  ]

  package func check(_ checker: inout ConfigChecker) {
    if client.endpoint.isEmpty {
      checker.error(
        \.client.endpoint, "must be set to the URL that takes spans",
        help: "write \"endpoint: http://zipkin:9411/api/v2/spans\"")
    }
  }
}
