package import PipelineKit
package import TelemetryData
internal import TraceFormats
internal import Transport

/// Sends spans to Jaeger over gRPC, as its collectors have always taken them, or as OTLP.
///
/// A batch is one `PostSpans` for each of its resources. A try repeats only those that have not been answered.
package final class JaegerExporter: Exporter {
  package typealias Config = JaegerExporterConfig

  package static let descriptor = ComponentDescriptor(
    type: "jaeger", signals: [.traces], summary: "Sends spans to Jaeger over gRPC (api_v2 or OTLP).")

  private static let postSpans = "/jaeger.api_v2.CollectorService/PostSpans"

  private let config: JaegerExporterConfig
  private let client: GRPCClient
  private let sender: TracePartSender
  /// For OTLP.
  private let replies: OTLPReplies

  package init(config: JaegerExporterConfig, context: ComponentContext) throws {
    self.config = config
    client = try GRPCClient(
      config: config.client, userAgent: Product.userAgent, logger: context.logger,
      authenticator: try context.authenticator(config.client.auth))
    sender = TracePartSender(context: context, consumers: config.queue.numConsumers)
    replies = OTLPReplies(context: context)
  }

  package static func delivery(of config: JaegerExporterConfig) -> DeliverySettings {
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
    let origin = metadata?.entries ?? [:]
    guard config.protocol == .apiV2 else { return await exportOTLP(batch, origin) }
    let (client, timeout) = (client, config.timeout)
    return await sender.send(batch) {
      JaegerProtoEncoder().encode($0)
    } post: { part in
      do {
        let reply = try await client.unary(
          path: Self.postSpans, message: part.body, timeout: timeout, origin: origin)
        return TraceReplies.verdict(on: reply)
      } catch {
        return TraceReplies.verdict(on: error)
      }
    }
  }

  private func exportOTLP(_ batch: Batch, _ origin: [String: [String]]) async -> Outcome {
    do {
      let reply = try await client.unary(
        path: batch.signal.exportMethod, message: batch.bytes, timeout: config.timeout, origin: origin)
      return replies.outcome(of: reply, for: batch)
    } catch {
      return replies.outcome(of: error)
    }
  }

  package func endedItems(of batch: Batch) -> [EndedItems] { sender.endedItems(of: batch) }

  package func stop() async { await client.shutdown() }
}
