internal import Logging
package import PipelineKit
internal import PrometheusData
internal import Synchronization
internal import TelemetryData
internal import Transport

/// Takes metrics from Prometheus and everything else that speaks remote write, 1.0 and 2.0, at `POST /api/v1/write`.
///
/// A request becomes a batch on the event loop that read it, and is answered from the batch's outcome. Duplicates and
/// samples out of order are passed on: only the backend knows what it has.
package final class PrometheusRemoteWriteReceiver: Receiver {
  package typealias Config = PrometheusRemoteWriteReceiverConfig

  package static let descriptor = ComponentDescriptor(
    type: "prometheus_remote_write", deprecatedTypes: ["prometheusremotewrite"], signals: [.metrics],
    summary: "Receives metrics over Prometheus remote write, 1.0 and 2.0.")

  package static func traits(of config: PrometheusRemoteWriteReceiverConfig) -> ComponentTraits {
    var traits = ComponentTraits()
    if !config.server.includeMetadata { traits.passedMetadata = .none }
    traits.toldMetadata = [RequestMetadata.clientAddressKey]
    return traits
  }

  private let config: PrometheusRemoteWriteReceiverConfig
  private let context: ComponentContext
  private let server = Mutex<HTTPServer?>(nil)
  private let bound = Mutex("")

  package init(config: PrometheusRemoteWriteReceiverConfig, context: ComponentContext) {
    self.config = config
    self.context = context
  }

  /// Where it listens, once started: `127.0.0.1:9090`.
  package var address: String { bound.withLock { $0 } }

  package func start(_ outputs: ReceiverOutputs) async throws {
    guard let consumer = outputs.consumer(.metrics, transport: "http") else { return }
    let handler = RemoteWriteHandler(
      consumer: consumer, bodyLimit: config.server.bodyLimit, metrics: RemoteWriteReceiverMetrics(context))
    let (server, address) = try await HTTPServer.started(config.server, handler, for: context)
    bound.withLock { $0 = address }
    self.server.withLock { $0 = server }
  }

  package func stop() async {
    let server = server.withLock { held in
      defer { held = nil }
      return held
    }
    await server?.stop()
  }
}

/// Counts and logs what was not taken, so that no item count can show it.
struct RemoteWriteReceiverMetrics: Sendable {
  let malformed: MalformedRequests
  private let series: SelfMetricCell
  private let exemplars: SelfMetricCell
  private let log: RateLimitedLog

  init(_ context: ComponentContext) {
    malformed = MalformedRequests(context: context, transport: "http")
    let labels = [(name: "receiver", value: context.id.description)]
    series = context.metrics.counter(
      "millrace_receiver_rejected_series",
      help: "Series of remote-write requests that are not valid, and so were not taken.", labels: labels)
    exemplars = context.metrics.counter(
      "millrace_receiver_lost_exemplars",
      help: "Exemplars of remote-write requests that belong to no sample of their request.", labels: labels)
    log = RateLimitedLog(context.logger, clock: context.clock)
  }

  /// Books what of a request is not in its batch.
  func record(_ reading: RemoteWriteReading, peer: String) {
    if reading.lostExemplars > 0 { exemplars.add(reading.lostExemplars) }
    guard reading.rejectedSeries > 0 else { return }
    series.add(reading.rejectedSeries)
    log.log(
      .warning, "series that are not valid were left out",
      metadata: ["series": "\(reading.rejectedSeries)", "first": "\(reading.firstFault)", "peer": "\(peer)"])
  }
}
